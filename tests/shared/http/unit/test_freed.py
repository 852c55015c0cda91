"""A request is freed when it is answered, body and all, not when the collector comes round."""

import gc
import weakref

from fastapi import APIRouter, Request

from shared.http.call import CallDep
from shared.security.access import allow
from shared.security.principal import Role
from tests.support.http import MakeClient


async def test_nothing_of_a_request_is_left_behind(make_client: MakeClient) -> None:
    seen: list[weakref.ref[Request]] = []
    router = APIRouter(prefix="/v1")

    @router.get("/thing")
    async def thing(call: CallDep) -> None:
        seen.append(weakref.ref(call.request))

    client = await make_client(router, access={("GET", "/v1/thing"): allow(Role.PUBLIC)})
    gc.disable()
    try:
        assert (await client.get("/v1/thing")).status_code == 200
        assert [one() for one in seen] == [None]
    finally:
        gc.enable()

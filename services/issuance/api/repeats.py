"""Steps at the counter that are sent again: under the Idempotency-Key of the first time they give
its answer again and do nothing; without one they are judged anew, by the rules of the step.

A step needs no key where a second one changes nothing or is refused. Where a second one counts
(a ticket, a visit, a wrong PIN, a hand-over) the route takes ``OnceDep``.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

import pydantic_core
from fastapi import Depends, Header
from fastapi.responses import Response
from pydantic import BaseModel
from starlette.requests import Request

from shared.http import idempotency
from shared.http.call import Call, call_of
from shared.unit import Unit


async def _call_of_step(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias=idempotency.HEADER,
            description=(
                "A UUID of your own for this step, 1 to 255 characters. Repeat it when you repeat"
                " the request, and you get the first answer again."
            ),
        ),
    ] = None,
) -> Call:
    return await call_of(request)


StepDep = Annotated[Call, Depends(_call_of_step)]
"""For routes that use ``step``: documents the header, which may be left out."""


async def step(
    call: Call, body: BaseModel | None, command: Callable[[Unit], Awaitable[BaseModel]]
) -> Response:
    """Run ``command`` in a unit and answer with what it returns; once per key, where one is sent.

    Raises ``InFlight`` (409) and ``KeyReused`` (422) for the key, and what ``command`` raises.
    """
    if idempotency.HEADER in call.request.headers:
        return await call.once(body if body is not None else b"", command, status=200)
    async with call.unit() as unit:
        answer = await command(unit)
    return Response(pydantic_core.to_json(answer), media_type="application/json")

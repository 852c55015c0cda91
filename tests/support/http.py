"""A small room behind the real HTTP edge. Tokens in these tests are just names."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import httpx
from fastapi import APIRouter, FastAPI

from shared.clock import SystemClock
from shared.db import Database
from shared.errors import Unauthorized
from shared.http.app import create_app
from shared.http.resources import Resources
from shared.ids import CaseId, SiteId, derived_id
from shared.security.access import AccessTable
from shared.security.principal import EVERY_SITE, Principal, Role
from shared.telemetry.metrics import Metrics
from shared.unit import Units

PEOPLE: Mapping[str, Principal] = {
    "clerk": Principal("staff:clerk", frozenset({Role.CLERK}), frozenset({SiteId("minami")})),
    "other": Principal("staff:other", frozenset({Role.CLERK}), frozenset({SiteId("kita")})),
    "planner": Principal("staff:planner", frozenset({Role.PLANNER}), frozenset({EVERY_SITE})),
    "system": Principal.system("test"),
    "citizen": Principal(
        "citizen:one",
        frozenset({Role.CITIZEN}),
        cases=frozenset({CaseId(derived_id("case"))}),
    ),
}


class MakeClient(Protocol):
    """Makes a client of an app around some routers."""

    async def __call__(
        self,
        *routers: APIRouter,
        access: AccessTable,
        database: Database | None = None,
        **options: Any,
    ) -> httpx.AsyncClient: ...


def bearer(name: str) -> dict[str, str]:
    """The header with which one of ``PEOPLE`` comes."""
    return {"Authorization": f"Bearer {name}"}


async def authenticate(authorization: str | None) -> Principal:
    """The principal named in place of a token."""
    if authorization is None:
        return Principal.anonymous()
    name = authorization.removeprefix("Bearer ")
    if name not in PEOPLE:
        raise Unauthorized(token_sent=True)
    return PEOPLE[name]


def make_app(
    routers: Sequence[APIRouter], access: AccessTable, database: Database, **options: Any
) -> FastAPI:
    """The app of a room called ``test``; ``options`` go to its ``Resources``."""
    units = Units(database, room="test", source="/141305/test", clock=SystemClock())
    options.setdefault("metrics", Metrics(service="test", role="api"))
    return create_app(
        title="Test",
        description="A small room.",
        routers=routers,
        access=access,
        resources=Resources(room="test", units=units, authenticate=authenticate, **options),
    )

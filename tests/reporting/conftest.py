"""A reporting room on a fresh database: fed with events, asked over HTTP."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio
from starlette.types import ASGIApp

from services.reporting.api import build
from services.reporting.events import SUBSCRIBES
from services.reporting.gateways.drawing import Drawing
from shared.clock import FixedClock
from shared.db import Database
from shared.errors import Unauthorized
from shared.http.resources import Resources
from shared.ids import SiteId
from shared.messaging.processing import Processor
from shared.security.principal import EVERY_SITE, Principal, Role
from shared.unit import Units
from tests.reporting.histories import SITES, Happening, tokyo
from tests.support.messaging import metrics

STAFF = (Role.CLERK, Role.SUPERVISOR, Role.BACK_OFFICE, Role.PLANNER, Role.AUDITOR)
PEOPLE: Mapping[str, Principal] = {
    **{
        role: Principal(f"staff:{role}", frozenset({role}), frozenset({EVERY_SITE}))
        for role in STAFF
    },
    "own": Principal("staff:own", frozenset({Role.SUPERVISOR}), frozenset({SITES[0]})),
    "citizen": Principal("citizen:one", frozenset({Role.CITIZEN}), frozenset[SiteId]()),
}


def bearer(name: str) -> dict[str, str]:
    """The header with which one of ``PEOPLE`` comes; tokens here are just names."""
    return {"Authorization": f"Bearer {name}"}


async def authenticate(authorization: str | None) -> Principal:
    """The principal named in place of a token."""
    if authorization is None:
        return Principal.anonymous()
    name = authorization.removeprefix("Bearer ")
    if name not in PEOPLE:
        raise Unauthorized(token_sent=True)
    return PEOPLE[name]


@dataclass
class Reporting:
    """The room: ``hear`` is its consumer's batch, ``client`` its API."""

    database: Database
    units: Units
    processor: Processor
    clock: FixedClock
    client: httpx.AsyncClient
    app: ASGIApp

    async def hear(self, happenings: Iterable[Happening]) -> None:
        """Handle these events as one poll."""
        await self.processor.handle_batch([each.record() for each in happenings])

    async def get(self, path: str, who: str | None = "planner", **headers: str) -> httpx.Response:
        """GET ``path`` as ``who`` (nobody without one); header names with underscores."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(path, headers=sent | (bearer(who) if who else {}))


@pytest.fixture(scope="session")
def drawing() -> Iterator[Drawing]:
    """One drawing process for all tests: its start takes seconds."""
    made = Drawing()
    yield made
    made.close()


@pytest_asyncio.fixture
async def reporting(
    room_database: Callable[[str], Awaitable[Database]], drawing: Drawing
) -> AsyncIterator[Reporting]:
    """The room at noon of 15 July 2026 in Japan, which is in R8."""
    database = await room_database("reporting")
    clock = FixedClock(tokyo(2026, 7, 15, 12))
    units = Units(database, room="reporting", source="/141305/reporting", clock=clock)
    processor = Processor("reporting", units, SUBSCRIBES, metrics=metrics())
    app = build(
        Resources(room="reporting", units=units, authenticate=authenticate, metrics=metrics())
    )
    app.state.drawing = drawing
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield Reporting(database, units, processor, clock, client, app)

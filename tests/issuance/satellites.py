"""A satellite and its headquarters, each with a database of its own, and a way between them that
can be cut anywhere.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from services.issuance.api import build
from services.issuance.credentials import FixedToken
from services.issuance.gateways import Headquarters, HeadquartersError
from services.issuance.handlers.telling import Teller
from shared.clock import FixedClock
from shared.contracts.base import Event
from shared.db import Database
from tests.issuance.support import OFFICE, City, Clerk, ok, resources, units


class KilledError(Exception):
    """The process that tells the journal was killed here."""


class Way(httpx.AsyncBaseTransport):
    """The way to headquarters; ``dies`` says before or after which request the teller is killed.

    A request is known by its Idempotency-Key, or by its path.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner = inner
        self.is_cut = False
        self.dies: Callable[[str, str], bool] = lambda name, when: False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on."""
        if self.is_cut:
            raise httpx.ConnectError("the line is down")
        name = request.headers.get("idempotency-key") or request.url.path
        if self.dies(name, "before"):
            raise KilledError
        answer = await self.inner.handle_async_request(request)
        if self.dies(name, "after"):
            raise KilledError
        return answer


@dataclass
class Region:
    """Headquarters and one satellite; both hear the rooms around while they are connected."""

    hq: City
    sat: City
    hq_clerk: Clerk
    sat_clerk: Clerk
    hq_supervisor: Clerk
    sat_supervisor: Clerk
    way: Way
    teller: Teller
    clock: FixedClock
    kept: list[Any] = field(default_factory=list)

    async def hear(self, *events: Event) -> None:
        """Both hear, or headquarters alone while the satellite is cut off."""
        records = [self.hq.record(event) for event in events]
        await self.hq.hear_records(records)
        self.kept += records
        if not self.way.is_cut:
            await self.catch_up()

    async def catch_up(self) -> None:
        """The satellite hears what it has missed."""
        records, self.kept = self.kept, []
        if records:
            await self.sat.hear_records(records)

    def cut(self) -> None:
        """The line goes down."""
        self.way.is_cut = True

    async def mend(self) -> None:
        """The line is up again: the satellite hears what it missed."""
        self.way.is_cut = False
        await self.catch_up()

    async def tell_all(self) -> int:
        """Tell the journal to its end, beginning again after every death; how often it died."""
        deaths = 0
        for _ in range(1_000):
            try:
                if not await self.teller.round():
                    return deaths
            except (KilledError, HeadquartersError):
                deaths += 1
        raise AssertionError("the journal has no end")

    async def conflicts(self, state: str | None = "open") -> list[dict[str, Any]]:
        """The conflicts of the site."""
        asked = f"&state={state}" if state else ""
        path = f"/v1/conflicts?site_id={OFFICE}&limit=200{asked}"
        found: list[dict[str, Any]] = ok(await self.hq_supervisor.get(path))["items"]
        return found

    async def resolve(self, conflict: dict[str, Any], decision: str) -> httpx.Response:
        """Decide about a conflict."""
        path = f"/v1/conflicts/{conflict['conflict_id']}:resolve"
        return await self.hq_supervisor.post(path, {"decision": decision})


@asynccontextmanager
async def region(
    hq: Database, sat: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Region]:
    """Both, connected, with the lease given."""
    monkeypatch.delenv("MADOGUCHI_ISSUANCE_SATELLITE", raising=False)
    head = httpx.ASGITransport(build(resources(hq, clock)))
    monkeypatch.setenv("MADOGUCHI_ISSUANCE_SATELLITE", OFFICE)
    own = httpx.ASGITransport(build(resources(sat, clock)))
    monkeypatch.delenv("MADOGUCHI_ISSUANCE_SATELLITE")
    way = Way(head)
    async with (
        httpx.AsyncClient(transport=head, base_url="http://hq") as hq_client,
        httpx.AsyncClient(transport=own, base_url="http://sat") as sat_client,
        httpx.AsyncClient(transport=way, base_url="http://hq") as line,
    ):
        made = Region(
            hq=City(hq, clock),
            sat=City(sat, clock),
            hq_clerk=Clerk(hq_client),
            sat_clerk=Clerk(sat_client),
            hq_supervisor=Clerk(hq_client, "supervisor"),
            sat_supervisor=Clerk(sat_client, "supervisor"),
            way=way,
            teller=Teller(units(sat, clock), OFFICE, Headquarters(line, FixedToken("supervisor"))),
            clock=clock,
        )
        ok(await made.hq_supervisor.post("/v1/satellites", {"site_id": OFFICE}))
        await made.teller.round()
        yield made

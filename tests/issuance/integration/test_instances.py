"""Instances that serve some sites each, over one database: added and removed while visits run."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from services.issuance.api import build
from shared.clock import FixedClock
from shared.db import Database
from shared.ids import SiteId, new_id
from shared.security.principal import EVERY_SITE, Principal, Role
from tests.issuance import support
from tests.issuance.support import CENTER, OFFICE, City, Clerk, ok, refused, resources
from tests.support.sizes import proof_size

EVERYWHERE = Principal("staff:all", frozenset({Role.CLERK}), frozenset({EVERY_SITE}))


@pytest.fixture(autouse=True)
def everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clerk of every site."""
    monkeypatch.setattr(support, "PEOPLE", {**support.PEOPLE, "everywhere": EVERYWHERE})


@asynccontextmanager
async def instance(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, sites: str
) -> AsyncIterator[httpx.AsyncClient]:
    """An api instance that serves ``sites``; all where none is named."""
    monkeypatch.setenv("MADOGUCHI_ISSUANCE_SITES", sites)
    transport = httpx.ASGITransport(build(resources(database, clock)), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def test_an_instance_answers_for_its_own_sites_alone(
    city: City, database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        instance(database, clock, monkeypatch, f"{OFFICE}, some-other") as one,
        instance(database, clock, monkeypatch, CENTER) as two,
        instance(database, clock, monkeypatch, "") as every,
    ):
        here, there = Clerk(one, "everywhere"), Clerk(two, "everywhere")
        booking = await city.booking(await city.card())
        away = refused(
            await there.check_in(booking_id=booking.booking_id), "site-served-elsewhere", 421
        )
        assert (away["site_id"], away["served"]) == (OFFICE, [CENTER])
        assert away["remedy"]
        visit = ok(await here.check_in(booking_id=booking.booking_id))
        path = f"/v1/visits/{visit['visit_id']}"
        for refusal in (
            await there.get(path),
            await there.call(visit["visit_id"]),
            await there.get(f"/v1/tickets?site_id={OFFICE}"),
            await there.get(f"/v1/board?site_id={OFFICE}"),
            await there.get(f"/board/{OFFICE}"),
            await there.post(f"/v1/counters/{OFFICE}/1:next"),
            await there.get(f"/v1/sites/{OFFICE}/day"),
        ):
            refused(refusal, "site-served-elsewhere", 421)
        refused(await Clerk(two, "elsewhere").get(path), "forbidden", 403)
        assert ok(await Clerk(every, "everywhere").get(path))["state"] == "waiting"
        assert (await every.get(f"/board/{CENTER}")).status_code == 200


async def test_a_new_satellite_needs_only_data(
    city: City, database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = SiteId("satellite-new")
    booking = await city.booking(await city.card(new), site_id=new)
    async with instance(database, clock, monkeypatch, new) as client:
        clerk = Clerk(client, "everywhere")
        visit = ok(await clerk.check_in(new, booking_id=booking.booking_id))
        assert visit["ticket"] == "A001"


class Crowd:
    """Clerks at many sites; each goes on at the instance that serves everybody when its own is
    gone, and repeats what it does not know the end of.
    """

    def __init__(self, main: httpx.AsyncClient, *, same_key: bool = True) -> None:
        self.main = main
        self.same_key = same_key
        self.own: dict[SiteId, httpx.AsyncClient] = {}

    async def ask(self, site: SiteId, path: str, body: object) -> httpx.Response:
        """The answer, whoever gives it in the end."""
        key = str(new_id())
        for _ in range(20):
            client = self.own.get(site, self.main)
            clerk = Clerk(client, "everywhere")
            try:
                return await clerk.post(path, body, key if self.same_key else None)
            except (RuntimeError, httpx.TransportError):
                self.own.pop(site, None)
        raise AssertionError("nobody answers")

    async def serve(self, site: SiteId) -> str:
        """A walk-in who renews certificates; the visit, or how it was refused."""
        answer = await self.ask(
            site,
            "/v1/tickets",
            {"site_id": site, "purpose": "certificate_renewal", "ward": "141313"},
        )
        visit = ok(answer)
        visit_id, case_id = visit["visit_id"], visit["cases"][0]["case_id"]
        ok(await self.ask(site, f"/v1/visits/{visit_id}:call", {"counter": "X"}))
        case = f"/v1/visits/{visit_id}/cases/{case_id}"
        ok(await self.ask(site, f"{case}/pin-set", {"confirmed": True}))
        done = await self.ask(site, f"{case}/renew", {"certificates": ["signing"]})
        return str(ok(done)["state"])


class Cut(httpx.AsyncBaseTransport):
    """The way to an instance: cut, an answer is lost after the work was done."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner = inner
        self.is_cut = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self.inner.handle_async_request(request)
        if self.is_cut:
            raise httpx.ReadError("the instance is gone")
        return answer


async def day(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, *, same_key: bool
) -> tuple[Counter[str], int]:
    """Five satellites come and two go while visits run: how visits ended, and how many are kept."""
    visits = proof_size(4, 60)
    satellites = [SiteId(f"satellite-{number}") for number in range(5)]
    async with instance(database, clock, monkeypatch, "") as main:
        crowd, ways = Crowd(main, same_key=same_key), []

        async def at(site: SiteId, number: int) -> list[str]:
            monkeypatch.setenv("MADOGUCHI_ISSUANCE_SITES", site)
            way = Cut(httpx.ASGITransport(build(resources(database, clock))))
            ways.append(way)
            crowd.own[site] = httpx.AsyncClient(transport=way, base_url="http://test")
            ends = []
            for count in range(visits):
                if number < 2 and count == visits // 2:
                    way.is_cut = True
                ends.append(await crowd.serve(site))
            return ends

        found = await asyncio.gather(
            *(at(site, number) for number, site in enumerate(satellites)),
            *(crowd.serve(OFFICE) for _ in range(visits)),
        )
        assert len(ways) == 5
    async with database.reader() as conn:
        kept = await conn.fetchval("SELECT count(*) FROM visit")
    ends = [end for one in found for end in ([one] if isinstance(one, str) else one)]
    assert len(ends) == 6 * visits
    return Counter(ends), kept - len(ends)


async def test_satellites_come_and_go_while_visits_run(
    city: City, database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends, doubled = await day(database, clock, monkeypatch, same_key=True)
    assert (set(ends), doubled) == ({"ended"}, 0)
    said = Counter(await city.types_said())
    assert said["certificate.renewed.v1"] == said["visit.completed.v1"] == sum(ends.values())


async def test_without_keys_a_visit_would_be_doubled(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, doubled = await day(database, clock, monkeypatch, same_key=False)
    assert doubled > 0

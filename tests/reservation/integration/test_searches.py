"""Searches are counted where they are answered, and told once: numbers alone."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.reservation.api import build
from services.reservation.domain.searches import LARGEST, Searches
from services.reservation.handlers import searches
from shared.clock import FixedClock
from shared.contracts.base import Procedure
from shared.db import Database
from shared.ids import SiteId
from shared.unit import Units
from tests.reservation.support import (
    FRIDAY,
    SITE,
    THURSDAY,
    TODAY,
    WARD,
    bearer,
    open_site,
    resources,
    units,
)


async def told(database: Database) -> list[dict[str, Any]]:
    async with database.reader() as conn:
        rows = await conn.fetch(
            "SELECT data FROM outbox WHERE type = 'availability.searched.v1' ORDER BY xid, pos"
        )
    return [json.loads(row["data"]) for row in rows]


async def test_every_search_is_counted_once_and_told_once(
    database: Database, clock: FixedClock, key_file: Path
) -> None:
    await open_site(database)
    app = build(resources(database, clock, key_file))
    counted: Searches = app.state.board.searches
    asked: dict[str, Any] = {
        "procedure": "card_issuance",
        "ward": WARD,
        "from": THURSDAY,
        "to": FRIDAY,
    }
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")
    async with client:
        found = await client.get("/v1/availability", params=asked)
        await client.get("/v1/availability", params=asked)  # from memory
        again = {"If-None-Match": found.headers["etag"]}
        known = await client.get("/v1/availability", params=asked, headers=again)
        assert known.status_code == 304
        await client.get("/v1/availability", params=asked | {"party": 9, "site_id": SITE})
        await client.get("/v1/availability", params=asked | {"site_id": "hanako-suzuki"})
        await client.get("/v1/availability", params=asked | {"ward": "999995"})
        staff = bearer("clerk")
        await client.get("/v1/availability:first", params=asked | {"party": 9}, headers=staff)
    await searches.flush(units(database, clock), counted, "reservation")
    await searches.flush(units(database, clock), counted, "reservation")
    unnamed, event = sorted(await told(database), key=lambda one: bool(one["ward"]))
    assert unnamed["counts"][0]["searched"] == 1, "a ward that nobody knows is not named"
    assert (event["business_date"], event["ward"]) == (str(TODAY), WARD)
    seen = {each["site_id"]: (each["searched"], each["refused"]) for each in event["counts"]}
    assert seen == {None: (4, 2), SITE: (1, 1)}


async def test_however_much_was_counted_it_is_told(database: Database, clock: FixedClock) -> None:
    counted = Searches()
    names = [SiteId(f"{number:05}-".ljust(63, "x")) for number in range(LARGEST)]
    for name in names:
        counted.counts[TODAY, WARD, Procedure.CERTIFICATE_RENEWAL, name] = (10**6, 10**6)
    await searches.flush(units(database, clock), counted, "reservation")
    found = [one["site_id"] for event in await told(database) for one in event["counts"]]
    assert found == names
    assert counted.take() == {}


async def test_what_cannot_be_told_is_told_later(database: Database, clock: FixedClock) -> None:
    counted = Searches()
    way = (TODAY, None, Procedure.CARD_ISSUANCE, None)
    counted.counts[way] = (4, 2)

    class Broken(Units):
        def begin(self, *_: Any, **__: Any) -> Any:
            raise ConnectionError

    broken = Broken(database, room="reservation", source="/141305/reservation", clock=clock)
    with pytest.raises(ConnectionError):
        await searches.flush(broken, counted, "reservation")
    assert counted.counts == {way: (4, 2)}
    await searches.flush(units(database, clock), counted, "reservation")
    assert [event["counts"][0]["searched"] for event in await told(database)] == [4]

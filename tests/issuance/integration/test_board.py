"""The board: what it shows, that it follows the queue at once, and that it tells of nobody."""

import asyncio
import json

import httpx
import pytest

from services.issuance.api import board_hub, build
from shared.clock import FixedClock
from tests.issuance.house import House
from tests.issuance.support import CENTER, OFFICE, ok, resources
from tests.support.browser import served


async def test_it_shows_calls_and_waits_and_follows_the_queue(house: House) -> None:
    clerk = house.clerk
    await clerk.open("1")
    async with house.listen() as board:
        empty = await board.next()
        assert (empty["called"], empty["waiting"], empty["counters_open"]) == ([], [], 1)
        assert empty["expected"]["question"] == 0
        first, second = await clerk.draw(), await clerk.draw()
        shown = await board.until(lambda one: len(one["waiting"]) == 2)
        assert [one["minutes"] for one in shown["waiting"]] == [0, 5]
        await clerk.next("1")
        shown = await board.until(lambda one: bool(one["called"]))
        assert shown["called"] == [{"ticket": first["ticket"], "counter": "1", "calls": 1}]
        assert shown["waiting"] == [{"ticket": second["ticket"], "minutes": 5, "is_paused": False}]
        ok(await clerk.ticket(first["visit_id"], "recall"))
        await board.until(lambda one: one["called"][0]["calls"] == 2)
        ok(await clerk.ticket(first["visit_id"], "done"))
        await board.until(lambda one: not one["called"])
        ok(await clerk.post(f"/v1/counters/{OFFICE}/1:close"))
        closed = await board.until(lambda one: one["counters_open"] == 0)
        assert [one["minutes"] for one in closed["waiting"]] == [None]


async def test_it_tells_of_nobody(house: House) -> None:
    booking = await house.city.booking(await house.city.card())
    visit = ok(await house.clerk.check_in(booking_id=booking.booking_id, need="wheelchair"))
    async with house.listen() as board:
        shown = json.dumps(await board.next())
    assert visit["ticket"] in shown
    for hidden in (visit["visit_id"], str(booking.case_id), str(booking.booking_id), "wheelchair"):
        assert hidden not in shown


async def test_another_site_is_another_board(house: House) -> None:
    async with house.listen(CENTER) as other, house.listen() as board:
        assert (await other.next())["site_id"] == CENTER
        await board.next()
        await house.clerk.draw()
        await board.until(lambda one: len(one["waiting"]) == 1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await other.next()


async def test_a_board_that_hears_nothing_reads_by_the_clock(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_hub, "POLL_SECONDS", 0.1)
    monkeypatch.setattr(board_hub.BoardHub, "_told", lambda *_: None)
    async with house.listen() as board:
        await board.next()
        await house.clerk.draw()
        await board.until(lambda one: len(one["waiting"]) == 1)


async def test_it_follows_again_after_its_connection_broke(house: House) -> None:
    async with house.listen() as board:
        await board.next()
        await house.clerk.draw()
        await board.until(lambda one: len(one["waiting"]) == 1)
        async with house.city.database.reader() as conn:
            ended = await conn.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'madoguchi-issuance-board'"
                " AND datname = current_database()"
            )
        assert len(ended) == 1
        await house.clerk.draw()
        await board.until(lambda one: len(one["waiting"]) == 2)


async def test_many_listen_to_one_reading_and_no_more_than_may(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MADOGUCHI_ISSUANCE_BOARD_LISTENERS", "2")
    limited = build(resources(house.city.database, FixedClock(house.city.clock.now())))
    async with served(limited) as address:
        narrow = House(address, house.clerk, house.city)
        async with narrow.listen() as one, narrow.listen() as two:
            assert await one.next() == await two.next()
            async with httpx.AsyncClient(base_url=address) as client:
                refused = await client.get("/v1/board", params={"site_id": OFFICE})
            assert refused.status_code == 503
            assert refused.json()["remedy"]

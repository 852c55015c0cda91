"""Free seats: every way of asking, and never out of date, whoever changes what."""

import asyncio
import random
from collections.abc import Collection, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.reservation.api.free_seats import write_days
from services.reservation.domain.availability import DayKey, Question, SeatDay
from services.reservation.domain.national_system import Policy
from services.reservation.domain.site_rules import Overrides
from services.reservation.handlers import availability, bookings, sites, suspensions
from services.reservation.handlers import site_rules as rules_of_sites
from services.reservation.handlers.board import Board, tidy
from services.reservation.handlers.bookings import Request
from services.reservation.handlers.suspensions import Order
from services.reservation.store import seat_days
from shared.clock import FixedClock
from shared.contracts.base import Procedure
from shared.contracts.place import Acceptance, SiteName
from shared.contracts.site import SuspensionReason
from shared.db import Connection, Database
from shared.errors import Problem
from shared.ids import CaseId, SiteId
from tests.reservation.support import (
    FRIDAY,
    MORNING,
    OTHER_SITE,
    OTHER_WARD,
    PEOPLE,
    RULES,
    SITE,
    THURSDAY,
    WARD,
    bearer,
    case,
    citizen,
    invite,
    make_site,
    open_site,
    tokyo,
    units,
)

CARDS, RENEWALS = Procedure.CARD_ISSUANCE, Procedure.CERTIFICATE_RENEWAL
WINDOW = SiteId("window")
NINE = tokyo(THURSDAY, 9)


@pytest.fixture
async def city(database: Database) -> Database:
    """Three sites: a ward office for its ward, a center for all, a window that renews alone."""
    await open_site(database)
    await open_site(
        database,
        make_site(
            OTHER_SITE,
            name=SiteName(ja="センター", en="Center"),
            latitude=35.6,
            acceptance=(Acceptance(procedure=CARDS), Acceptance(procedure=RENEWALS)),
        ),
    )
    await open_site(
        database,
        make_site(
            WINDOW,
            latitude=35.51,
            acceptance=(Acceptance(procedure=RENEWALS, from_date=FRIDAY),),
        ),
    )
    return database


def board_of(database: Database, clock: FixedClock | None = None) -> Board:
    """A process of its own."""
    return Board(database, units(database, clock), RULES, room="reservation")


async def free(board: Board, **values: Any) -> Mapping[tuple[SiteId, date], int]:
    """Free seats by site and day."""
    asked: dict[str, Any] = {
        "procedures": (CARDS,), "wards": (WARD,), "first": THURSDAY, "last": FRIDAY, **values
    }  # fmt: skip
    found = await availability.find(board, Question(**asked))
    return {(one.site.site_id, day.day): day.free for one in found for day in one.days}


async def ask(client: httpx.AsyncClient, path: str = "", **query: Any) -> dict[str, Any]:
    """An answer of the API."""
    asked: dict[str, Any] = {
        "procedure": CARDS.value,
        "ward": WARD,
        "from": THURSDAY,
        "to": FRIDAY,
        **query,
    }
    answer = await client.get(f"/v1/availability{path}", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_only_sites_that_serve_all_of_a_party(
    client: httpx.AsyncClient, city: Database
) -> None:
    both = await ask(client)
    assert [one["site_id"] for one in both["sites"]] == [OTHER_SITE, SITE]
    mixed = await ask(client, ward=[WARD, OTHER_WARD])
    assert [one["site_id"] for one in mixed["sites"]] == [OTHER_SITE]
    everything = await ask(client, procedure=[CARDS.value, RENEWALS.value])
    assert [(one["site_id"], one["procedure"]) for one in everything["sites"]] == [
        (OTHER_SITE, CARDS), (OTHER_SITE, RENEWALS), (SITE, CARDS), (WINDOW, RENEWALS)
    ]  # fmt: skip
    assert [day["date"] for day in everything["sites"][3]["days"]] == [str(FRIDAY)]
    one = await ask(client, site_id=SITE)
    assert [each["site_id"] for each in one["sites"]] == [SITE]


async def test_time_of_day_and_party(client: httpx.AsyncClient, city: Database) -> None:
    found = await ask(client, site_id=SITE, after="10:00", before="11:00", to=THURSDAY, party=2)
    (day,) = found["sites"][0]["days"]
    assert day["free"] == 6
    assert [start["starts_at"][11:16] for start in day["starts"]] == [
        "10:00", "10:10", "10:20", "10:30", "10:40"
    ]  # fmt: skip
    assert (await ask(client, site_id=SITE, party=3))["sites"][0]["days"] == []


async def test_distance_from_a_point(client: httpx.AsyncClient, city: Database) -> None:
    found = await ask(client, near="35.5,139.7", procedure=[CARDS.value, RENEWALS.value])
    far = [(one["site_id"], round(one["distance_km"])) for one in found["sites"]]
    assert far == [(SITE, 0), (WINDOW, 1), (OTHER_SITE, 11), (OTHER_SITE, 11)]
    near = await ask(client, near="35.5,139.7", within_km=5)
    assert [one["site_id"] for one in near["sites"]] == [SITE]
    for place in ("here", "95,1", "1"):
        asked: dict[str, Any] = {
            "procedure": CARDS.value,
            "from": THURSDAY,
            "to": FRIDAY,
            "near": place,
        }
        answer = await client.get("/v1/availability", params=asked)
        assert answer.json()["type"] == "urn:madoguchi:problem:near-refused"
        assert answer.json()["errors"][0]["field"] == "near"


async def test_first_dates_and_the_earliest_anywhere(
    client: httpx.AsyncClient, city: Database
) -> None:
    found = await ask(client, ":first", procedure=[CARDS.value, RENEWALS.value])
    firsts = [(one["site_id"], one["procedure"], one["first"]["date"]) for one in found["sites"]]
    assert firsts == [
        (OTHER_SITE, CARDS, str(THURSDAY)),
        (OTHER_SITE, RENEWALS, str(THURSDAY)),
        (SITE, CARDS, str(THURSDAY)),
        (WINDOW, RENEWALS, str(FRIDAY)),
    ]
    assert found["earliest"] == found["sites"][0]
    nothing = await ask(client, ":first", site_id=SITE, party=3)
    assert (nothing["earliest"], nothing["sites"][0]["first"]) == (None, None)


async def test_the_days_as_a_map(client: httpx.AsyncClient, city: Database) -> None:
    found = await ask(client, ":days", procedure=[CARDS.value, RENEWALS.value])
    assert found["days"] == [
        {"date": str(THURSDAY), "free": 54, "sites": 3},
        {"date": str(FRIDAY), "free": 72, "sites": 4},
    ]


async def test_an_answer_that_is_known_is_not_sent_again(
    client: httpx.AsyncClient, city: Database
) -> None:
    asked: dict[str, Any] = {"procedure": CARDS.value, "ward": WARD, "from": THURSDAY, "to": FRIDAY}
    first = await client.get("/v1/availability", params=asked)
    assert first.headers["etag"] == f'"{first.json()["version"]}"'
    known = {"If-None-Match": first.headers["etag"]}
    assert (await client.get("/v1/availability", params=asked, headers=known)).status_code == 304
    await invite(city, case("a"))
    await book(city, case("a"))
    changed = await client.get("/v1/availability", params=asked, headers=known)
    assert changed.status_code == 200
    assert changed.json()["sites"][1]["days"][0]["free"] == 17


async def book(database: Database, case_id: CaseId, at: datetime = NINE) -> None:
    """Book a seat at the ward office."""
    async with units(database).begin(citizen(case_id)) as unit:
        await bookings.book(unit, Request((case_id,), SITE, at), RULES)


async def test_whatever_changes_the_next_answer_knows(city: Database) -> None:
    clock = FixedClock(MORNING)
    board, staff = board_of(city, clock), PEOPLE["planner"]
    thursday = (SITE, THURSDAY)
    assert (await free(board))[thursday] == 18
    mine = case("a")
    await invite(city, mine)
    await book(city, mine)
    assert (await free(board))[thursday] == 17

    async with units(city).begin(staff) as unit:
        await sites.put(unit, make_site(counters=3, terminals=3), RULES, lambda _: None)
    assert (await free(board))[thursday] == 26

    async with units(city).begin(staff) as unit:
        own = Overrides(kept_call_centre=1, call_centre_released_days=0)
        await rules_of_sites.put(unit, SITE, CARDS, own, lambda _: None)
    assert (await free(board))[thursday] == 17

    order = Order((SITE,), frozenset({CARDS}), MORNING, tokyo(THURSDAY, 10),
                  SuspensionReason.EMERGENCY, Policy.KEEP)  # fmt: skip
    async with units(city).begin(staff) as unit:
        (stop,) = await suspensions.suspend(unit, order, RULES)
    assert (await free(board))[thursday] == 12
    async with units(city).begin(staff) as unit:
        await suspensions.resume(unit, stop.suspension_id, None, RULES)
    assert (await free(board))[thursday] == 17

    async with units(city).begin(citizen(mine)) as unit:
        made = await unit.conn.fetchval("SELECT booking_id FROM booking")
        await bookings.cancel(unit, made, RULES, lambda _: None)
    assert (await free(board))[thursday] == 17
    clock.advance(RULES.return_within)
    assert (await free(board))[thursday] == 18


async def test_what_was_asked_lately_is_read_before_it_is_asked_again(
    city: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    board, mine, reads = board_of(city), case("a"), []
    read = seat_days.read

    async def counted(conn: Connection, wanted: Collection[DayKey]) -> dict[DayKey, SeatDay]:
        reads.append(wanted)
        return await read(conn, wanted)

    async def told() -> str:
        question = Question((CARDS,), (WARD,), THURSDAY, FRIDAY)
        return (await availability.tell(board, question, write_days)).body.decode()

    monkeypatch.setattr(seat_days, "read", counted)
    before = await told()
    first = sorted(key for wanted in reads for key in wanted)
    assert {day for _, day in first} == {THURSDAY, FRIDAY}, "only what was asked, also at first"
    assert len(first) == len(set(first))
    reads.clear()
    await invite(city, mine)
    await book(city, mine)
    assert await board.lately.refresh() == 1
    assert reads == [[(SITE, THURSDAY)]]
    assert await told() != before
    assert len(reads) == 1


async def test_staff_see_the_call_centres_share(client: httpx.AsyncClient, city: Database) -> None:
    async with units(city).begin(PEOPLE["planner"]) as unit:
        own = Overrides(kept_call_centre=1, call_centre_released_days=0)
        await rules_of_sites.put(unit, SITE, CARDS, own, lambda _: None)
    asked: dict[str, Any] = {
        "procedure": CARDS.value,
        "from": THURSDAY,
        "to": THURSDAY,
        "site_id": SITE,
    }
    for who, seats in ((None, 9), ("clerk", 18)):
        headers = bearer(who) if who else {}
        found = (await client.get("/v1/availability", params=asked, headers=headers)).json()
        assert found["sites"][0]["days"][0]["free"] == seats


async def test_a_case_sees_the_days_on_which_it_may_be_served(
    client: httpx.AsyncClient, city: Database
) -> None:
    mine = case("a")
    await invite(city, mine)
    login = {"notice_number": "7K2-481516", "birth_date": "1990-02-03"}
    token = (await client.post("/v1/sessions", json=login)).json()["access_token"]
    asked: dict[str, Any] = {"procedure": CARDS.value, "ward": WARD, "from": THURSDAY,
             "to": THURSDAY + timedelta(days=6), "case_id": str(mine), "starts": False}  # fmt: skip
    headers = bearer(token)
    found = (await client.get("/v1/availability", params=asked, headers=headers)).json()["sites"]
    first = {one["site_id"]: one["days"][0]["date"] for one in found}
    assert first == {SITE: str(THURSDAY), OTHER_SITE: str(FRIDAY)}  # the card travels two days
    strangers: dict[str, Any] = {**asked, "case_id": str(uuid4())}
    refused = await client.get("/v1/availability", params=strangers, headers=headers)
    assert refused.status_code == 403

    body = {"case_ids": [str(mine)], "site_id": SITE, "starts_at": NINE.isoformat()}
    once = bearer(token, once=True)
    assert (await client.post("/v1/holds", json=body, headers=once)).status_code == 201
    one: dict[str, Any] = {
        "procedure": CARDS.value,
        "site_id": SITE,
        "from": THURSDAY,
        "to": THURSDAY,
    }
    mine_ = (await client.get("/v1/availability", params=one, headers=headers)).json()
    others = (await client.get("/v1/availability", params=one)).json()
    assert mine_["sites"][0]["days"][0]["starts"][0]["free"] == 2
    assert others["sites"][0]["days"][0]["starts"][0]["free"] == 1


@pytest.mark.parametrize("guard", ["kept", "removed"])
async def test_nobody_is_answered_from_before_they_asked(
    city: Database, monkeypatch: pytest.MonkeyPatch, guard: str
) -> None:
    """Many book while many ask: whoever asks after a commit sees it."""
    board = board_of(city)
    if guard == "removed":

        async def no_look(self: Board) -> None:
            """What is in memory is believed."""

        await free(board)
        monkeypatch.setattr(Board, "fresh", no_look)
    cases_ = [case("reader", number) for number in range(18)]
    await invite(city, *cases_)
    late: list[int] = []

    async def one(number: int) -> None:
        at = NINE + timedelta(minutes=20 * (number % 9))
        await book(city, cases_[number], at)
        booked.append(number)
        least = 18 - len(booked)
        if (await free(board))[SITE, THURSDAY] > least:
            late.append(number)

    booked: list[int] = []
    await asyncio.gather(*(one(number) for number in range(17)))
    assert bool(late) is (guard == "removed")


async def test_what_is_said_to_be_free_is_what_can_be_booked(city: Database) -> None:
    """Against a board that has just begun, and against booking itself, in a random order."""
    choose, board = random.Random(5), board_of(city)
    cases_ = [case("any", number) for number in range(30)]
    await invite(city, *cases_)
    for case_id in cases_:
        at = NINE + timedelta(minutes=10 * choose.randrange(18))
        said = await availability.find(
            board, Question((CARDS,), (WARD,), THURSDAY, THURSDAY, site_ids=frozenset({SITE}))
        )
        free_then = {start.starts_at for day in said[0].days for start in day.starts}
        try:
            await book(city, case_id, at)
        except Problem:
            assert at not in free_then
        else:
            assert at in free_then
        assert await free(board) == await free(board_of(city))


async def test_changes_are_forgotten_and_a_board_that_slept_begins_anew(
    city: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = board_of(city)
    before = await free(board)
    async with city.reader() as conn:
        await conn.execute("UPDATE seat_change SET written_at = now() - interval '1 hour'")
        await conn.execute("INSERT INTO seat_change (site_id, day) VALUES ($1, NULL)", SITE)
    async with units(city).begin(PEOPLE["planner"]) as unit:
        assert await tidy(unit) > 0
        assert await tidy(unit) == 0
        assert await unit.conn.fetchval("SELECT count(*) FROM seat_change") == 1
    monkeypatch.setattr("services.reservation.handlers.board._TRUSTED", -1.0)
    await invite(city, case("a"))
    await book(city, case("a"))
    async with city.reader() as conn:
        await conn.execute("DELETE FROM seat_change")
    after = await free(board)
    assert after[SITE, THURSDAY] == before[SITE, THURSDAY] - 1


async def test_changes_that_have_just_grown_too_old_wait_for_others(city: Database) -> None:
    """Otherwise some are deleted at every look while seats change, and what is due never rests."""
    just = seat_days.KEPT + seat_days.PATIENCE / 2
    async with units(city).begin(PEOPLE["planner"]) as unit:
        await unit.conn.execute(
            "UPDATE seat_change SET written_at = clock_timestamp() - $1::interval", just
        )
        assert await tidy(unit) == 0
        await unit.conn.execute(
            "UPDATE seat_change SET written_at = written_at - $1::interval", just
        )
        assert await tidy(unit) > 0


async def test_a_look_misses_no_transaction_that_commits_late(city: Database) -> None:
    """A transaction that began first and commits last has the older id."""
    async with city.reader() as conn:
        since = await seat_days.start(conn)
    async with city.transaction() as slow:
        await slow.execute("UPDATE cell SET capacity = 3 WHERE site_id = $1", SITE)
        await book_elsewhere(city)
        async with city.reader() as conn:
            first = await seat_days.look(conn, since)
    async with city.reader() as conn:
        second = await seat_days.look(conn, first.xmin)
    assert {change[1] for change in first.changes} == {OTHER_SITE}
    assert {change[1] for change in second.changes} >= {SITE}


async def book_elsewhere(database: Database) -> None:
    """Change a cell of the other site."""
    async with database.transaction() as conn:
        await conn.execute("UPDATE cell SET capacity = 4 WHERE site_id = $1", OTHER_SITE)


async def test_late_hours_end_with_the_national_system(database: Database) -> None:
    hours = tuple(
        one.model_copy(update={"opens": time(18), "closes": time(21)}) for one in make_site().hours
    )
    await open_site(database, make_site(hours=hours))
    found = await free(board_of(database), first=THURSDAY, last=THURSDAY)
    assert found == {(SITE, THURSDAY): 12}

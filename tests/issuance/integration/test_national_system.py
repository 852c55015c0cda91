"""The national system stops: what is refused, what may go on, and what becomes of who is here."""

from datetime import datetime, timedelta
from itertools import permutations

from services.issuance.domain.national_system import NationalRules
from services.issuance.handlers import national_system
from services.issuance.handlers.board import Outlook, read_board
from services.issuance.settings import IssuanceSettings
from shared.clock import FixedClock
from shared.contracts.base import Procedure
from shared.contracts.site import (
    NationalSystemResumed,
    NationalSystemSuspended,
    SuspensionReason,
)
from shared.db import Database
from shared.ids import SuspensionId, derived_id
from tests.issuance.support import (
    CARD,
    LICENCE,
    OFFICE,
    RENEWAL,
    TEN,
    WARD,
    City,
    Clerk,
    new_case,
    ok,
    opened,
    refused,
)

OUTAGE = SuspensionId(derived_id("outage"))
PLANNED = SuspensionId(derived_id("planned"))


def suspended(
    *procedures: Procedure, starts_at: datetime = TEN, id_: SuspensionId = OUTAGE
) -> NationalSystemSuspended:
    """The office cannot use the system."""
    return NationalSystemSuspended(
        site_id=OFFICE,
        suspension_id=id_,
        procedures=procedures or (CARD, RENEWAL),
        starts_at=starts_at,
        reason=SuspensionReason.OUTAGE,
    )


def resumed(at: datetime = TEN, id_: SuspensionId = OUTAGE) -> NationalSystemResumed:
    """It can again."""
    return NationalSystemResumed(
        site_id=OFFICE, suspension_id=id_, procedures=(CARD, RENEWAL), resumed_at=at
    )


async def called(city: City, clerk: Clerk, counter: str = "3") -> tuple[str, str]:
    """A party at a counter: its visit and its case."""
    booking = await city.booking(await city.card())
    visit_id = ok(await clerk.check_in(booking_id=booking.booking_id))["visit_id"]
    ok(await clerk.call(visit_id, counter))
    return visit_id, str(booking.case_id)


async def test_what_needs_the_system_is_refused_and_the_rest_goes_on(
    city: City, clerk: Clerk
) -> None:
    visit_id, case_id = await called(city, clerk)
    await city.hear(suspended(CARD))
    ok(await clerk.step(visit_id, case_id, "identity", LICENCE))
    body = refused(
        await clerk.step(visit_id, case_id, "pin-set", {"confirmed": True}),
        "national-system-stopped",
    )
    assert (body["reason"], body["until"]) == ("outage", None)
    assert "identity" in body["may_still"]
    shown = ok(await clerk.get(f"/v1/national-system?site_id={OFFICE}"))
    assert [(one["procedure"], one["can_be_done"]) for one in shown["procedures"]] == [
        ("card_issuance", False),
        ("certificate_renewal", True),
    ]
    assert [one["suspension_id"] for one in shown["suspensions"]] == [str(OUTAGE)]
    await city.hear(resumed())
    ok(await clerk.step(visit_id, case_id, "pin-set", {"confirmed": True}))
    ok(await clerk.step(visit_id, case_id, "issue"))
    again = await clerk.step(visit_id, case_id, "issue")
    refused(again, "case-already-done")


async def test_at_eight_in_the_evening_it_stops_by_the_calendar(
    city: City, clerk: Clerk, clock: FixedClock
) -> None:
    visit_id, case_id = await called(city, clerk)
    ok(await clerk.step(visit_id, case_id, "identity", LICENCE))
    clock.set(TEN + timedelta(hours=10))
    body = refused(
        await clerk.step(visit_id, case_id, "pin-set", {"confirmed": True}),
        "national-system-stopped",
    )
    assert body["reason"] == "daily_stop"


async def test_who_is_caught_waits_and_goes_on_where_it_stopped(city: City, clerk: Clerk) -> None:
    await clerk.open("1")
    visit_id, case_id = await called(city, clerk, "1")
    ok(await clerk.step(visit_id, case_id, "identity", LICENCE))
    path = f"/v1/visits/{visit_id}:interrupt"
    refused(await clerk.post(path, {"then": "wait"}), "national-system-not-stopped")
    await city.hear(suspended())
    question = await clerk.draw()
    assert ok(await clerk.post(path, {"then": "wait"}))["state"] == "waiting"
    (told,) = [one for one in await city.said() if one["type"] == "visit.paused.v1"]
    assert (told["case_id"], told["visit_id"]) == (case_id, visit_id)
    assert told["booking_id"] is not None, "reservation writes to whose visit this is"
    served = await clerk.next("1")
    assert served is not None
    assert served["visit_id"] == question["visit_id"], "who needs the system is not called"
    ok(await clerk.ticket(question["visit_id"], "done"))
    assert await clerk.next("1") is None
    await city.hear(resumed())
    back = await clerk.next("1")
    assert back is not None
    assert (back["visit_id"], back["cases"][0]["next_step"]) == (visit_id, "pin-set")


async def test_a_whole_site_is_rebooked_and_citizens_are_told(
    city: City, clerk: Clerk, supervisor: Clerk
) -> None:
    at_counter, case_id = await called(city, clerk)
    renewal = await clerk.draw("certificate_renewal", ward=WARD)
    question = await clerk.draw()
    path = f"/v1/sites/{OFFICE}/day:interrupt"
    refused(await supervisor.post(path, {"then": "rebook"}), "national-system-not-stopped")
    await city.hear(suspended())
    waiting = ok(await supervisor.post(path, {"then": "wait"}))["visits"]
    assert {one["state"] for one in waiting} == {"waiting"}
    paused = [one for one in await city.said() if one["type"] == "visit.paused.v1"]
    assert {one["visit_id"] for one in paused} == {at_counter, renewal["visit_id"]}
    caught = ok(await supervisor.post(path, {"then": "rebook"}))["visits"]
    assert {one["visit_id"] for one in caught} == {at_counter, renewal["visit_id"]}
    assert {one["cases"][0]["reason"] for one in caught} == {"national_system"}
    assert ok(await clerk.get(f"/v1/visits/{question['visit_id']}"))["state"] == "waiting"
    told = [one for one in await city.said() if one["type"] == "visit.deferred.v1"]
    assert {one["reason"] for one in told} == {"national_system"}
    assert case_id in {one["case_id"] for one in told}
    assert ok(await supervisor.post(path, {"then": "rebook"}))["visits"] == []


async def test_the_board_says_what_stands_still(city: City, database: Database) -> None:
    settings = IssuanceSettings()
    outlook = Outlook(settings.priorities, settings.default_times, NationalRules())
    await city.hear(suspended(RENEWAL))
    async with database.reader() as conn:
        board = await read_board(conn, OFFICE, TEN, outlook)
    assert (board.stopped, board.stopped_until) == (("certificate_renewal",), {})


async def test_the_board_says_who_is_not_called_meanwhile(
    city: City, clerk: Clerk, database: Database
) -> None:
    settings = IssuanceSettings()
    outlook = Outlook(settings.priorities, settings.default_times, NationalRules())
    await clerk.open("1")
    renewal = await clerk.draw("certificate_renewal", ward=WARD)
    question = await clerk.draw()
    until = TEN + timedelta(hours=2)
    await city.hear(suspended(RENEWAL).model_copy(update={"ends_at": until}))
    async with database.reader() as conn:
        board = await read_board(conn, OFFICE, TEN, outlook)
    places = {one.ticket: (one.minutes, one.is_paused) for one in board.waiting}
    assert places == {renewal["ticket"]: (None, True), question["ticket"]: (0, False)}
    assert set(board.expected) == {"card_issuance", "question"}
    assert board.stopped_until == {"certificate_renewal": until}


async def test_a_party_that_came_for_more_than_what_stops_waits_on_and_is_called(
    city: City, clerk: Clerk, database: Database
) -> None:
    settings = IssuanceSettings()
    outlook = Outlook(settings.priorities, settings.default_times, NationalRules())
    card = await city.booking(await city.card())
    renewal = new_case()
    await city.hear(opened(renewal, RENEWAL))
    await city.booking(renewal, party_id=card.party_id, procedure=RENEWAL)
    both = ok(await clerk.check_in(booking_id=card.booking_id))
    assert len(both["cases"]) == 2
    await city.hear(suspended(RENEWAL))
    await clerk.open("1")
    async with database.reader() as conn:
        board = await read_board(conn, OFFICE, TEN, outlook)
    assert [(one.minutes, one.is_paused) for one in board.waiting] == [(0, False)]
    served = await clerk.next("1")
    assert served is not None, "whom the board does not call paused is called"
    assert served["visit_id"] == both["visit_id"]


async def test_in_any_order_and_twice_it_comes_out_the_same(city: City, database: Database) -> None:
    outcomes = set()
    for order in permutations(range(4)):
        news = [
            city.record(suspended()),
            city.record(resumed()),
            city.record(suspended(RENEWAL, id_=PLANNED, starts_at=TEN - timedelta(hours=1))),
            city.record(resumed(TEN + timedelta(hours=1), PLANNED)),
        ]
        async with database.transaction() as conn:
            await conn.execute("TRUNCATE suspension")
        for number in order:
            await city.hear_records([news[number]])
        outcomes.add(await _state(database))
        await city.hear_records([*news, *news])
        outcomes.add(await _state(database))
    assert len(outcomes) == 1
    async with database.reader() as conn:
        now = await national_system.read(conn, OFFICE, TEN, NationalRules())
    assert now.stops == {}, "both have been said to be over"


async def _state(database: Database) -> str:
    async with database.reader() as conn:
        rows = await conn.fetch("SELECT s::text AS row FROM suspension s ORDER BY 1")
    return "\n".join(row["row"] for row in rows)

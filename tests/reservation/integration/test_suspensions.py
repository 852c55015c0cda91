"""While the national system cannot be used nothing is booked into it, and nobody is left in it."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta

import pytest

from services.reservation.domain.availability import Day, Question
from services.reservation.domain.closure import Answer, ClosureState
from services.reservation.domain.national_system import (
    NoSuchSuspension,
    Policy,
    SuspensionUnsound,
    SystemSuspended,
)
from services.reservation.domain.site import NoSuchSite
from services.reservation.handlers import availability, suspensions
from services.reservation.handlers import standing as tell_standing
from services.reservation.handlers.answers import Said
from services.reservation.handlers.board import Board
from services.reservation.handlers.suspensions import Order
from shared.clock import FixedClock
from shared.contracts.base import Procedure
from shared.contracts.place import Acceptance
from shared.contracts.site import SuspensionReason
from shared.db import Database
from shared.ids import CaseId, SiteId, SuspensionId, new_id
from shared.security.principal import SiteForbidden
from tests.reservation.life import (
    ROOM,
    SUPERVISOR,
    answer,
    book,
    kept,
    named,
    progress,
    reachable,
    seats,
    standing,
    wind_down,
    withdraw,
    work,
)
from tests.reservation.support import (
    FRIDAY,
    MORNING,
    OTHER_SITE,
    PEOPLE,
    RULES,
    SITE,
    THURSDAY,
    WARD,
    case,
    citizen,
    counts,
    events_of,
    invite,
    make_site,
    open_site,
    tokyo,
    types,
    units,
)

A, B = case("a"), case("b")
NINE, TEN = tokyo(THURSDAY, 9), tokyo(THURSDAY, 10)
MONDAY = date(2026, 4, 6)
BOTH = frozenset(Procedure)


@pytest.fixture
async def room(room_database: Callable[[str], Awaitable[Database]]) -> Database:
    """Two sites and two cases."""
    database = await room_database("reservation")
    await open_site(database)
    await open_site(database, make_site(OTHER_SITE, latitude=35.51))
    await invite(database, A, B)
    return database


async def suspend(
    database: Database,
    *,
    sites: tuple[SiteId, ...] | None = (SITE,),
    until: datetime | None = TEN,
    bookings: Policy = Policy.MOVE,
    procedures: frozenset[Procedure] = BOTH,
    clock: FixedClock | None = None,
) -> SuspensionId:
    """Suspend from eight on Thursday."""
    start = tokyo(THURSDAY, 8)
    order = Order(sites, procedures, start, until, SuspensionReason.OUTAGE, bookings)
    async with units(database, clock).begin(SUPERVISOR) as unit:
        return (await suspensions.suspend(unit, order, RULES))[0].suspension_id


async def resume(database: Database, one: SuspensionId, clock: FixedClock, *sites: SiteId) -> None:
    """It is over."""
    async with units(database, clock).begin(SUPERVISOR) as unit:
        await suspensions.resume(unit, one, sites or None, RULES)


async def days(
    database: Database,
    day: date,
    procedure: Procedure = Procedure.CARD_ISSUANCE,
    site: SiteId = SITE,
) -> list[Day]:
    """What is free at a site on one day."""
    board = Board(database, units(database), RULES, room="reservation")
    question = Question((procedure,), (WARD,), day, day, site_ids=frozenset({site}))
    return [one for found in await availability.find(board, question) for one in found.days]


async def free(database: Database) -> int:
    """Seats of Thursday."""
    return sum(day.free for day in await days(database, THURSDAY))


async def test_nothing_is_booked_into_it_and_the_rest_is_sold(room: Database) -> None:
    before = await free(room)
    one = await suspend(room)
    assert await free(room) == before - 6
    with pytest.raises(SystemSuspended):
        await book(room, A, at=tokyo(THURSDAY, 9, 50))
    await book(room, A, at=TEN)
    await resume(room, one, FixedClock(MORNING))
    await book(room, B, at=NINE)
    assert types(await events_of(room, SITE), "national_system.") == [
        "national_system.suspended.v1",
        "national_system.resumed.v1",
    ]


async def test_bookings_in_it_are_offered_other_seats_and_those_outside_stay(
    room: Database,
) -> None:
    (affected,) = await book(room, A, at=NINE)
    await book(room, B, at=TEN)
    await suspend(room)
    clock = FixedClock(MORNING)
    await work(room, clock)
    assert standing(await progress(room)) == {"phone_list": 1}
    assert await kept(room) == {(SITE, TEN)}
    await answer(room, affected, Said(Answer.ACCEPT), clock, citizen(A))
    assert await seats(room, [A, B]) == [(SITE, TEN), (SITE, TEN)]
    assert types(await events_of(room, A), "booking.")[-1] == "booking.moved.v1"
    assert all(booked == accounted for booked, accounted in await counts(room))


async def test_resumption_gives_back_the_seats_of_those_who_have_not_moved(
    room: Database,
) -> None:
    (mover,) = await book(room, A, at=NINE)
    await book(room, B, at=NINE)
    one = await suspend(room)
    clock = FixedClock(MORNING)
    await work(room, clock)
    await answer(room, mover, Said(Answer.ACCEPT), clock, citizen(A))
    await resume(room, one, clock)
    await work(room, clock)
    found = await progress(room)
    assert standing(found) == {"moved": 1, "kept": 1}
    assert found.closure.state is ClosureState.DONE
    assert await seats(room, [A, B]) == [(SITE, TEN), (SITE, NINE)]
    assert await kept(room) == set()
    assert all(booked == accounted for booked, accounted in await counts(room))
    async with room.reader() as conn:
        calls = await conn.fetch("SELECT about, outcome FROM phone_entry ORDER BY about")
    assert [tuple(call) for call in calls] == [
        ("alternative", "not_needed"),
        ("alternative", "not_needed"),
        ("moved", None),
    ]


async def test_who_was_told_of_an_alternative_is_told_that_the_old_seat_stands(
    room: Database,
) -> None:
    await book(room, A, at=NINE)
    await reachable(room, A)
    one = await suspend(room)
    clock = FixedClock(MORNING)
    await work(room, clock)
    assert standing(await progress(room)) == {"told": 1}
    await resume(room, one, clock)
    await work(room, clock)
    async with room.reader() as conn:
        told = await conn.fetch("SELECT kind FROM message ORDER BY created_at, kind")
    assert [row["kind"] for row in told] == ["alternative", "confirmed"]


async def test_bookings_that_are_kept_stay_where_they_are(room: Database) -> None:
    await book(room, A, at=NINE)
    await suspend(room, bookings=Policy.KEEP)
    assert await work(room, FixedClock(MORNING)) == 0
    assert await seats(room, [A]) == [(SITE, NINE)]


async def test_one_command_reaches_every_site_and_each_can_resume_alone(room: Database) -> None:
    one = await suspend(room, sites=None)
    with pytest.raises(SystemSuspended):
        await book(room, A, at=tokyo(THURSDAY, 9), site_id=SITE)
    clock = FixedClock(MORNING)
    await resume(room, one, clock, SITE)
    await book(room, A, at=NINE)
    async with units(room).begin(SUPERVISOR) as unit:
        found = await suspensions.read(unit, one)
    assert [(each.site_id, each.resumed_at is None) for each in found] == [
        (OTHER_SITE, True),
        (SITE, False),
    ]


async def test_only_the_procedures_that_are_named_stop(room: Database) -> None:
    await suspend(room, procedures=frozenset({Procedure.CERTIFICATE_RENEWAL}))
    await book(room, A, at=NINE)


async def test_an_open_end_reaches_as_far_as_people_look_ahead(room: Database) -> None:
    await book(room, A, at=tokyo(THURSDAY, 11))
    await book(room, B, at=tokyo(FRIDAY, 11))
    one = await suspend(room, until=None)
    clock = FixedClock(MORNING)
    await work(room, clock)
    assert standing(await progress(room)) == {"phone_list": 1}
    clock.advance(timedelta(days=1, hours=3))
    await work(room, clock)
    assert (await progress(room)).total == 2
    await resume(room, one, clock)
    await work(room, clock)
    assert (await progress(room)).closure.state is ClosureState.DONE


async def test_an_announced_end_comes_by_itself(room: Database) -> None:
    await book(room, A, at=NINE)
    await suspend(room)
    clock = FixedClock(MORNING)
    await work(room, clock)
    clock.advance(timedelta(hours=9))
    await work(room, clock)
    clock.advance(timedelta(hours=16))
    async with units(room, clock).begin(ROOM) as unit:
        assert await suspensions.ends(RULES)(unit) == 1
    await work(room, clock)
    found = await progress(room)
    assert (standing(found), found.closure.state) == ({"phone_list": 1}, ClosureState.DONE)
    assert (await named(room, A))[0].starts_at >= TEN


async def test_somebody_without_another_seat_in_time_is_still_looked_for(room: Database) -> None:
    """Nobody worked on it while both times passed: a later seat is kept, none is lost."""
    await book(room, A, at=NINE)
    await suspend(room)
    await work(room, FixedClock(MORNING))
    clock = FixedClock(tokyo(FRIDAY, 8))
    async with units(room, clock).begin(ROOM) as unit:
        assert await suspensions.ends(RULES)(unit) == 1
    await work(room, clock)
    assert {day > clock.now() for _, day in await kept(room)} == {True}
    clock.advance(timedelta(days=6))
    await work(room, clock)
    assert (await progress(room)).counts


async def test_what_makes_no_sense_is_refused(room: Database) -> None:
    with pytest.raises(SuspensionUnsound):
        await suspend(room, until=tokyo(THURSDAY, 7))
    with pytest.raises(NoSuchSite):
        await suspend(room, sites=(SiteId("nowhere"),))
    with pytest.raises(NoSuchSuspension):
        await resume(room, SuspensionId(new_id()), FixedClock(MORNING))
    order = Order((SITE,), BOTH, NINE, None, SuspensionReason.OUTAGE, Policy.KEEP)
    with pytest.raises(SiteForbidden):
        async with units(room).begin(PEOPLE["elsewhere"]) as unit:
            await suspensions.suspend(unit, order, RULES)


async def test_the_evening_stop_and_the_rest_day_are_part_of_the_calendar(
    room: Database,
) -> None:
    """Certificates rest on the Sunday after the third Saturday: 19 April 2026."""
    every_day = make_site(
        SiteId("sunday"),
        open_on_holidays=True,
        exceptions=[
            {"business_date": date(2026, 4, 19), "opens": "19:00", "closes": "21:00"},
        ],
        acceptance=(
            Acceptance(procedure=Procedure.CARD_ISSUANCE),
            Acceptance(procedure=Procedure.CERTIFICATE_RENEWAL),
        ),
    )
    await open_site(room, every_day)
    day, sunday = date(2026, 4, 19), SiteId("sunday")
    (found,) = await days(room, day, site=sunday)
    assert [start.starts_at for start in found.starts][-1] == tokyo(day, 19, 40)
    assert await days(room, day, Procedure.CERTIFICATE_RENEWAL, sunday) == []
    with pytest.raises(SystemSuspended):
        await book(room, A, at=tokyo(day, 20), site_id=SiteId("sunday"))


async def test_a_suspension_and_a_closure_of_one_site_displace_a_booking_once(
    room: Database,
) -> None:
    await book(room, A, at=tokyo(MONDAY, 9))
    await wind_down(room)
    await suspend(room, until=tokyo(MONDAY, 12))
    clock = FixedClock(MORNING)
    await work(room, clock)
    async with room.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM displaced") == 1


async def telling(database: Database, clock: FixedClock) -> int:
    """Let the due work that tells of kept bookings run dry; how many it told."""
    work_, told = tell_standing.telling(RULES), 0
    while True:
        async with units(database, clock).begin(ROOM) as unit:
            done = await work_(unit)
        told += done
        if not done:
            return told


async def messages(database: Database, case_id: CaseId) -> list[tuple[str, str]]:
    """What a citizen is told, in order, and what became of it."""
    async with database.reader() as conn:
        rows = await conn.fetch(
            "SELECT kind, state FROM message WHERE case_id = $1 ORDER BY created_at, kind DESC",
            case_id,
        )
    return [(row["kind"], row["state"]) for row in rows]


async def test_who_answers_after_the_time_was_not_sent_home(room: Database) -> None:
    await reachable(room, A)
    (booking,) = await book(room, A, at=NINE)
    await suspend(room)
    clock = FixedClock(MORNING)
    await work(room, clock)
    later = FixedClock(NINE + timedelta(minutes=30))
    await answer(room, booking, Said(Answer.CANCEL), later, citizen(A))
    assert types(await events_of(room, A), "booking.cancelled") == ["booking.cancelled.v1"]
    assert [kind for kind, _ in await messages(room, A) if kind == "cancelled"] == []


async def test_whose_booking_is_kept_is_told_so_and_told_again_when_it_is_over(
    room: Database,
) -> None:
    await reachable(room, A)
    await book(room, A, at=NINE)
    await book(room, B, at=NINE)
    one = await suspend(room, until=None, bookings=Policy.KEEP)
    clock = FixedClock(MORNING)
    assert await telling(room, clock) == 2
    assert await messages(room, A) == [("suspended", "waiting"), ("confirmed", "waiting")]
    assert await messages(room, B) == [("suspended", "not_possible")]
    async with room.reader() as conn:
        await conn.execute(
            "UPDATE message SET state = 'sent' WHERE kind = 'suspended' AND state = 'waiting'"
        )
    clock.advance(timedelta(hours=1))
    await resume(room, one, clock)
    assert await telling(room, clock) == 2
    assert (await messages(room, A))[-1] == ("confirmed", "waiting")
    assert len(await messages(room, A)) == 3
    assert await messages(room, B) == [("suspended", "superseded")]
    async with room.reader() as conn:
        open_ = await conn.fetchval("SELECT count(*) FROM phone_entry WHERE done_at IS NULL")
    assert open_ == 0


async def test_what_was_not_sent_before_the_end_is_not_sent_at_all(room: Database) -> None:
    await reachable(room, A)
    await book(room, A, at=NINE)
    one = await suspend(room, bookings=Policy.KEEP)
    clock = FixedClock(MORNING)
    await telling(room, clock)
    await resume(room, one, clock)
    assert await telling(room, clock) == 0
    assert ("suspended", "superseded") in await messages(room, A)


async def test_only_who_comes_in_it_is_told(room: Database) -> None:
    await book(room, A, at=tokyo(THURSDAY, 11))
    await suspend(room, bookings=Policy.KEEP)
    await suspend(room, bookings=Policy.KEEP, procedures=frozenset({Procedure.CERTIFICATE_RENEWAL}))
    assert await telling(room, FixedClock(MORNING)) == 0


async def test_the_closure_of_a_suspension_is_taken_back_at_its_site(room: Database) -> None:
    await book(room, A, at=NINE)
    one = await suspend(room, sites=(SITE, OTHER_SITE))
    clock = FixedClock(MORNING)
    await work(room, clock)
    found = await withdraw(room, clock)
    assert (standing(found), found.closure.state) == ({"kept": 1}, ClosureState.DONE)
    async with units(room, clock).begin(SUPERVISOR) as unit:
        ended = {each.site_id: each.resumed_at for each in await suspensions.read(unit, one)}
    assert ended == {SITE: MORNING, OTHER_SITE: None}

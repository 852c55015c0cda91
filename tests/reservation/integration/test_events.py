"""What the room hears: in any order, twice, and all over again."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from itertools import permutations

import pytest
from aiokafka.structs import ConsumerRecord

from services.reservation.domain.booking import AlreadyBooked, Booking, BookingState
from services.reservation.domain.case import (
    CaseEnded,
    CaseFacts,
    CaseHeld,
    NotInvitedYet,
    OutsideWindow,
    TooSoonAfterMiss,
)
from services.reservation.handlers import bookings
from services.reservation.handlers.bookings import Request
from services.reservation.store import cases
from services.reservation.store.bookings import read
from shared.clock import FixedClock
from shared.contracts.issuance import DeferReason, VisitDeferred
from shared.contracts.preparation import (
    CardArrived,
    CardDispatched,
    CardDisposalDue,
    CardHeld,
    CardReleased,
    CardVoided,
    DisposalReason,
    HoldReason,
    VoidReason,
)
from shared.contracts.reservation import CancelReason
from shared.db import Database
from shared.ids import BatchId, BookingId, CaseId, VisitId, derived_id
from tests.reservation.support import (
    OTHER_SITE,
    OTHER_WARD,
    RULES,
    SITE,
    THURSDAY,
    TODAY,
    case,
    citizen,
    counts,
    events_of,
    hear,
    invite,
    issued,
    make_site,
    missed,
    notified,
    open_site,
    tokyo,
    told,
    types,
    units,
)

MINE = case("mine")
NINE = tokyo(THURSDAY, 9)


def held(case_id: CaseId = MINE) -> CardHeld:
    """The card must wait."""
    return CardHeld(case_id=case_id, reason=HoldReason.OTHER)


def voided(case_id: CaseId = MINE) -> CardVoided:
    """The case has ended."""
    return CardVoided(case_id=case_id, reason=VoidReason.MOVED_OUT)


def sent(day: date) -> CardDispatched:
    """The card left for the other site."""
    return CardDispatched(
        case_id=MINE,
        batch_id=BatchId(derived_id("batch")),
        from_site_id=SITE,
        to_site_id=OTHER_SITE,
        due_on=day,
    )


async def book(
    database: Database, case_id: CaseId = MINE, *, clock: FixedClock | None = None
) -> Booking:
    """Book the case at nine on Thursday."""
    async with units(database, clock).begin(citizen(case_id)) as unit:
        (booking,) = await bookings.book(unit, Request((case_id,), SITE, NINE), RULES)
    return booking


async def stored(database: Database, booking_id: BookingId) -> Booking:
    """The booking as it stands."""
    async with database.reader() as conn:
        found = await read(conn, booking_id)
    assert found is not None
    return found


async def facts(database: Database, case_id: CaseId = MINE) -> CaseFacts:
    """What the room knows of the case."""
    async with database.transaction() as conn:
        (found,) = await cases.lock_free(conn, [case_id])
    return found


@pytest.fixture
async def room(room_database: Callable[[str], Awaitable[Database]]) -> Database:
    """A room with an open site."""
    database = await room_database("reservation")
    await open_site(database)
    return database


async def test_booking_opens_with_the_notice(room: Database) -> None:
    with pytest.raises(NotInvitedYet):
        await book(room)
    await invite(room, MINE)
    assert (await book(room)).state is BookingState.ACTIVE


async def test_a_hold_stops_new_bookings_and_a_release_lets_them_go_on(room: Database) -> None:
    await invite(room, MINE)
    await hear(room, told(held(), 2))
    with pytest.raises(CaseHeld):
        await book(room)
    await hear(room, told(CardReleased(case_id=MINE, ward=notified(MINE).ward), 3))
    await book(room)


async def test_a_hold_keeps_what_is_booked(room: Database) -> None:
    await invite(room, MINE)
    booking = await book(room)
    await hear(room, told(held(), 2))
    assert (await stored(room, booking.booking_id)).state is BookingState.ACTIVE


async def test_a_void_cancels_what_is_booked_and_its_seat_returns(room: Database) -> None:
    await invite(room, MINE, case("other"))
    booking = await book(room)
    await hear(room, told(voided(), 2))
    ended = await stored(room, booking.booking_id)
    assert (ended.state, ended.reason) == (BookingState.CANCELLED, CancelReason.CARD_VOIDED)
    assert await events_of(room, MINE) == ["booking.confirmed.v1", "booking.cancelled.v1"]
    with pytest.raises(CaseEnded):
        await book(room)
    await book(room, case("other"))
    assert all(booked == accounted for booked, accounted in await counts(room))


async def test_a_void_before_the_notice_still_ends_the_case(room: Database) -> None:
    await hear(room, told(voided(), 2))
    await invite(room, MINE)
    with pytest.raises(CaseEnded):
        await book(room)


async def test_disposal_cancels_what_is_booked(room: Database) -> None:
    await invite(room, MINE)
    booking = await book(room)
    await hear(room, told(CardDisposalDue(case_id=MINE, reason=DisposalReason.EXPIRED), 2))
    assert (await stored(room, booking.booking_id)).reason is CancelReason.DISPOSAL_DUE


async def test_a_card_under_way_can_be_booked_where_it_goes(room: Database) -> None:
    await open_site(room, make_site(OTHER_SITE))
    await invite(room, MINE)
    await hear(room, told(sent(date(2026, 4, 9)), 2))
    request = Request((MINE,), OTHER_SITE, NINE)
    async with units(room).begin(citizen(MINE)) as unit:
        with pytest.raises(OutsideWindow) as refused:
            await bookings.book(unit, request, RULES)
    assert refused.value.extras["bookable_from"] == "2026-04-09"
    await hear(
        room,
        told(
            CardArrived(case_id=MINE, batch_id=BatchId(derived_id("batch")), site_id=OTHER_SITE),
            3,
        ),
    )
    async with units(room).begin(citizen(MINE)) as unit:
        await bookings.book(unit, request, RULES)


async def test_the_hand_over_fulfils_the_booking(room: Database) -> None:
    await invite(room, MINE)
    booking = await book(room)
    await hear(room, told(issued(MINE, booking.booking_id)))
    assert (await stored(room, booking.booking_id)).state is BookingState.FULFILLED
    assert await events_of(room, MINE) == ["booking.confirmed.v1", "booking.fulfilled.v1"]
    with pytest.raises(CaseEnded):
        await book(room)


async def test_a_hand_over_without_the_booking_gives_its_seat_back(room: Database) -> None:
    await invite(room, MINE)
    booking = await book(room)
    await hear(room, told(issued(MINE)))
    ended = await stored(room, booking.booking_id)
    assert ended.reason is CancelReason.SERVED_OTHERWISE
    assert all(booked == accounted for booked, accounted in await counts(room))


async def test_who_did_not_come_books_again_from_the_next_day(room: Database) -> None:
    await invite(room, MINE)
    booking = await book(room)
    await hear(room, told(missed(MINE, booking.booking_id, TODAY)))
    assert await events_of(room, MINE) == ["booking.confirmed.v1", "booking.missed.v1"]
    with pytest.raises(TooSoonAfterMiss):
        await book(room)
    next_day = FixedClock(tokyo(THURSDAY, 0))
    again = await book_on_friday(room, next_day)
    assert again.state is BookingState.ACTIVE


async def book_on_friday(database: Database, clock: FixedClock) -> Booking:
    """Book the case at nine on Friday."""
    request = Request((MINE,), SITE, NINE + timedelta(days=1))
    async with units(database, clock).begin(citizen(MINE)) as unit:
        (booking,) = await bookings.book(unit, request, RULES)
    return booking


async def test_a_miss_told_after_the_hand_over_changes_nothing(room: Database) -> None:
    await invite(room, MINE)
    booking = await book(room)
    await hear(room, told(issued(MINE, booking.booking_id)))
    await hear(room, told(missed(MINE, booking.booking_id), 2))
    assert (await stored(room, booking.booking_id)).state is BookingState.FULFILLED


def deferred(
    booking: Booking, reason: DeferReason = DeferReason.DOCUMENTS_MISSING
) -> VisitDeferred:
    """The citizen came, and has to come again."""
    return VisitDeferred(
        case_id=booking.case_id,
        site_id=booking.site_id,
        visit_id=VisitId(derived_id("visit")),
        reason=reason,
        booking_id=booking.booking_id,
    )


@pytest.mark.parametrize(
    ("why", "reason"),
    [
        (DeferReason.DOCUMENTS_MISSING, CancelReason.SERVED_OTHERWISE),
        (DeferReason.NATIONAL_SYSTEM, CancelReason.SUSPENSION),
    ],
)
async def test_who_came_in_vain_books_again(
    room: Database, why: DeferReason, reason: CancelReason
) -> None:
    await invite(room, MINE)
    booking = await book(room)
    with pytest.raises(AlreadyBooked):
        await book_on_friday(room, FixedClock(NINE + timedelta(minutes=20)))
    record = told(deferred(booking, why), at=NINE)
    await hear(room, record, record)
    assert (await stored(room, booking.booking_id)).reason is reason
    again = await book_on_friday(room, FixedClock(NINE + timedelta(minutes=20)))
    assert again.state is BookingState.ACTIVE
    await hear(room, told(deferred(booking, why), 2, at=NINE + timedelta(minutes=30)))
    assert (await stored(room, again.booking_id)).state is BookingState.ACTIVE


@pytest.mark.parametrize(("days", "rebook"), [(-1, False), (0, False), (0, True), (1, False)])
async def test_who_gave_up_after_the_day_had_come_says_a_visit_of_that_day(
    room: Database, *, days: int, rebook: bool
) -> None:
    await invite(room, MINE)
    booking = await book(room)
    friday = FixedClock(NINE + timedelta(hours=23))
    async with units(room, friday).begin(citizen(MINE)) as unit:
        await bookings.cancel(unit, booking.booking_id, RULES, lambda _: None)
    assert (await stored(room, booking.booking_id)).state is BookingState.MISSED
    if rebook:
        async with units(room, friday).begin(citizen(MINE)) as unit:
            monday = Request((MINE,), SITE, NINE + timedelta(days=4))
            (again,) = await bookings.book(unit, monday, RULES)
    record = told(deferred(booking), at=NINE + timedelta(days=days))
    await hear(room, record, record)
    ended = await stored(room, booking.booking_id)
    said = types(await events_of(room, MINE), "booking.cancelled")
    if days == 0:
        assert (ended.state, ended.reason) == (
            BookingState.CANCELLED,
            CancelReason.SERVED_OTHERWISE,
        )
        assert len(said) == (0 if rebook else 1), "preparation keeps what it was told last"
    else:
        assert (ended.state, said) == (BookingState.MISSED, [])
    if rebook:
        assert (await stored(room, again.booking_id)).state is BookingState.ACTIVE
    assert all(booked == accounted for booked, accounted in await counts(room))


async def test_a_booking_moved_on_meanwhile_is_not_used_up(room: Database) -> None:
    await invite(room, MINE)
    booking = await book(room)
    await hear(room, told(deferred(booking), at=NINE - timedelta(days=1)))
    assert (await stored(room, booking.booking_id)).state is BookingState.ACTIVE


async def test_what_names_an_unknown_booking_is_no_failure(room: Database) -> None:
    unknown = BookingId(derived_id("nowhere"))
    await hear(room, told(missed(MINE, unknown)), told(issued(MINE, unknown), 2))
    assert await events_of(room, MINE) == []


async def test_the_second_notice_replaces_the_first(room: Database) -> None:
    first = told(notified(MINE, number="AAA-000001"), 1)
    second = told(notified(MINE, number="AAA-000002", notice_seq=2), 2)
    for order in ((first, second), (second, first)):
        await hear(room, *order)
    async with room.reader() as conn:
        keys = await conn.fetch("SELECT notice_seq, number_key FROM case_facts")
    assert [tuple(row) for row in keys] == [(2, notified(MINE, number="AAA-000002").number_key)]


HISTORY = (
    told(notified(MINE), 1),
    told(held(), 2),
    told(CardReleased(case_id=MINE, ward=OTHER_WARD), 3),
    told(sent(date(2026, 4, 9)), 4),
    told(CardArrived(case_id=MINE, batch_id=BatchId(derived_id("b")), site_id=OTHER_SITE), 5),
)


async def after(database: Database, records: tuple[ConsumerRecord, ...]) -> CaseFacts:
    """What is known of the case when the records came one by one in this order."""
    for record in records:
        await hear(database, record)
    return await facts(database)


async def test_the_order_in_which_facts_come_does_not_matter(
    room_database: Callable[[str], Awaitable[Database]],
) -> None:
    database = await room_database("reservation")
    expected = await after(database, HISTORY)
    assert (expected.held, expected.ward, expected.card_site_id) == (False, OTHER_WARD, OTHER_SITE)
    for order in list(permutations(HISTORY))[::7]:
        async with database.transaction() as conn:
            await conn.execute("TRUNCATE case_facts, inbox")
        assert await after(database, order) == expected


async def test_a_duplicate_and_a_replay_are_handled_once(room: Database) -> None:
    await invite(room, MINE)
    booking = await book(room)
    records = (*HISTORY, told(voided(), 6), told(issued(MINE, booking.booking_id), 1))
    await hear(room, *records, *records)
    once = await facts(room), await stored(room, booking.booking_id), await events_of(room)
    await hear(room, *records)
    for record in records:
        await hear(room, record)
    assert (
        await facts(room),
        await stored(room, booking.booking_id),
        await events_of(room),
    ) == once


async def test_a_lot_of_ten_thousand_notices_is_one_poll(room: Database) -> None:
    records = [told(notified(case(number))) for number in range(10_000)]
    await hear(room, *records)
    async with room.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM case_facts") == 10_000


async def test_what_happens_is_audited_without_personal_data(room: Database) -> None:
    await invite(room, MINE)
    await book(room)
    await hear(room, told(voided(), 2))
    async with room.reader() as conn:
        rows = await conn.fetch(
            "SELECT action, actor FROM audit_entry WHERE subject = $1 ORDER BY pos", str(MINE)
        )
    assert [tuple(row) for row in rows] == [
        ("booking.confirmed", "citizen:c"),
        ("booking.cancelled", "system:reservation"),
    ]

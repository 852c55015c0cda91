"""The end of a site's day: who was missed is told once, what is open is closed with a reason."""

from datetime import timedelta

import pytest

from shared.clock import FixedClock
from shared.contracts.reservation import (
    BookingConfirmed,
    BookingMissed,
    BookingMoved,
    MoveReason,
)
from shared.ids import PartyId, new_id
from tests.issuance.support import LICENCE, OFFICE, TEN, TODAY, City, Clerk, booked, ok, refused

PATH = f"/v1/sites/{OFFICE}/day:sign-off"
EVENING = TEN + timedelta(hours=7)


def missed(booking: BookingConfirmed) -> BookingMissed:
    """Reservation says so itself: the booking was given up after its day."""
    return BookingMissed(
        **booking.model_dump(include={"case_id", "booking_id", "site_id"}),
        business_date=TODAY,
        bookable_from=TODAY,
    )


async def test_no_shows_are_told_per_case_and_once(
    city: City, supervisor: Clerk, clock: FixedClock
) -> None:
    party = PartyId(new_id())
    cases = [await city.card(), await city.card()]
    expected = [await city.booking(case_id, party_id=party) for case_id in cases]
    clock.set(EVENING)
    report = ok(await supervisor.post(PATH))
    assert (report["date"], report["missed"], report["done"]) == (TODAY.isoformat(), 2, 0)
    said = await city.said()
    assert [event["type"] for event in said] == ["visit.missed.v1"] * 2
    assert {event["booking_id"] for event in said} == {str(b.booking_id) for b in expected}
    assert {event["business_date"] for event in said} == {TODAY.isoformat()}
    assert ok(await supervisor.post(PATH)) == report
    assert len(await city.said()) == 2


async def test_whoever_came_was_not_missed(
    city: City, clerk: Clerk, supervisor: Clerk, clock: FixedClock
) -> None:
    booking = await city.booking(await city.card())
    visit_id, (case_id,) = await clerk.up_to_issue(booking_id=booking.booking_id)
    ok(await clerk.step(visit_id, case_id, "issue"))
    walk_in = await city.card(number="A1B-234567")
    visit_id, _ = await clerk.up_to_issue(notice_number="A1B-234567")
    ok(await clerk.step(visit_id, walk_in, "issue"))
    await city.booking(walk_in)
    clock.set(EVENING)
    report = ok(await supervisor.post(PATH))
    assert (report["done"], report["missed"]) == (2, 0)


async def test_open_visits_are_closed_with_a_reason(
    city: City, clerk: Clerk, supervisor: Clerk, clock: FixedClock
) -> None:
    left, called, begun = [await city.booking(await city.card()) for _ in range(3)]
    visits = {}
    for booking in (left, called, begun):
        visit = ok(await clerk.check_in(booking_id=booking.booking_id))
        visits[booking.case_id] = visit["visit_id"]
    await clerk.call(visits[called.case_id])
    await clerk.call(visits[begun.case_id])
    ok(await clerk.step(visits[begun.case_id], begun.case_id, "identity", LICENCE))
    clock.set(EVENING)
    ok(await clerk.count_back(called.case_id, begun.case_id))
    report = ok(await supervisor.post(PATH))
    assert (report["abandoned"], report["deferred"], report["missed"]) == (2, 1, 0)
    assert (await city.types_said(left.case_id))[-1] == "visit.abandoned.v1"
    assert (await city.types_said(called.case_id))[-1] == "visit.abandoned.v1"
    assert (await city.types_said(begun.case_id))[-1] == "visit.deferred.v1"
    refused(await clerk.step(visits[begun.case_id], begun.case_id, "issue"), "case-closed")


async def test_a_half_served_party_completes_what_was_done(
    city: City, clerk: Clerk, supervisor: Clerk, clock: FixedClock
) -> None:
    party = PartyId(new_id())
    first, second = await city.card(), await city.card()
    booking = await city.booking(first, party_id=party)
    await city.booking(second, party_id=party)
    visit_id, _ = await clerk.up_to_issue(booking_id=booking.booking_id)
    ok(await clerk.step(visit_id, first, "issue"))
    clock.set(EVENING)
    ok(await clerk.count_back(second))
    ok(await supervisor.post(PATH))
    assert (await city.types_said(first))[-1] == "visit.completed.v1"
    assert (await city.types_said(second))[-1] == "visit.deferred.v1"


async def test_a_visit_of_another_day_does_not_excuse_a_moved_booking(
    city: City, clerk: Clerk, supervisor: Clerk, clock: FixedClock
) -> None:
    booking = await city.booking(await city.card())
    visit_id = ok(await clerk.check_in(booking_id=booking.booking_id))["visit_id"]
    ok(await clerk.step(visit_id, booking.case_id, "defer", {"reason": "documents_missing"}))
    moved = {**booking.model_dump(), "starts_at": booking.starts_at + timedelta(days=2)}
    await city.hear(
        BookingMoved(
            **moved,
            previous_site_id=OFFICE,
            previous_starts_at=booking.starts_at,
            reason=MoveReason.STAFF,
        )
    )
    clock.set(EVENING + timedelta(days=2))
    assert ok(await supervisor.post(PATH))["missed"] == 1


async def test_not_while_somebody_may_still_come(
    city: City, supervisor: Clerk, clock: FixedClock
) -> None:
    booking = await city.booking(await city.card())
    clock.set(booking.starts_at + timedelta(minutes=10))
    body = refused(await supervisor.post(PATH), "day-not-over")
    assert body["possible_from"] == "2026-07-14T01:40:00+00:00"
    assert await city.said() == []
    clock.advance(timedelta(seconds=1))
    assert ok(await supervisor.post(PATH))["missed"] == 1


async def test_not_for_a_day_to_come(supervisor: Clerk) -> None:
    refused(await supervisor.post(PATH, {"date": "2026-07-15"}), "day-not-over")


async def test_a_forgotten_day_can_be_signed_off_later(
    city: City, supervisor: Clerk, clock: FixedClock
) -> None:
    await city.booking(await city.card())
    clock.advance(timedelta(days=2))
    report = ok(await supervisor.post(PATH, {"date": TODAY.isoformat()}))
    assert (report["date"], report["missed"]) == (TODAY.isoformat(), 1)


async def test_nobody_checks_in_after_it(city: City, clerk: Clerk, supervisor: Clerk) -> None:
    ok(await supervisor.post(PATH))
    await city.card(number="A1B-234567")
    refused(await clerk.check_in(notice_number="A1B-234567"), "day-signed-off")


async def test_a_booking_heard_of_after_the_sign_off_is_missed_at_once(
    city: City, supervisor: Clerk, clock: FixedClock
) -> None:
    clock.set(EVENING)
    ok(await supervisor.post(PATH))
    case_id = await city.card()
    booking = await city.booking(case_id)
    (missed,) = await city.said()
    assert (missed["type"], missed["case_id"]) == ("visit.missed.v1", str(case_id))
    assert missed["booking_id"] == str(booking.booking_id)
    assert missed["time"] == clock.now(), "it bears the time of the message, not of its handling"
    assert ok(await supervisor.post(PATH))["missed"] == 1


async def test_who_gave_up_after_the_day_is_a_no_show_and_is_not_told_again(
    city: City, clerk: Clerk, supervisor: Clerk, clock: FixedClock
) -> None:
    booking, other = [await city.booking(await city.card()) for _ in range(2)]
    visit_id, (case_id,) = await clerk.up_to_issue(booking_id=other.booking_id)
    ok(await clerk.step(visit_id, case_id, "issue"))
    clock.advance(timedelta(days=1))
    # The second was heard late: it has come, and the visit says so.
    await city.hear(missed(booking), missed(other))
    day = ok(await supervisor.get(f"/v1/sites/{OFFICE}/day?date={TODAY}"))
    assert {one["case_id"]: one["state"] for one in day["expected"]} == {
        str(booking.case_id): "missed",
        str(other.case_id): "seen",
    }
    report = ok(await supervisor.post(PATH, {"date": TODAY.isoformat()}))
    assert report["missed"] == 1
    assert "visit.missed.v1" not in await city.types_said()
    told = await city.measured()
    assert (sum(one["expected"] for one in told), sum(one["missed"] for one in told)) == (2, 1)


async def test_who_gave_up_and_is_heard_of_after_the_sign_off_counts_too(
    city: City, supervisor: Clerk, clock: FixedClock
) -> None:
    booking = booked(await city.card())
    confirmed = city.record(booking)
    clock.advance(timedelta(days=1))
    ok(await supervisor.post(PATH, {"date": TODAY.isoformat()}))
    await city.hear(missed(booking))
    await city.hear_records([confirmed])
    assert await city.types_said() == []
    assert ok(await supervisor.post(PATH, {"date": TODAY.isoformat()}))["missed"] == 1


async def test_only_a_supervisor(clerk: Clerk) -> None:
    assert (await clerk.post(PATH)).status_code == 403


@pytest.mark.parametrize("days_later", [0, 1])
async def test_the_same_booking_is_never_missed_twice(
    city: City, supervisor: Clerk, clock: FixedClock, days_later: int
) -> None:
    booking = await city.booking(await city.card())
    clock.set(EVENING)
    ok(await supervisor.post(PATH))
    clock.advance(timedelta(days=days_later))
    await city.hear(booking)
    assert (await city.types_said()).count("visit.missed.v1") == 1

"""What a clerk cannot do, and what is said to her instead."""

from datetime import timedelta
from typing import Any

import pytest

from shared.clock import FixedClock
from shared.contracts.base import Event
from shared.contracts.preparation import (
    CardArrived,
    CardDispatched,
    CardDisposalDue,
    CardDisposed,
    CardHeld,
    CardReleased,
    CardTransferFailed,
    CardVoided,
    DisposalReason,
    HoldReason,
    TransferFailure,
    VoidReason,
)
from shared.contracts.reservation import BookingCancelled, BookingMoved, CancelReason, MoveReason
from shared.ids import BatchId, CaseId, DisposalId, new_id
from tests.issuance.support import (
    CENTER,
    OFFICE,
    OTHER_WARD,
    TEN,
    City,
    Clerk,
    new_case,
    ok,
    refused,
)

BATCH = BatchId(new_id())


def _held(case_id: CaseId) -> Event:
    return CardHeld(case_id=case_id, reason=HoldReason.SUPPORT_MEASURES)


def _voided(case_id: CaseId) -> Event:
    return CardVoided(case_id=case_id, reason=VoidReason.DIED)


def _due(case_id: CaseId) -> Event:
    return CardDisposalDue(case_id=case_id, reason=DisposalReason.UNCLAIMED)


def _disposed(case_id: CaseId) -> Event:
    return CardDisposed(case_id=case_id, disposal_id=DisposalId(new_id()))


def _dispatched(case_id: CaseId) -> Event:
    return CardDispatched(
        case_id=case_id,
        batch_id=BATCH,
        from_site_id=OFFICE,
        to_site_id=CENTER,
        due_on=TEN.date(),
    )


def _missing(case_id: CaseId) -> Event:
    return CardTransferFailed(
        case_id=case_id, batch_id=BATCH, to_site_id=CENTER, reason=TransferFailure.MISSING
    )


NEWS = [
    (_held, "card-held"),
    (_voided, "card-void"),
    (_due, "card-disposed"),
    (_disposed, "card-disposed"),
    (_dispatched, "card-in-transit"),
    (_missing, "card-not-here"),
]


@pytest.mark.parametrize(("news", "slug"), NEWS)
async def test_at_check_in(city: City, clerk: Clerk, news: Any, slug: str) -> None:
    case_id = await city.card()
    booking = await city.booking(case_id)
    await city.hear(news(case_id))
    body = refused(await clerk.check_in(booking_id=booking.booking_id), slug)
    assert body["remedy"]
    assert "support" not in str(body), "the reason is nobody's business at the counter"
    assert "died" not in str(body)
    assert await city.said() == []


@pytest.mark.parametrize(("news", "slug"), NEWS)
async def test_at_the_last_step(city: City, clerk: Clerk, news: Any, slug: str) -> None:
    case_id = await city.card()
    booking = await city.booking(case_id)
    visit_id, _ = await clerk.up_to_issue(booking_id=booking.booking_id)
    await city.hear(news(case_id))
    refused(await clerk.step(visit_id, case_id, "issue"), slug)
    assert "card.issued.v1" not in await city.types_said()


async def test_released_again_in_another_ward(city: City, clerk: Clerk) -> None:
    case_id = await city.card()
    booking = await city.booking(case_id)
    await city.hear(_held(case_id), CardReleased(case_id=case_id, ward=OTHER_WARD))
    visit_id, _ = await clerk.up_to_issue(booking_id=booking.booking_id)
    ok(await clerk.step(visit_id, case_id, "issue"))
    assert (await city.said(case_id))[-2]["ward"] == OTHER_WARD


async def test_arrived_is_here_though_not_on_its_shelf_yet(city: City, clerk: Clerk) -> None:
    case_id = await city.card(CENTER)
    booking = await city.booking(case_id)
    await city.hear(
        CardDispatched(
            case_id=case_id,
            batch_id=BATCH,
            from_site_id=CENTER,
            to_site_id=OFFICE,
            due_on=TEN.date(),
        ),
        CardArrived(case_id=case_id, batch_id=BATCH, site_id=OFFICE),
    )
    ok(await clerk.check_in(booking_id=booking.booking_id))


async def test_a_card_at_another_site(city: City, clerk: Clerk) -> None:
    booking = await city.booking(await city.card(CENTER))
    body = refused(await clerk.check_in(booking_id=booking.booking_id), "card-not-here")
    assert body["card_site_id"] == CENTER


async def test_a_card_that_has_expired(city: City, clerk: Clerk, clock: FixedClock) -> None:
    await city.card(number="A1B-234567")
    clock.advance(timedelta(days=366 * 10))
    refused(await clerk.check_in(notice_number="A1B-234567"), "card-expired")


async def test_a_booking_before_any_news_of_its_card(city: City, clerk: Clerk) -> None:
    booking = await city.booking(new_case())
    refused(await clerk.check_in(booking_id=booking.booking_id), "case-not-known")


async def test_a_booking_nobody_has_heard_of(clerk: Clerk) -> None:
    refused(await clerk.check_in(booking_id=new_id()), "booking-not-known", 404)


async def test_a_number_nobody_has_heard_of(clerk: Clerk) -> None:
    body = refused(await clerk.check_in(notice_number="ZZZ-999999"), "notice-not-known", 404)
    assert "999999" not in str(body)


async def test_another_day(city: City, clerk: Clerk, clock: FixedClock) -> None:
    booking = await city.booking(await city.card())
    clock.advance(timedelta(days=1))
    body = refused(await clerk.check_in(booking_id=booking.booking_id), "booking-elsewhere")
    assert body["booked_site_id"] == OFFICE


async def test_moved_to_another_site(city: City, clerk: Clerk) -> None:
    case_id = await city.card()
    booking = await city.booking(case_id)
    await city.hear(
        BookingMoved(
            **{**booking.model_dump(), "site_id": CENTER},
            previous_site_id=OFFICE,
            previous_starts_at=booking.starts_at,
            reason=MoveReason.CITIZEN,
        )
    )
    refused(await clerk.check_in(booking_id=booking.booking_id), "booking-elsewhere")


async def test_cancelled(city: City, clerk: Clerk) -> None:
    case_id = await city.card()
    booking = await city.booking(case_id)
    await city.hear(
        BookingCancelled(
            **booking.model_dump(exclude={"minutes", "card_site_id"}), reason=CancelReason.CITIZEN
        )
    )
    body = refused(await clerk.check_in(booking_id=booking.booking_id), "booking-not-active")
    assert body["state"] == "cancelled"


async def test_a_card_issued_before(city: City, clerk: Clerk) -> None:
    case_id = await city.card()
    booking = await city.booking(case_id)
    visit_id, _ = await clerk.up_to_issue(booking_id=booking.booking_id)
    ok(await clerk.step(visit_id, case_id, "issue"))
    refused(await clerk.step(visit_id, case_id, "issue"), "case-already-done")
    refused(await clerk.check_in(booking_id=booking.booking_id), "case-already-done")
    assert (await city.types_said()).count("card.issued.v1") == 1


async def test_checked_in_twice(city: City, clerk: Clerk) -> None:
    booking = await city.booking(await city.card())
    visit_id = ok(await clerk.check_in(booking_id=booking.booking_id))["visit_id"]
    body = refused(await clerk.check_in(booking_id=booking.booking_id), "already-checked-in")
    assert body["visit_id"] == visit_id


async def test_in_japanese(city: City, clerk: Clerk) -> None:
    booking = await city.booking(await city.card(CENTER))
    clerk.headers["Accept-Language"] = "ja"
    body = refused(await clerk.check_in(booking_id=booking.booking_id), "card-not-here")
    assert "窓口" in body["title"]
    assert "窓口" in body["remedy"]


async def test_an_unknown_visit_or_case(city: City, clerk: Clerk) -> None:
    refused(await clerk.get(f"/v1/visits/{new_id()}"), "visit-not-known", 404)
    booking = await city.booking(await city.card())
    visit_id = ok(await clerk.check_in(booking_id=booking.booking_id))["visit_id"]
    refused(await clerk.step(visit_id, new_case(), "issue"), "case-not-in-visit", 404)


async def test_two_names_for_one_party(clerk: Clerk) -> None:
    both = await clerk.check_in(booking_id=new_id(), notice_number="A1B-234567")
    assert both.status_code == 422
    assert (await clerk.post("/v1/visits", {"site_id": OFFICE})).status_code == 422

"""What other rooms tell: kept whatever order it comes in, once, however often it comes."""

import random
from collections.abc import Sequence

from aiokafka.structs import ConsumerRecord
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.issuance.store import case_files
from shared.contracts.base import Event
from shared.contracts.preparation import (
    CardArrived,
    CardDispatched,
    CardDisposalDue,
    CardHeld,
    CardReceived,
    CardReleased,
    CardShelved,
    CardTransferFailed,
    CardVoided,
    DisposalReason,
    HoldReason,
    TransferFailure,
    VoidReason,
)
from shared.contracts.reservation import (
    BookingCancelled,
    BookingConfirmed,
    BookingFulfilled,
    BookingMissed,
    BookingMoved,
    CancelReason,
    MoveReason,
)
from shared.ids import BatchId, CaseId, LotId, VisitId, new_id
from shared.security.blind_index import BlindIndex
from tests.issuance.support import (
    CENTER,
    EXPIRES,
    OFFICE,
    OTHER_WARD,
    RING,
    TODAY,
    City,
    Clerk,
    booked,
    new_case,
    notified,
    ok,
    opened,
    refused,
)

BATCH = BatchId(new_id())


def _of_card(case_id: CaseId, name: str) -> Event:
    events: dict[str, Event] = {
        "received": CardReceived(case_id=case_id, lot_id=LotId("L1"), card_expires_on=TODAY),
        "shelved": CardShelved(case_id=case_id, site_id=OFFICE, shelf_position="A-01"),
        "notified": notified(case_id),
        "held": CardHeld(case_id=case_id, reason=HoldReason.OTHER),
        "released": CardReleased(case_id=case_id, ward=OTHER_WARD),
        "dispatched": CardDispatched(
            case_id=case_id,
            batch_id=BATCH,
            from_site_id=OFFICE,
            to_site_id=CENTER,
            due_on=TODAY,
        ),
        "arrived": CardArrived(case_id=case_id, batch_id=BATCH, site_id=CENTER),
        "late": CardTransferFailed(case_id=case_id, to_site_id=CENTER, reason=TransferFailure.LATE),
        "missing": CardTransferFailed(
            case_id=case_id, to_site_id=CENTER, reason=TransferFailure.MISSING
        ),
        "voided": CardVoided(case_id=case_id, reason=VoidReason.OTHER),
        "due": CardDisposalDue(case_id=case_id, reason=DisposalReason.VOIDED),
    }
    return events[name]


CARD_NEWS = (
    "received",
    "shelved",
    "notified",
    "held",
    "released",
    "dispatched",
    "arrived",
    "late",
    "missing",
    "voided",
    "due",
)


def _of_booking(first: BookingConfirmed, name: str) -> Event:
    about = {"case_id": first.case_id, "booking_id": first.booking_id}
    moved = {**first.model_dump(), "site_id": CENTER}
    events: dict[str, Event] = {
        "confirmed": first,
        "moved": BookingMoved(
            **moved,
            previous_site_id=OFFICE,
            previous_starts_at=first.starts_at,
            reason=MoveReason.STAFF,
        ),
        "cancelled": BookingCancelled(
            **first.model_dump(exclude={"minutes", "card_site_id"}), reason=CancelReason.STAFF
        ),
        "missed": BookingMissed(**about, site_id=OFFICE, business_date=TODAY, bookable_from=TODAY),
        "fulfilled": BookingFulfilled(**about, site_id=OFFICE, visit_id=VisitId(new_id())),
    }
    return events[name]


BOOKING_NEWS = ("confirmed", "moved", "cancelled", "missed", "fulfilled")


async def state_of(city: City, case_id: CaseId) -> list[dict[str, object] | None]:
    """What the room keeps of a case, without its ids."""
    async with city.database.reader() as conn:
        file = await conn.fetchrow("SELECT * FROM case_file WHERE case_id = $1", case_id)
        booking = await conn.fetchrow("SELECT * FROM booking WHERE case_id = $1", case_id)
    drop = {"case_id", "booking_id", "party_id"}
    return [
        {name: value for name, value in row.items() if name not in drop} if row else None
        for row in (file, booking)
    ]


async def told(city: City, batches: Sequence[Sequence[ConsumerRecord]]) -> None:
    """Hear batch after batch."""
    for batch in batches:
        await city.hear_records(batch)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    cards=st.lists(st.sampled_from(CARD_NEWS), max_size=8),
    seats=st.lists(st.sampled_from(BOOKING_NEWS[1:]), max_size=4),
    seed=st.integers(0, 10_000),
)
async def test_any_order_and_any_repetition_leave_the_same_state(
    city: City, cards: list[str], seats: list[str], seed: int
) -> None:
    states = []
    for is_shuffled in (False, True):
        case_id = new_case()
        first = booked(case_id)
        records = [
            *(city.record(event) for event in (opened(case_id), *_events(case_id, cards))),
            *(city.record(_of_booking(first, name)) for name in ("confirmed", *seats)),
        ]
        if is_shuffled:
            choose = random.Random(seed)
            records = choose.sample([*records, *records], k=2 * len(records))
            cut = choose.randint(0, len(records))
            await told(city, [records[:cut], records[cut:], records])
        else:
            await told(city, [[record] for record in records])
        states.append(await state_of(city, case_id))
    assert states[0] == states[1]


def _events(case_id: CaseId, names: Sequence[str]) -> list[Event]:
    return [_of_card(case_id, name) for name in names]


async def test_the_booking_comes_before_the_card(city: City, clerk: Clerk) -> None:
    case_id = new_case()
    booking = await city.booking(case_id)
    await city.hear(
        opened(case_id),
        CardReceived(case_id=case_id, lot_id=LotId("L1"), card_expires_on=EXPIRES),
        CardShelved(case_id=case_id, site_id=OFFICE, shelf_position="A-01"),
        notified(case_id),
    )
    ok(await clerk.check_in(booking_id=booking.booking_id))


async def test_voided_comes_before_the_booking(city: City, clerk: Clerk) -> None:
    case_id = await city.card()
    await city.hear(_of_card(case_id, "voided"))
    booking = await city.booking(case_id)
    refused(await clerk.check_in(booking_id=booking.booking_id), "card-void")


async def test_voided_is_all_that_ever_comes(city: City, clerk: Clerk) -> None:
    case_id = new_case()
    await city.hear(_of_card(case_id, "voided"))
    booking = await city.booking(case_id)
    refused(await clerk.check_in(booking_id=booking.booking_id), "case-not-known")


async def test_news_of_a_card_in_the_citizens_hand_changes_nothing(
    city: City, clerk: Clerk
) -> None:
    case_id = await city.card()
    booking = await city.booking(case_id)
    visit_id, _ = await clerk.up_to_issue(booking_id=booking.booking_id)
    ok(await clerk.step(visit_id, case_id, "issue"))
    said = await city.said()
    await city.hear(
        _of_card(case_id, "held"), _of_card(case_id, "voided"), _of_booking(booking, "fulfilled")
    )
    assert await city.said() == said
    day = ok(await clerk.get(f"/v1/sites/{OFFICE}/day"))
    assert [case["state"] for case in day["expected"]] == ["seen"]


async def test_a_second_notice_leaves_the_first_number_good(city: City, clerk: Clerk) -> None:
    case_id = await city.card(number="A1B-234567")
    again = notified(case_id, number="C3D-456789").model_copy(update={"notice_seq": 2})
    await city.hear(again)
    ok(await clerk.check_in(notice_number="A1B-234567"))


async def test_a_number_made_with_the_key_before_is_found(city: City, clerk: Clerk) -> None:
    case_id = await city.card()
    old = BlindIndex({"n0": RING["n0"]}).number_key("A1B-234567")
    await city.hear(
        notified(case_id).model_copy(update={"number_key": old.value, "key_id": old.key_id})
    )
    ok(await clerk.check_in(notice_number="A1B-234567"))


async def test_a_moved_booking_is_expected_at_its_new_place_only(city: City, clerk: Clerk) -> None:
    case_id = await city.card()
    booking = await city.booking(case_id)
    await city.hear(_of_booking(booking, "moved"))
    assert ok(await clerk.get(f"/v1/sites/{OFFICE}/day"))["expected"] == []
    elsewhere = Clerk(clerk.client, "elsewhere")
    (expected,) = ok(await elsewhere.get(f"/v1/sites/{CENTER}/day"))["expected"]
    assert expected["obstacle"] == "card-not-here"


async def test_until_when_a_card_is_kept_is_what_the_newest_notice_says(city: City) -> None:
    """Told twice, again, and in the other order."""
    case_id = new_case()
    first = notified(case_id)
    second = first.model_copy(
        update={"notice_seq": 2, "pickup_deadline": TODAY, "number_key": "S" * 43}
    )
    received = CardReceived(
        case_id=case_id, lot_id=LotId("L1"), card_expires_on=EXPIRES, old_card_expires_on=TODAY
    )
    records = [city.record(event) for event in (received, first, second)]
    for order in (records[::-1], records, records[:2]):
        await city.hear_records(order)
        async with city.database.reader() as conn:
            file = (await case_files.read(conn, [case_id]))[case_id]
        assert (file.pickup_deadline, file.old_card_expires_on) == (TODAY, TODAY)
        assert file.card_expires_on == EXPIRES

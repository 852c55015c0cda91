"""What other rooms say: twice, again from the start, late, and in any order."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.contracts.base import CaseEvent, CaseKind, Procedure
from shared.contracts.issuance import CardIssued
from shared.contracts.reservation import (
    BookingCancelled,
    BookingConfirmed,
    BookingMissed,
    BookingMoved,
    CancelReason,
    MoveReason,
)
from shared.db import Database
from shared.ids import BookingId, CaseId, PartyId, SiteId, VisitId, WardCode, derived_id, new_id
from tests.preparation.support import SITE, WARD, bearer, hear, import_rows, once, to_shelf
from tests.support.state import state_hash

NOON = datetime(2026, 5, 1, 3, 0, tzinfo=UTC)
LATER = NOON + timedelta(days=3)
OTHER = "saiwai-ward-office"


def story(case: str, procedure: Procedure = Procedure.CARD_ISSUANCE) -> list[CaseEvent]:
    """Booked, moved, missed, booked again, cancelled, booked once more."""
    case_id = CaseId(UUID(case))

    def seat(number: int, at: datetime, site: str = SITE) -> dict[str, Any]:
        return {
            "case_id": case_id,
            "booking_id": BookingId(derived_id(case, number)),
            "party_id": PartyId(derived_id(case, "party", number)),
            "site_id": SiteId(site),
            "starts_at": at,
            "minutes": 20,
            "procedure": procedure,
            "card_site_id": SiteId(SITE),
        }

    moved = {
        "previous_site_id": SiteId(SITE),
        "previous_starts_at": NOON,
        "reason": MoveReason.CITIZEN,
    }
    day = LATER.date()
    return [
        BookingConfirmed(**seat(1, NOON)),
        BookingMoved(**seat(1, LATER, OTHER), **moved),
        BookingMissed(
            case_id=case_id,
            booking_id=BookingId(derived_id(case, 1)),
            site_id=SiteId(OTHER),
            business_date=day,
            bookable_from=day + timedelta(days=1),
        ),
        BookingConfirmed(**seat(2, NOON + timedelta(days=9))),
        BookingCancelled(
            **{k: v for k, v in seat(2, NOON + timedelta(days=9)).items() if "card" not in k},
            reason=CancelReason.CITIZEN,
        ),
        BookingConfirmed(**seat(3, NOON + timedelta(days=12))),
    ]


def issued(case: str) -> CardIssued:
    """The card is handed over."""
    return CardIssued(
        case_id=CaseId(UUID(case)),
        visit_id=VisitId(derived_id(case, "visit")),
        site_id=SiteId(SITE),
        booking_id=BookingId(derived_id(case, 3)),
        procedure=Procedure.CARD_ISSUANCE,
        kind=CaseKind.NEW,
        ward=WardCode(WARD),
    )


async def notified(client: httpx.AsyncClient) -> str:
    """A card whose notice was sent."""
    (case_id,) = await import_rows(client, 1)
    await to_shelf(client)
    await client.post("/v1/notices", json={"case_ids": [case_id]}, headers=once())
    return case_id


async def booking_of(database: Database, case_id: str) -> tuple[object, ...] | None:
    """What is remembered of a case's booking."""
    async with database.reader() as conn:
        row = await conn.fetchrow(
            "SELECT state, site_id, starts_at FROM booking WHERE case_id = $1", UUID(case_id)
        )
    return tuple(row) if row else None


async def test_an_issued_card_is_off_the_shelf(
    client: httpx.AsyncClient, database: Database
) -> None:
    case_id = await notified(client)
    await hear(database, *story(case_id), issued(case_id))
    card = (await client.get(f"/v1/cards/{case_id}", headers=bearer())).json()
    assert (card["stage"], card["site_id"], card["shelf_position"]) == ("issued", None, None)
    answer = await client.post("/v1/notices", json={"case_ids": [case_id]}, headers=once())
    assert answer.json()["results"][0]["outcome"] == "already"


async def test_what_was_kept_for_a_notice_goes_with_a_card_handed_over_without_one(
    client: httpx.AsyncClient, database: Database
) -> None:
    case_id, other = await import_rows(client, 2, name="川崎 太郎", address="川崎市川崎区宮本町1")
    await hear(database, issued(case_id))
    async with database.reader() as conn:
        for table in ("sealed_birth_date", "sealed_addressee"):
            left = await conn.fetch(f"SELECT case_id FROM {table}")
            assert [str(row["case_id"]) for row in left] == [other], table


async def test_twice_and_again_from_the_start_end_in_the_same_state(
    client: httpx.AsyncClient, database: Database
) -> None:
    case_id = await notified(client)
    events = [*story(case_id), issued(case_id)]
    await hear(database, *events)
    async with database.reader() as conn:
        once_heard = await state_hash(conn)
    await hear(database, *events, order=[*range(len(events)), *range(len(events))])
    for number in range(len(events)):
        await hear(database, *events, order=[number])
    async with database.transaction() as conn:
        assert await state_hash(conn) == once_heard
        await conn.execute("TRUNCATE inbox")
    await hear(database, *events)
    async with database.reader() as conn:
        assert await state_hash(conn) == once_heard


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(order=st.permutations(range(7)), repeated=st.lists(st.integers(0, 6), max_size=4), batch=...)
async def test_any_order_ends_in_the_same_facts(
    database: Database, order: list[int], repeated: list[int], batch: bool
) -> None:
    case_id = str(new_id())
    events = [*story(case_id), issued(case_id)]
    chosen = [*order, *repeated]
    if batch:
        await hear(database, *events, order=chosen)
    else:
        for number in chosen:
            await hear(database, *events, order=[number])
    assert await booking_of(database, case_id) == ("booked", SITE, NOON + timedelta(days=12))
    async with database.reader() as conn:
        stages = await conn.fetch("SELECT stage FROM card_stage WHERE case_id = $1", UUID(case_id))
    assert [row["stage"] for row in stages] == ["issued"]


async def test_a_late_cancellation_of_an_older_booking_changes_nothing(
    database: Database,
) -> None:
    case_id = str(new_id())
    await hear(database, *story(case_id), order=[5])
    await hear(database, *story(case_id), order=[4, 3])
    assert await booking_of(database, case_id) == ("booked", SITE, NOON + timedelta(days=12))


async def test_bookings_of_other_procedures_are_not_kept(database: Database) -> None:
    case_id = str(new_id())
    events = [e for e in story(case_id, Procedure.CERTIFICATE_RENEWAL) if "missed" not in e.type]
    await hear(database, *events)
    assert await booking_of(database, case_id) is None


async def test_many_cases_in_one_batch(client: httpx.AsyncClient, database: Database) -> None:
    case_ids = await import_rows(client, 30)
    events = [event for case_id in case_ids for event in (*story(case_id), issued(case_id))]
    await hear(database, *events)
    page = await client.get("/v1/cards", params={"stage": "issued"}, headers=bearer())
    assert len(page.json()["items"]) == 30

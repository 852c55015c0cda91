"""A citizen asks where the card is, and learns of no other."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from shared.clock import FixedClock
from shared.contracts.base import Procedure
from shared.contracts.reservation import BookingConfirmed
from shared.db import Database
from shared.ids import BookingId, CaseId, PartyId, SiteId, derived_id
from tests.preparation.support import SITE, bearer, hear, import_rows, once, to_shelf

NOON = datetime(2026, 5, 1, 3, 0, tzinfo=UTC)


async def status(
    client: httpx.AsyncClient, *case_ids: str, language: str = "ja"
) -> list[dict[str, Any]]:
    """What a citizen with these cases is told."""
    headers = bearer(f"citizen:{','.join(case_ids)}", **{"Accept-Language": language})
    answer = await client.get("/v1/status", headers=headers)
    assert answer.headers["content-language"] == language
    cases: list[dict[str, Any]] = answer.json()["cases"]
    return cases


async def test_the_way_of_a_card_in_the_citizens_words(
    client: httpx.AsyncClient, database: Database, clock: FixedClock
) -> None:
    case_id, _ = await import_rows(client, 2)
    (told,) = await status(client, case_id)
    assert (told["progress"], told["title"]) == ("preparing", "カードの交付準備中です")

    await to_shelf(client)
    await client.post("/v1/notices", json={"lot_id": "L2026-0412"}, headers=once())
    (told,) = await status(client, case_id, language="en")
    assert (told["progress"], told["pickup_deadline"]) == ("bookable", "2026-07-14")
    assert told["title"] == "Your card is ready"

    await hear(database, booking(case_id))
    (told,) = await status(client, case_id)
    assert told["booking"] == {"site_id": SITE, "starts_at": "2026-05-01T03:00:00Z"}

    clock.advance(timedelta(days=200))
    (told,) = await status(client, case_id)
    assert told["progress"] == "booked"


async def test_the_whole_way_and_what_to_expect(
    client: httpx.AsyncClient, clock: FixedClock
) -> None:
    (case_id,) = await import_rows(client, 1)
    (told,) = await status(client, case_id)
    assert told["expected_from"] == "2026-04-15"
    steps = {step["step"]: (step["reached"], step["on"]) for step in told["steps"]}
    assert steps == {
        "applied": (True, "2026-03-02"),
        "made": (True, "2026-04-10"),
        "arrived": (True, "2026-04-14"),
        "ready": (False, None),
        "invited": (False, None),
        "booked": (False, None),
        "handed_over": (False, None),
    }
    assert told["steps"][2]["title"] == "カードが市に届きました"

    clock.advance(timedelta(days=1))
    await to_shelf(client)
    await client.post("/v1/notices", json={"lot_id": "L2026-0412"}, headers=once())
    (told,) = await status(client, case_id, language="en")
    assert told["expected_from"] is None
    reached = [step["step"] for step in told["steps"] if step["reached"]]
    assert reached == ["applied", "made", "arrived", "ready", "invited"]
    assert told["steps"][4] == {
        "step": "invited",
        "title": "Your notice was sent",
        "reached": True,
        "on": "2026-04-15",
    }


async def test_nothing_is_promised_of_a_card_on_hold(client: httpx.AsyncClient) -> None:
    (case_id,) = await import_rows(client, 1)
    body = {"case_ids": [case_id], "reason": "other"}
    await client.post("/v1/stages/held", json=body, headers=bearer())
    (told,) = await status(client, case_id)
    assert told["expected_from"] is None


async def test_no_other_case_is_shown(client: httpx.AsyncClient) -> None:
    await import_rows(client, 2)
    assert await status(client) == []


async def test_the_status_is_for_citizens(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/status")).status_code == 401
    assert (await client.get("/v1/status", headers=bearer())).status_code == 403
    refused = await client.get("/v1/cards", headers=bearer("citizen:"))
    assert refused.status_code == 403


def booking(case_id: str) -> BookingConfirmed:
    """A booking of this case."""
    return BookingConfirmed(
        case_id=CaseId(UUID(case_id)),
        booking_id=BookingId(derived_id("booking", case_id)),
        party_id=PartyId(derived_id("party", case_id)),
        site_id=SiteId(SITE),
        starts_at=NOON,
        minutes=20,
        procedure=Procedure.CARD_ISSUANCE,
        card_site_id=SiteId(SITE),
    )

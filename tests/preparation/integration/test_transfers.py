"""Cards between sites: what has to leave, what leaves, and what of it arrives."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx

from services.preparation.due import works
from services.preparation.gauges import watch
from shared.clock import FixedClock
from shared.contracts.base import Procedure
from shared.contracts.place import Site, SiteState
from shared.contracts.reservation import BookingCancelled, BookingConfirmed, CancelReason
from shared.contracts.site import SiteChanged, SiteClosed, SiteOpened, SiteWindDownStarted
from shared.db import Database
from shared.due import DueLoop
from shared.ids import BookingId, CaseId, PartyId, SiteId, derived_id
from shared.security.principal import Principal
from shared.telemetry.metrics import Metrics
from tests.contracts.samples import SITE as SAMPLE
from tests.preparation.integration.test_facts import issued
from tests.preparation.support import (
    MORNING,
    SITE,
    bearer,
    events_of,
    hear,
    import_rows,
    once,
    resources,
    to_shelf,
    units,
)

CENTER = "center-ksp"
THURSDAY = datetime(2026, 4, 16, 1, 0, tzinfo=UTC)
"""Ten o'clock in Tokyo; a batch that is sealed on Tuesday is there."""


def booked(case_id: str, site: str = CENTER, at: datetime = THURSDAY) -> BookingConfirmed:
    """The citizen comes to a site."""
    return BookingConfirmed(
        case_id=CaseId(UUID(case_id)),
        booking_id=BookingId(derived_id(case_id, "booking")),
        party_id=PartyId(derived_id(case_id, "party")),
        site_id=SiteId(site),
        starts_at=at,
        minutes=20,
        procedure=Procedure.CARD_ISSUANCE,
        card_site_id=SiteId(SITE),
    )


def cancelled(case_id: str) -> BookingCancelled:
    """The citizen does not come."""
    return BookingCancelled(
        case_id=CaseId(UUID(case_id)),
        booking_id=BookingId(derived_id(case_id, "booking")),
        party_id=PartyId(derived_id(case_id, "party")),
        site_id=SiteId(CENTER),
        starts_at=THURSDAY,
        procedure=Procedure.CARD_ISSUANCE,
        reason=CancelReason.CITIZEN,
    )


async def notified(client: httpx.AsyncClient, count: int) -> list[str]:
    """Cards whose notices were sent."""
    case_ids = await import_rows(client, count)
    await to_shelf(client)
    await client.post("/v1/notices", json={"case_ids": case_ids}, headers=once())
    return case_ids


async def dispatch_list(client: httpx.AsyncClient) -> list[dict[str, object]]:
    """What has to leave the site."""
    answer = await client.get(
        "/v1/transfers/dispatch-list", params={"site_id": SITE}, headers=bearer()
    )
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, object]] = answer.json()["rows"]
    return rows


async def send(client: httpx.AsyncClient, case_ids: Sequence[str]) -> httpx.Response:
    """Seal cards into a batch to the center."""
    body = {"case_ids": list(case_ids), "site_id": SITE, "to_site_id": CENTER}
    return await client.post("/v1/transfers", json=body, headers=once())


async def arrive(
    client: httpx.AsyncClient,
    batch: dict[str, str],
    case_ids: Sequence[str],
    *,
    site: str = CENTER,
    emptied: bool = True,
    seal: str | None = None,
) -> httpx.Response:
    """Open a batch at a site."""
    body = {
        "site_id": site,
        "seal": seal or batch["seal"],
        "case_ids": list(case_ids),
        "emptied": emptied,
    }
    path = f"/v1/transfers/{batch['transfer_id']}:arrive"
    return await client.post(path, json=body, headers=bearer("supervisor"))


async def place(client: httpx.AsyncClient, case_id: str) -> tuple[object, object]:
    """Where a card lies."""
    card = (await client.get(f"/v1/cards/{case_id}", headers=bearer())).json()
    return card["site_id"], card["shelf_position"]


async def work_what_is_due(database: Database, at: datetime) -> int:
    """One round of due work at a moment."""
    clock = FixedClock(at)
    loop = DueLoop(
        "preparation",
        units(database, clock),
        works(resources(database, clock)),
        Metrics(service="preparation", role="test"),
    )
    return await loop.round()


async def test_bookings_elsewhere_make_the_dispatch_list(
    client: httpx.AsyncClient, database: Database
) -> None:
    first, second, here, none = await notified(client, 4)
    await hear(
        database,
        booked(first, at=THURSDAY + timedelta(days=7)),
        booked(second),
        booked(here, site=SITE),
        booked(none),
        cancelled(none),
    )
    rows = await dispatch_list(client)
    assert [row["case_id"] for row in rows] == [second, first]
    assert rows[0]["to_site_id"] == CENTER
    assert (rows[0]["leave_by"], rows[0]["overdue"]) == ("2026-04-14", False)


async def test_no_card_leaves_for_a_site_that_is_none_or_closed(
    client: httpx.AsyncClient, database: Database
) -> None:
    (case_id,) = await notified(client, 1)

    def center(state: SiteState) -> Site:
        return SAMPLE.model_copy(update={"site_id": SiteId(CENTER), "state": state})

    told = [
        SiteOpened(site=SAMPLE.model_copy(update={"site_id": SiteId(SITE)})),
        SiteClosed(site=center(SiteState.CLOSED)),
        SiteOpened(site=center(SiteState.OPEN)),
    ]
    for number, status in enumerate((422, 422, 201)):
        await hear(database, *told, order=[number])
        answer = await send(client, [case_id])
        assert answer.status_code == status, answer.text
        if status == 422:
            assert answer.json()["type"] == "urn:madoguchi:problem:transfer-to-no-site"
            assert answer.json()["errors"][0]["field"] == "to_site_id"


async def test_a_site_that_winds_down_sends_its_cards_home(
    client: httpx.AsyncClient, database: Database
) -> None:
    stays, leaves = await notified(client, 2)
    closing = SAMPLE.model_copy(update={"state": SiteState.WINDING_DOWN})
    last = MORNING.date() + timedelta(days=30)
    told = [
        SiteWindDownStarted(site=closing, last_day=last),
        booked(stays, SITE),
        SiteChanged(site=SAMPLE.model_copy(update={"state": SiteState.OPEN})),
    ]
    await hear(database, *told, order=[0, 1])
    (row,) = await dispatch_list(client)
    assert (row["case_id"], row["cause"], row["to_site_id"]) == (leaves, "wind_down", None)
    assert row["leave_by"] == last.isoformat()
    # The planner takes it back: cards stay.
    await hear(database, *told, order=[2])
    assert await dispatch_list(client) == []


async def test_what_left_arrives(client: httpx.AsyncClient, database: Database) -> None:
    case_ids = await notified(client, 3)
    await hear(database, booked(case_ids[0]))
    sent = await send(client, case_ids)
    batch = sent.json()
    assert (sent.status_code, batch["done"], batch["due_on"]) == (201, 3, "2026-04-16")
    assert await place(client, case_ids[0]) == (None, None)
    listed = (await client.get("/v1/transfers", params={"open": True}, headers=bearer())).json()
    assert [(b["state"], b["open"]) for b in listed["items"]] == [("under_way", 3)]
    answer = await arrive(client, batch, case_ids)
    assert (answer.json()["state"], answer.json()["missing"]) == ("arrived", [])
    assert await place(client, case_ids[0]) == (CENTER, "A-00001")
    told = await events_of(database, case_ids[0])
    assert told[-3:] == ["card.dispatched.v1", "card.arrived.v1", "card.shelved.v1"]
    lines = await client.get(
        f"/v1/transfers/{batch['transfer_id']}/manifest",
        params={"format": "json"},
        headers=bearer(),
    )
    assert [row["reason"] for row in lines.json()["rows"]] == ["booking", "chosen", "chosen"]


async def test_what_does_not_arrive_is_missing_until_it_is_found(
    client: httpx.AsyncClient, database: Database
) -> None:
    here, lost = await notified(client, 2)
    batch = (await send(client, [here, lost])).json()
    answer = (await arrive(client, batch, [here])).json()
    assert (answer["state"], answer["missing"]) == ("missing", [lost])
    assert (await events_of(database, lost))[-1] == "card.transfer_failed.v1"
    again = (await arrive(client, batch, [])).json()
    assert again["missing"] == []
    found = (await arrive(client, batch, [lost])).json()
    assert (found["state"], found["done"]) == ("arrived", 1)
    assert (await events_of(database)).count("card.transfer_failed.v1") == 1


async def test_a_bag_is_opened_with_its_seal_at_its_site(client: httpx.AsyncClient) -> None:
    case_ids = await notified(client, 3)
    batch = (await send(client, case_ids[:2])).json()
    wrong = await arrive(client, batch, case_ids[:1], seal="AAAA-AAAA")
    elsewhere = await arrive(client, batch, case_ids[:1], site="saiwai-ward-office")
    stranger = await arrive(client, batch, case_ids, emptied=False)
    assert [wrong.status_code, elsewhere.status_code] == [409, 409]
    assert [r["code"] for r in stranger.json()["results"]] == [None, None, "not_in_batch"]


async def test_a_bag_may_come_back(client: httpx.AsyncClient) -> None:
    (case_id,) = await notified(client, 1)
    batch = (await send(client, [case_id])).json()
    answer = await arrive(client, batch, [case_id], site=SITE)
    assert answer.json()["state"] == "arrived"
    assert (await place(client, case_id))[0] == SITE


async def test_of_many_senders_one_sends_the_card(
    client: httpx.AsyncClient, database: Database
) -> None:
    (case_id,) = await notified(client, 1)
    answers = await asyncio.gather(*(send(client, [case_id]) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 11]
    assert (await events_of(database)).count("card.dispatched.v1") == 1
    sent = next(answer.json() for answer in answers if answer.status_code == 201)
    opened = await asyncio.gather(*(arrive(client, sent, [case_id]) for _ in range(12)))
    assert sum(answer.json()["done"] for answer in opened) == 1
    assert (await events_of(database)).count("card.arrived.v1") == 1


async def test_a_card_handed_over_on_its_way_ends_its_line(
    client: httpx.AsyncClient, database: Database
) -> None:
    (case_id,) = await notified(client, 1)
    batch = (await send(client, [case_id])).json()
    await hear(database, issued(case_id))
    answer = await client.get(f"/v1/transfers/{batch['transfer_id']}", headers=bearer())
    assert (answer.json()["state"], answer.json()["open"]) == ("arrived", 0)


async def test_cards_not_in_time_are_told_of_on_the_day_before_and_once(
    client: httpx.AsyncClient, database: Database
) -> None:
    sent, forgotten, there = await notified(client, 3)
    await hear(database, booked(sent), booked(forgotten), booked(there, SITE))
    await send(client, [sent])
    eve = datetime(2026, 4, 15, 8, 30, tzinfo=UTC)
    assert await work_what_is_due(database, eve - timedelta(hours=1)) == 0
    assert await work_what_is_due(database, eve) == 2
    assert await work_what_is_due(database, eve) == 0
    for case_id in (sent, forgotten):
        assert (await events_of(database, case_id))[-1] == "card.transfer_failed.v1"
    assert (await events_of(database, there))[-1] == "card.notified.v1"


async def test_a_late_batch_raises_one_alarm(client: httpx.AsyncClient, database: Database) -> None:
    (case_id,) = await notified(client, 1)
    await send(client, [case_id])
    late = datetime(2026, 4, 17, 1, 0, tzinfo=UTC)
    assert [await work_what_is_due(database, late) for _ in range(2)] == [1, 0]


async def test_the_picking_list_of_a_day_follows_the_shelves(
    client: httpx.AsyncClient, database: Database
) -> None:
    first, second, away = await notified(client, 3)
    await hear(database, booked(second, SITE), booked(first, SITE, THURSDAY + timedelta(hours=1)))
    await hear(database, booked(away, SITE))
    await send(client, [away])
    query = {"site_id": SITE, "date": "2026-04-16"}
    answer = await client.get("/v1/shelves/picking-list", params=query, headers=bearer())
    rows = answer.json()["rows"]
    assert [row["case_id"] for row in rows] == [first, second, away]
    assert rows[2]["card_site_id"] is None
    sheet = await client.get(
        "/v1/shelves/picking-list", params={**query, "format": "csv"}, headers=bearer()
    )
    assert sheet.text.splitlines()[0].startswith("Shelf position,")
    tomorrow = await client.get(
        "/v1/shelves/picking-list", params={"site_id": SITE}, headers=bearer()
    )
    assert tomorrow.json()["rows"] == []


async def test_what_is_late_or_missing_is_shown_to_who_watches(
    client: httpx.AsyncClient, database: Database, clock: FixedClock
) -> None:
    metrics = Metrics(service="preparation", role="test")
    seconds = iter([0.0, 0.0, 1.0, 20.0, 20.0, 40.0, 40.0])
    work = watch(metrics, clock=lambda: next(seconds))

    async def overdue() -> tuple[object, object]:
        async with units(database, clock).begin(Principal.system("preparation")) as unit:
            assert await work(unit) == 0
        name = "madoguchi_preparation_transfers_overdue"
        found = metrics.registry.get_sample_value
        return found(name, {"state": "late"}), found(name, {"state": "missing"})

    case_ids = await notified(client, 3)
    late = (await send(client, case_ids[:2])).json()
    assert await overdue() == (0, 0)
    clock.advance(timedelta(days=9))
    assert await overdue() == (0, 0)
    assert await overdue() == (1, 0)
    assert (await arrive(client, late, case_ids[:1], site=SITE)).status_code == 200
    assert await overdue() == (0, 1)

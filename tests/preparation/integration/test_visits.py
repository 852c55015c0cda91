"""Cards at the counter, cards that a counter did not find, and contacts that were erased."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.clock import FixedClock
from shared.contracts.base import CaseEvent, Procedure
from shared.contracts.issuance import (
    AbandonReason,
    Arrival,
    DeferReason,
    VisitAbandoned,
    VisitCheckedIn,
    VisitCompleted,
    VisitDeferred,
)
from shared.contracts.reservation import ContactErased, ErasureReason
from shared.db import Database
from shared.ids import CaseId, SiteId, VisitId, derived_id, new_id
from tests.preparation.integration.test_facts import issued
from tests.preparation.integration.test_transfers import booked, dispatch_list, notified
from tests.preparation.support import (
    MORNING,
    SITE,
    bearer,
    events_of,
    hear,
    import_rows,
    once,
)
from tests.support.state import state_hash


def visit(case: str) -> dict[str, Any]:
    """What every event of a visit says."""
    visit_id = VisitId(derived_id(case, "visit"))
    return {"case_id": CaseId(UUID(case)), "visit_id": visit_id, "site_id": SiteId(SITE)}


def checked_in(case: str, procedure: Procedure = Procedure.CARD_ISSUANCE) -> VisitCheckedIn:
    """The citizen is here."""
    return VisitCheckedIn(**visit(case), procedure=procedure, arrival=Arrival.BOOKED)


def deferred(case: str, reason: DeferReason = DeferReason.DOCUMENTS_MISSING) -> VisitDeferred:
    """The citizen comes again."""
    return VisitDeferred(**visit(case), reason=reason)


def day_of(case: str) -> list[CaseEvent]:
    """Served, sent home, back, left, back once more and done."""
    return [
        checked_in(case),
        deferred(case),
        checked_in(case),
        VisitAbandoned(**visit(case), reason=AbandonReason.LEFT),
        checked_in(case),
        VisitCompleted(**visit(case), procedure=Procedure.CARD_ISSUANCE),
    ]


async def sent(client: httpx.AsyncClient, case_id: str) -> dict[str, object]:
    """Try to put a card into a bag; its result."""
    body = {"case_ids": [case_id], "site_id": SITE, "to_site_id": "center"}
    answer = await client.post("/v1/transfers", json=body, headers=once())
    result: dict[str, object] = answer.json()["results"][0]
    return result


async def missing(client: httpx.AsyncClient) -> int:
    """How many cards a stock-take without a single scan misses."""
    path = f"/v1/shelves/{SITE}/A/stock-takes"
    take = (await client.post(path, headers=once())).json()["stock_take_id"]
    counted = await client.post(f"{path}/{take}:count", headers=bearer())
    differences: int = counted.json()["differences"]
    return differences


async def test_a_card_at_the_counter_is_not_looked_for_on_its_shelf(
    client: httpx.AsyncClient, database: Database
) -> None:
    case_id, other = await notified(client, 2)
    await hear(database, booked(case_id), booked(other))
    await hear(database, checked_in(case_id), at=MORNING)
    assert [row["case_id"] for row in await dispatch_list(client)] == [other]
    assert (await sent(client, case_id))["code"] == "at_counter"
    assert await missing(client) == 1
    await hear(database, checked_in(case_id), deferred(case_id), at=MORNING)
    assert len(await dispatch_list(client)) == 2
    assert (await sent(client, case_id))["outcome"] == "done"


async def test_nobody_is_at_a_counter_overnight(
    client: httpx.AsyncClient, database: Database, clock: FixedClock
) -> None:
    (case_id,) = await notified(client, 1)
    await hear(database, checked_in(case_id), at=MORNING)
    assert (await sent(client, case_id))["code"] == "at_counter"
    clock.advance(timedelta(days=1))
    assert (await sent(client, case_id))["outcome"] == "done"


async def test_who_comes_for_a_certificate_leaves_the_card_where_it_is(
    client: httpx.AsyncClient, database: Database
) -> None:
    (case_id,) = await notified(client, 1)
    await hear(database, checked_in(case_id, Procedure.CERTIFICATE_RENEWAL), at=MORNING)
    assert (await sent(client, case_id))["outcome"] == "done"


async def test_a_card_that_a_counter_did_not_find_is_held_until_it_is_found(
    client: httpx.AsyncClient, database: Database
) -> None:
    (case_id,) = await notified(client, 1)
    not_here = deferred(case_id, DeferReason.CARD_NOT_HERE)
    for _ in range(2):
        await hear(database, checked_in(case_id), not_here, at=MORNING)
    page = (await client.get("/v1/stages/held", headers=bearer())).json()
    assert [(i["reason"], i["review_on"]) for i in page["items"]] == [("discrepancy", "2026-04-14")]
    assert (await events_of(database, case_id))[-1] == "card.held.v1"
    await client.post("/v1/stages/released", json={"case_ids": [case_id]}, headers=bearer())
    await hear(database, checked_in(case_id), not_here, at=MORNING)
    assert (await client.get("/v1/stages/held", headers=bearer())).json()["items"] == []


async def test_a_card_that_was_elsewhere_anyway_is_not_held(
    client: httpx.AsyncClient, database: Database
) -> None:
    (case_id,) = await notified(client, 1)
    there = deferred(case_id, DeferReason.CARD_NOT_HERE).model_copy(update={"site_id": "center"})
    await hear(database, there, at=MORNING)
    unknown = deferred(str(new_id()), DeferReason.CARD_NOT_HERE)
    await hear(database, unknown, at=MORNING)
    assert (await client.get("/v1/stages/held", headers=bearer())).json()["items"] == []


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(order=st.permutations(range(6)), more=st.lists(st.integers(0, 5), max_size=6))
async def test_what_is_said_of_a_visit_may_come_in_any_order_and_again(
    database: Database, order: list[int], more: list[int]
) -> None:
    case = str(new_id())
    await hear(database, *day_of(case), order=[*order, *more], at=MORNING)
    async with database.reader() as conn:
        row = await conn.fetchrow("SELECT * FROM visit WHERE case_id = $1", UUID(case))
    assert row is not None
    assert (row["state"], row["sequence"]) == ("back", 6)


async def test_an_erased_contact_leaves_the_notice_what_it_needs_and_nothing_more(
    client: httpx.AsyncClient, database: Database
) -> None:
    waiting, over = await import_rows(client, 2, name="川崎 太郎", address="川崎市川崎区宮本町1")
    await hear(database, issued(over))
    story = [
        ContactErased(case_id=CaseId(UUID(case)), reason=ErasureReason.REQUESTED)
        for case in (waiting, over, str(new_id()))
    ]
    await hear(database, *story, order=(0, 1, 2, 0))
    before = await _state(database)
    await hear(database, *story)
    assert await _state(database) == before
    async with database.reader() as conn:
        kept = await conn.fetch(
            "SELECT case_id FROM sealed_birth_date JOIN sealed_addressee USING (case_id)"
        )
        told = await conn.fetch(
            "SELECT subject, refs->>'kept_for' AS kept FROM audit_entry"
            " WHERE action = 'contact.erasure_confirmed'"
        )
    assert [str(row["case_id"]) for row in kept] == [waiting]
    assert {(row["subject"], row["kept"]) for row in told} == {(waiting, "notice"), (over, "none")}


async def _state(database: Database) -> str:
    async with database.reader() as conn:
        return await state_hash(conn)

"""The totals are exact on every day, whatever is repeated or comes late; so is what waits."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import httpx
from aiokafka.structs import ConsumerRecord
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from services.preparation.domain.totals import MEASURES
from services.preparation.events import SUBSCRIBES
from services.preparation.store import figures
from shared.clock import FixedClock
from shared.contracts.base import CaseKind, Procedure
from shared.contracts.issuance import CardIssued
from shared.db import Database
from shared.ids import CaseId, SiteId, VisitId, WardCode, derived_id, new_id
from shared.messaging.envelope import Envelope, encode
from shared.messaging.processing import Processor
from shared.telemetry.metrics import Metrics
from tests.preparation.support import MORNING, SITE, WARD, bearer, import_rows, units
from tests.support.messaging import raw_record

OTHER = "141321"
FIRST = date(2026, 3, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(60)]

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Known:
    """A card as a person would note it down."""

    ward: str
    applied_on: date
    shipped_on: date
    preset_on: date | None
    issued_on: date | None
    voided_on: date | None

    def on(self, day: date) -> dict[str, bool]:
        """What counts it at the end of ``day``: the definitions, one by one."""
        applied, shipped, preset, issued, ended = (
            each is not None and each <= day
            for each in (
                self.applied_on,
                self.shipped_on,
                self.preset_on,
                self.issued_on,
                self.voided_on,
            )
        )
        over = issued or ended
        return {
            "applied": applied,
            "shipped": shipped,
            "preset": preset,
            "issued": issued,
            "waiting_for_shipment": not over and applied and not shipped and not preset,
            "waiting_for_preset": not over and shipped and not preset,
            "waiting_for_issuance": not over and preset,
            "ended": over and not issued,
        }


days = st.integers(0, 50).map(lambda n: FIRST + timedelta(days=n))
known = st.builds(
    lambda ward, dates, preset, issued, voided: Known(
        ward, min(dates), max(dates), preset, issued, voided
    ),
    st.sampled_from([WARD, OTHER]),
    st.tuples(days, days),
    st.none() | days,
    st.none() | days,
    st.none() | days,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cards=st.lists(known, max_size=12), first=st.sampled_from(DAYS[:30]))
async def test_every_total_is_exact_on_every_day(
    database: Database, cards: list[Known], first: date
) -> None:
    await written(database, cards)
    last = DAYS[-1]
    async with database.reader() as conn:
        changes = await figures.changes(conn, first, last)
    for ward in (WARD, OTHER):
        for day in (first, first + timedelta(days=9), last):
            for measure in MEASURES:
                told = sum(
                    c.by for c in changes if (c.ward, c.measure) == (ward, measure) and c.day <= day
                )
                assert told == sum(c.on(day)[measure] for c in cards if c.ward == ward), measure


async def test_the_totals_of_a_life_are_exact_under_replay(
    client: httpx.AsyncClient, database: Database, clock: FixedClock
) -> None:
    case_ids = await import_rows(client, 6)
    for stage in ("inspected", "registry_checked", "preset"):
        clock.advance(timedelta(days=1))
        body = {"case_ids": case_ids[:4]}
        await client.post(f"/v1/stages/{stage}", json=body, headers=bearer())
    # Ten minutes before and after midnight in Tokyo.
    issued = [
        issued_at(case_ids[0], datetime(2026, 4, 19, 14, 50, tzinfo=UTC)),
        issued_at(case_ids[1], datetime(2026, 4, 19, 15, 10, tzinfo=UTC)),
        issued_at(str(new_id()), datetime(2026, 4, 19, 3, 0, tzinfo=UTC)),
    ]
    await heard(database, issued)
    clock.advance(timedelta(days=10))
    once = await totals(client)
    city = {row["date"]: row for row in once if row["ward"] == "sum"}
    assert [city[f"2026-04-{day}"]["preset"] for day in (16, 17, 19)] == [0, 4, 4]
    assert [city[f"2026-04-{day}"]["issued"] for day in (18, 19, 20)] == [0, 1, 2]
    assert city["2026-04-20"] | {"date": "", "ward": ""} == {
        "date": "",
        "ward": "",
        "applied": 6,
        "shipped": 6,
        "preset": 4,
        "issued": 2,
        "waiting_for_shipment": 0,
        "waiting_for_preset": 2,
        "waiting_for_issuance": 2,
        "ended": 0,
    }

    await heard(database, [*reversed(issued), *issued])
    async with database.transaction() as conn:
        await conn.execute("TRUNCATE inbox")
    await heard(database, list(reversed(issued)))
    assert await totals(client) == once


async def test_what_waits_where_and_since_when(
    client: httpx.AsyncClient, clock: FixedClock
) -> None:
    case_ids = await import_rows(client, 5)
    clock.advance(timedelta(days=2))
    body = {"case_ids": case_ids[:2]}
    await client.post("/v1/stages/inspected", json=body, headers=bearer())
    clock.advance(timedelta(days=5))
    rows = await table(client, "/v1/outlook/backlog")
    waiting = [(r["stage"], r["ward"], r["cards"], r["oldest_since"], r["p50"]) for r in rows]
    # From Tuesday and Thursday to the Tuesday after: five and three business days.
    assert waiting == [
        ("received", WARD, 3, "2026-04-14", 5),
        ("received", "sum", 3, "2026-04-14", 5),
        ("inspected", WARD, 2, "2026-04-16", 3),
        ("inspected", "sum", 2, "2026-04-16", 3),
    ]


async def test_a_card_that_came_tomorrow_waits_since_no_day(
    client: httpx.AsyncClient, clock: FixedClock
) -> None:
    await import_rows(client, 1)
    clock.advance(timedelta(days=-1))
    (row, _) = await table(client, "/v1/outlook/backlog")
    assert (row["oldest_since"], row["p50"]) == ("2026-04-14", 0)


async def test_lead_times_in_business_days_by_the_week_in_which_they_ended(
    client: httpx.AsyncClient, clock: FixedClock
) -> None:
    case_ids = await import_rows(client, 10)
    for day, count in ((1, 9), (6, 1)):
        clock.advance(timedelta(days=day))
        left, case_ids = case_ids[count:], case_ids[:count]
        await client.post("/v1/stages/inspected", json={"case_ids": case_ids}, headers=bearer())
        case_ids = left
    rows = await table(client, "/v1/outlook/lead-times")
    found = [(r["week"], r["step"], r["cards"], r["p50"], r["p90"]) for r in rows]
    assert found == [("2026-04-13", "inspected", 9, 1, 1), ("2026-04-20", "inspected", 1, 5, 5)]
    (trend,) = await table(client, "/v1/outlook/lead-times/trend")
    assert (trend["step"], trend["weeks"], trend["p50_per_week"]) == ("inspected", 2, 4)


async def test_the_same_as_file_and_as_picture(client: httpx.AsyncClient) -> None:
    await import_rows(client, 3)
    for path in ("totals", "backlog", "lead-times", "lead-times/trend"):
        csv = await client.get(f"/v1/outlook/{path}?format=csv&bom=true", headers=bearer())
        assert csv.status_code == 200
        assert csv.content.startswith(b"\xef\xbb\xbf")
        book = await client.get(f"/v1/outlook/{path}?format=xlsx", headers=bearer())
        assert load_workbook(io.BytesIO(book.content)).active is not None
    for path in ("totals", "lead-times"):
        headers = bearer(**{"Accept-Language": "ja"})
        picture = await client.get(f"/v1/outlook/{path}/chart", headers=headers)
        assert picture.headers["content-type"] == "image/svg+xml"
        drawn = ElementTree.fromstring(picture.text)  # noqa: S314  our own picture
        assert drawn.tag == "{http://www.w3.org/2000/svg}svg"


async def test_a_period_that_cannot_be_shown_is_refused(client: httpx.AsyncClient) -> None:
    for query in ("from=2026-04-02&to=2026-04-01", "from=2020-01-01&to=2026-04-01"):
        answer = await client.get(f"/v1/outlook/totals?{query}", headers=bearer())
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == "to"


async def table(client: httpx.AsyncClient, path: str) -> Rows:
    """The rows of a table."""
    answer = await client.get(path, headers=bearer())
    assert answer.status_code == 200, answer.text
    rows: Rows = answer.json()["rows"]
    return rows


async def totals(client: httpx.AsyncClient) -> Rows:
    """The totals from April on."""
    return await table(client, "/v1/outlook/totals?from=2026-04-01&to=2026-04-24")


def issued_at(case_id: str, at: datetime) -> ConsumerRecord:
    """A card is handed over at this time."""
    event = CardIssued(
        case_id=CaseId(UUID(case_id)),
        visit_id=VisitId(derived_id(case_id, "visit")),
        site_id=SiteId(SITE),
        booking_id=None,
        procedure=Procedure.CARD_ISSUANCE,
        kind=CaseKind.NEW,
        ward=WardCode(WARD),
    )
    envelope = Envelope(
        id=derived_id(case_id, "issued"),
        source="/141305/issuance",
        type=event.type,
        subject=event.subject,
        time=at,
        sequence=1,
        traceparent=None,
        data=event.model_dump_json().encode(),
    )
    return raw_record(*encode(envelope), 0, event.topic)


async def heard(database: Database, records: Sequence[ConsumerRecord]) -> None:
    """Let the room's consumer handle these."""
    metrics = Metrics(service="preparation", role="test")
    processor = Processor("preparation", units(database), SUBSCRIBES, metrics=metrics)
    await processor.handle_batch(list(records))


async def written(database: Database, cards: Sequence[Known]) -> None:
    """A database with these cards alone, as facts in any order would leave it."""
    async with database.transaction() as conn:
        await conn.execute("TRUNCATE card, card_stage, lot CASCADE")
        await conn.execute("INSERT INTO lot VALUES ('L', $1)", MORNING)
        for number, card in enumerate(cards, start=1):
            await conn.execute(
                "INSERT INTO card (case_id, card_reference, lot_id, lot_row, ward, kind,"
                " applied_on, shipped_on, card_expires_on, stage_since, preset_on, issued_on,"
                " ended_on)"
                " VALUES ($1, $2, 'L', $3, $4, 'new', $5, $6, '2036-01-01', $7, $8, $9, $10)",
                new_id(),
                f"K-{number:04d}",
                number,
                card.ward,
                card.applied_on,
                card.shipped_on,
                MORNING,
                card.preset_on,
                card.issued_on,
                card.voided_on,
            )

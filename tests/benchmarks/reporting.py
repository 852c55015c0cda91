"""How fast facts are kept: ``make bench-reporting``.

Card cases told from application to hand-over (15 events each) in polls of 2,000 records, as they
lie in the topics after a lot: stage by stage. Beside it, the same records one transaction each.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from aiokafka.structs import ConsumerRecord

from deploy.embedded.postgres import EmbeddedPostgres
from services.reporting.bootstrap import ROOM
from services.reporting.events import SUBSCRIBES
from services.reporting.handlers import equity, first_free
from services.reporting.store import pickup, reports, ways
from services.reporting.store.pickup import AsOf
from services.reporting.store.site_days import Days
from shared.calendar import FiscalYear
from shared.contracts.base import CaseEvent
from shared.db import Connection, Database
from shared.ids import derived_id
from shared.messaging.processing import Processor
from shared.migrate import migrate
from simulation.places import site_ids
from tests.benchmarks import city_year
from tests.benchmarks.report import Figure, report
from tests.contracts.samples import SAMPLES
from tests.reporting.histories import SITES, WARDS, Happening, case_of, tokyo
from tests.support.messaging import metrics, units

CASES, BATCH, ALONE = 4_000, 2_000, 400
YEAR, YEAR_CASES = FiscalYear(7), 448_233
STAGES = (
    *("case.opened", "card.applied", "card.shipped", "card.received", "card.inspected"),
    *("card.registry_checked", "card.preset", "card.shelved", "card.notified"),
    *("booking.confirmed", "visit.checked_in", "visit.called", "card.issued"),
    *("visit.completed", "booking.fulfilled"),
)

_FILL = """
INSERT INTO case_fact (
    case_id, opened_at, opened_event, procedure, kind, ward, ward_at, ward_sequence, ward_event,
    applied_on, shipped_on, preset_at, notified_at, completed_at, completed_event,
    completed_procedure, completed_kind, completed_ward, completed_site
)
SELECT gen_random_uuid(), at, gen_random_uuid(), procedure, 'renewal', ward, at, 1,
       gen_random_uuid(), at::date, at::date, at, at, at, gen_random_uuid(), procedure, 'renewal',
       ward, ($3::text[])[1 + n % 14]
FROM (
    SELECT n, $2::timestamptz + n * interval '364 days' / $1 AS at,
           ('{card_issuance,certificate_renewal}'::text[])[1 + n % 2] AS procedure,
           (131000 + n % 7)::text AS ward
    FROM generate_series(1, $1) AS n
) AS made
"""


def history() -> Iterator[Happening]:
    """Every stage of every case, stage by stage."""
    start = tokyo(2026, 4, 1, 9)
    for stage, name in enumerate(STAGES):
        sample = SAMPLES[f"{name}.v1"]
        assert isinstance(sample, CaseEvent)
        for number in range(CASES):
            values: dict[str, Any] = {"ward": WARDS[number % 2], "site_id": SITES[number % 2]}
            # Each case has a booking and a visit of its own, as rows have.
            values |= {name: derived_id(name, number) for name in ("booking_id", "visit_id")}
            fields = {k: v for k, v in values.items() if k in type(sample).model_fields}
            event = sample.model_copy(update={"case_id": case_of(number)} | fields)
            topic = sample.topic or "preparation.events"
            yield Happening(event, _at(start, stage, number), stage + 1, topic)


def _at(start: datetime, stage: int, number: int) -> datetime:
    return start + timedelta(days=stage, seconds=number)


async def hear(database: Database, records: Sequence[ConsumerRecord], size: int) -> float:
    """Records per second when handled ``size`` at a time."""
    processor = Processor("reporting", units(database), SUBSCRIBES, metrics=metrics())
    started = perf_counter()
    for first in range(0, len(records), size):
        await processor.handle_batch(records[first : first + size])
    return len(records) / (perf_counter() - started)


async def read(database: Database) -> list[Figure]:
    """Milliseconds for reports over a year as large as R7."""
    async with database.transaction() as conn:
        await conn.execute("TRUNCATE case_fact")
        start, sites = tokyo(2025, 4, 1), list(site_ids())
        await conn.execute(_FILL, YEAR_CASES, start, sites)
        await city_year.tell(conn, start, start + timedelta(days=364))
    async with database.reader() as conn:
        await conn.execute("VACUUM ANALYZE case_fact, free_told, site_version, search_count")
        span = reports.Span(YEAR.first, YEAR.last)
        assert sum((await reports.counts(conn, span)).values()) == YEAR_CASES
        month, at = Days(date(2025, 7, 1), date(2025, 7, 31)), tokyo(2025, 8, 1)
        await city_year.require_told(conn, month)
        await city_year.require_searched(conn, YEAR.last)
        return [
            await _timed("plan's table", lambda: reports.counts(conn, span)),
            await _timed("totals of a day", lambda: reports.totals(conn, month.last, at)),
            await _timed(
                "backlog of a month", lambda: ways.changes(conn, month.first, month.last, None)
            ),
            await _timed(
                "lead times of a month",
                lambda: ways.passages(conn, month.first, month.last, None, by_ward=True),
            ),
            await _timed("unclaimed cards", lambda: pickup.table(conn, AsOf(month.last, at, 60))),
            await _timed("equity of a month", lambda: _equity(conn, month)),
            await _timed("first free days of a month", lambda: first_free.known(conn, month)),
        ]


async def _timed(name: str, ask: Callable[[], Awaitable[object]]) -> Figure:
    times = []
    for _ in range(5):
        started = perf_counter()
        await ask()
        times.append(perf_counter() - started)
    return Figure(f"{name}, 448,233 cases", sorted(times)[2] * 1000, "ms")


async def _equity(conn: Connection, days: Days) -> object:
    found = equity.judged(await equity.known(conn, days, None), None, 4.0)
    assert all(ward.days_to_first_free for ward in found)
    return found


async def main() -> None:
    """Measure and report."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder), {"shared_buffers": "128MB"})
        server.start()
        try:
            await _measure(server.url("postgres"))
        finally:
            server.stop()


async def _measure(url: str) -> None:
    await migrate(url, ROOM.migration_sources)
    records = [each.record() for each in history()]
    database = await Database.connect(url, application="bench")
    alone = await hear(database, records[:ALONE], 1)
    async with database.transaction() as conn:
        await conn.execute("TRUNCATE case_fact, inbox")
    batches = await hear(database, records, BATCH)
    figures = [Figure("events handled in polls of 2,000", batches, "events/s", alone)]
    report("reporting", [*figures, *await read(database)])
    await database.close()


if __name__ == "__main__":
    asyncio.run(main())

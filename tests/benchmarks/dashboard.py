"""How long each dashboard page takes at first with a year of data: ``make bench-dashboard``.

A year as large as R7 (448,233 cases) at 14 sites with their bookings, visits, quarters of an hour,
seats as they were told each morning, and a fortnight's searches. Each page is read by a process
that has just begun to serve: nothing is kept, and what is measured is what a browser waits for
before it has the page (charts are drawn after that). Beside it, the CPU of this process and of its
database sessions, which does not grow when others use the machine too, and the bytes of the page.
"""

import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path
from time import perf_counter, process_time

import httpx
import psutil

from deploy.embedded.postgres import EmbeddedPostgres
from services.reporting.api import build
from services.reporting.api.board.board import PageName
from services.reporting.bootstrap import ROOM
from services.reporting.store.site_days import Days
from shared.clock import FixedClock
from shared.db import Database
from shared.http.resources import Resources
from shared.migrate import migrate
from shared.security.principal import EVERY_SITE, Principal, Role
from shared.unit import Units
from simulation.places import site_ids
from tests.benchmarks import city_year
from tests.benchmarks.report import Figure, report
from tests.reporting.histories import tokyo
from tests.support.messaging import metrics

CASES = 448_233
NOW = tokyo(2026, 3, 18, 11)
PLANNER = Principal("bench", frozenset({Role.PLANNER}), frozenset({EVERY_SITE}))

_CASES = """
INSERT INTO case_fact (
    case_id, opened_at, opened_event, procedure, kind, ward, ward_at, ward_sequence, ward_event,
    applied_on, shipped_on, received_at, inspected_at, registry_checked_at, preset_at, shelved_at,
    notified_at, booked_at, checked_in_at, completed_at, completed_event, completed_procedure,
    completed_kind, completed_ward, completed_site
)
SELECT case_id, at, event, procedure, 'renewal', ward, at, 1, event,
       at::date, at::date + 5, at + interval '9 days', at + interval '10 days',
       at + interval '11 days', at + interval '12 days', at + interval '13 days',
       at + interval '14 days', at + interval '16 days', done, done, done_event,
       CASE WHEN done IS NOT NULL THEN procedure END,
       CASE WHEN done IS NOT NULL THEN 'renewal' END,
       CASE WHEN done IS NOT NULL THEN ward END, CASE WHEN done IS NOT NULL THEN site END
FROM (
    SELECT md5(n::text)::uuid AS case_id, at, gen_random_uuid() AS event,
           ('{card_issuance,certificate_renewal}'::text[])[1 + n % 2] AS procedure,
           (131000 + n % 7)::text AS ward, ($4::text[])[1 + n % 14] AS site,
           CASE WHEN at + interval '25 days' < $3 THEN at + interval '25 days' END AS done,
           CASE WHEN at + interval '25 days' < $3 THEN gen_random_uuid() END AS done_event
    FROM generate_series(1, $1) AS n,
         LATERAL (SELECT $2::timestamptz + n * interval '380 days' / $1 AS at) AS begun
) AS made
"""
_BOOKINGS = """
INSERT INTO booking_fact (
    booking_id, case_id, site_id, starts_at, minutes, procedure, told_at, told_sequence, told_event,
    booked_at, missed_at, fulfilled_at
)
SELECT case_id, case_id,
       coalesce(completed_site, ($1::text[])[1 + abs(hashtext(case_id::text)) % 14]),
       date_trunc('day', booked_at + interval '9 days')
           + (hashtext(case_id::text) & 15) * interval '30 minutes',
       20, procedure, booked_at, 1, case_id, booked_at,
       NULL, completed_at
FROM case_fact WHERE booked_at < $2
"""
_VISITS = """
INSERT INTO visit_fact (
    visit_id, case_id, site_id, procedure, arrival, checked_in_at, first_called_at, last_called_at,
    last_called_seq, counter, completed_at
)
SELECT case_id, case_id, site_id, procedure, 'booked', starts_at,
       starts_at + (hashtext(case_id::text) & 31) * interval '1 minute',
       starts_at + (hashtext(case_id::text) & 31) * interval '1 minute', 1, '1',
       CASE WHEN starts_at < $1::timestamptz - interval '30 minutes'
            THEN starts_at + interval '50 minutes' END
FROM booking_fact WHERE starts_at < $1
"""
_MEASURES = """
INSERT INTO site_measure
SELECT site, at, (at AT TIME ZONE 'Asia/Tokyo')::date, 3, 1, 1, 4, 2400, 900, '[]', 3600, 3000,
       0, 0, 4, 1, at, 1, gen_random_uuid()
FROM unnest($1::text[]) AS site,
     generate_series($2::timestamptz, $3::timestamptz, interval '15 minutes') AS at
WHERE extract(hour FROM at AT TIME ZONE 'Asia/Tokyo') BETWEEN 9 AND 16
"""
_OFFERS = """
INSERT INTO site_offer
SELECT site, procedure, day::date, 120, 20, $2, 1, gen_random_uuid()
FROM unnest($1::text[]) AS site,
     unnest('{card_issuance,certificate_renewal}'::text[]) AS procedure,
     generate_series($2::timestamptz, $3::timestamptz, interval '1 day') AS day
"""


async def fill(database: Database) -> None:
    """The year."""
    start, sites = tokyo(2025, 4, 1), list(site_ids())
    async with database.transaction() as conn:
        await conn.execute(_CASES, CASES, start - timedelta(days=25), NOW, sites)
        await conn.execute(_BOOKINGS, sites, NOW)
        await conn.execute(_VISITS, NOW)
        await conn.execute(_MEASURES, sites, start, NOW - timedelta(days=1))
        await conn.execute(_OFFERS, sites, start, NOW + timedelta(days=60))
        await city_year.tell(conn, start, NOW)
    async with database.reader() as conn:
        await conn.execute("VACUUM ANALYZE")
        # What Booking and Equity look back at.
        await city_year.require_told(conn, Days(NOW.date() - timedelta(days=31), NOW.date()))
        await city_year.require_searched(conn, NOW.date())


async def authenticate(_: str | None) -> Principal:
    """Somebody who may see it."""
    return PLANNER


async def spent(database: Database) -> float:
    """Seconds of CPU that this process and its database sessions have used so far."""
    async with database.reader() as conn:
        rows = await conn.fetch("SELECT pid FROM pg_stat_activity WHERE application_name = 'bench'")
    used = [psutil.Process(row["pid"]).cpu_times() for row in rows]
    return process_time() + sum(each.user + each.system for each in used)


async def first_view(database: Database, page: PageName) -> tuple[float, float, int]:
    """Milliseconds until a fresh process has answered, of which CPU, and bytes of the page."""
    units = Units(database, room="reporting", source="/bench", clock=FixedClock(NOW))
    resources = Resources(
        room="reporting", units=units, authenticate=authenticate, metrics=metrics()
    )
    transport = httpx.ASGITransport(build(resources))
    async with httpx.AsyncClient(transport=transport, base_url="http://bench") as client:
        before, started = await spent(database), perf_counter()
        answer = await client.get(f"/dashboard/{page}?lang=ja")
        took = perf_counter() - started
        cpu = await spent(database) - before
    assert answer.status_code == 200, answer.text
    return took * 1000, cpu * 1000, len(answer.content)


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
    database = await Database.connect(url, application="bench")
    await fill(database)
    await first_view(database, PageName.SYSTEM)  # what a process imports once
    figures = []
    for page in PageName:
        times = sorted([await first_view(database, page) for _ in range(3)])
        took, cpu, size = times[1]
        figures.append(Figure(f"first view of {page}", took, "ms"))
        figures.append(Figure(f"CPU of it: {page}", cpu, "ms"))
        figures.append(Figure(f"size of {page}", size / 1000, "kB"))
    report("dashboard", figures)
    await database.close()


if __name__ == "__main__":
    asyncio.run(main())

"""What closures ask of the database stays small, although what they have ended is kept."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.reservation.store import alternatives, closures, displaced, displaced_seen
from shared.db import Connection, Database
from tests.reservation.integration.test_query_plans import Asked, plan

NOW = datetime(2026, 4, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=9)
OPEN, ENDED = 200, 40_000
RUNNING = UUID("c0000000-0000-4000-8000-000000000000")
BOOKING = UUID("b0000000-0000-4000-8000-000000000001")
TABLES = ("closure", "displaced", "booking", "case_facts")
_ID = "('{kind}0000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid"
_BOOKING, _CASE = _ID.format(kind="b"), _ID.format(kind="a")
_CLOSURE = "('c0000000-0000-4000-8000-' || lpad(to_hex(n / 200), 12, '0'))::uuid"
_AT = "'2026-04-10 00:00Z'::timestamptz + make_interval(mins => 20 * (n % 20000))"
_FILL = f"""
INSERT INTO site (site_id, state, version, definition, changed_at)
SELECT 'site-' || n, 'open', 1, '{{}}', now() FROM generate_series(0, 14) n;

INSERT INTO case_facts (case_id, ward) SELECT {_CASE}, '141313'
FROM generate_series(0, {ENDED}) n;

INSERT INTO booking (booking_id, case_id, party_id, site_id, starts_at, minutes, procedure,
                     made_at, changed_at)
SELECT {_BOOKING}, {_CASE}, {_CASE}, 'site-' || n % 15, {_AT}, 20, 'card_issuance', now(), now()
FROM generate_series(0, {ENDED}) n;

INSERT INTO closure (closure_id, site_id, kind, state, last_day, started_at, next_at, ended_at)
SELECT DISTINCT {_CLOSURE}, 'site-' || n / 200 % 15, 'wind_down',
    CASE WHEN n < {OPEN} THEN 'waiting' ELSE 'done' END, '2026-04-03'::date,
    now(), '2026-03-31'::timestamptz, CASE WHEN n >= {OPEN} THEN '2026-03-31'::timestamptz END
FROM generate_series(0, {ENDED}) n;

INSERT INTO displaced (closure_id, booking_id, case_id, party_id, procedure, minutes, site_id,
    starts_at, state, to_site_id, to_starts_at, seat_held, listed_at, look_at, changed_at,
    answer_by, ended_at)
SELECT {_CLOSURE}, {_BOOKING}, {_CASE}, {_CASE}, 'card_issuance', 20, 'site-' || n % 15, {_AT},
    CASE WHEN n < {OPEN} THEN 'told' ELSE 'moved' END, 'site-1', {_AT}, n < {OPEN},
    now(), '2026-03-31', now(), '2026-03-31', CASE WHEN n >= {OPEN} THEN now() END
FROM generate_series(0, {ENDED}) n;
"""


def statements() -> list[Asked]:
    """What one step of a closure asks, and an answer."""
    return [
        Asked("due", closures._TAKE_DUE, [NOW], 1),
        Asked("seatless", displaced._SEATLESS, [RUNNING, NOW, 100], OPEN),
        Asked("held", displaced._IN_STATE, [RUNNING, "held", 100], OPEN),
        Asked("overdue", displaced._OVERDUE, [RUNNING, NOW, 100], OPEN),
        Asked("changed", displaced._CHANGED_ELSEWHERE, [RUNNING, 100], OPEN),
        Asked("open", displaced._OPEN, [RUNNING, NOW, 100, None], OPEN),
        Asked("next", displaced_seen._NEXT, [RUNNING], OPEN),
        Asked("counts", displaced_seen._COUNT, [[RUNNING]], OPEN),
        Asked("page", displaced_seen._PAGE, [RUNNING, None, None, 50], OPEN),
        Asked("answer", displaced_seen._OF_BOOKING, [BOOKING], 1),
        Asked("party", displaced_seen._PARTY, [RUNNING, BOOKING], OPEN),
        Asked("kept", alternatives._KEPT, ["site-1", NOW, LATER + timedelta(days=9)], OPEN),
        Asked("unseat", displaced._UNSEAT, ["site-1", [BOOKING], NOW], 1),
    ]


@pytest.fixture
async def conn(database: Database) -> AsyncIterator[Connection]:
    """A city that has closed two hundred sites, and closes one."""
    async with database.reader() as conn:
        await conn.execute(_FILL)
        await conn.execute("VACUUM ANALYZE")
        transaction = conn.transaction()
        await transaction.start()
        yield conn
        await transaction.rollback()


async def wrong(conn: Connection, asked: Asked) -> list[str]:
    """Where the statement reads a whole table, or more rows than it is about."""
    return [
        f"{asked.name}: {one.node} on {one.table}, {one.rows:.0f} rows"
        for one in await plan(conn, asked)
        if one.table in TABLES and (one.rows > asked.most or (one.node == "Seq Scan" and one.rows))
    ]


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_a_step_reads_its_own_closure_alone(conn: Connection, mode: str) -> None:
    await conn.execute(f"SET LOCAL plan_cache_mode = {mode}")
    found = [each for asked in statements() for each in await wrong(conn, asked)]
    assert not found, "\n".join(found)


async def test_it_is_noticed_where_indexes_are_gone(conn: Connection) -> None:
    await conn.execute("DROP INDEX displaced_open, displaced_seats, displaced_by_one_closure")
    await conn.execute("ALTER TABLE displaced DROP CONSTRAINT displaced_pkey")
    found = {asked.name for asked in statements() if await wrong(conn, asked)}
    assert found >= {"seatless", "held", "overdue", "next", "counts", "kept"}

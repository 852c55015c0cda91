"""What booking and availability ask of the database stays small however much is in it.

At the size of a city: fifteen sites, a quarter of cells, as many cases and bookings as they hold.
Every table that grows is reached by an index, and no statement touches more rows than it is about.
Of the answers to keys, which a function looks for, ``test_recall`` proves it.
"""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.reservation.store import bookings, cases, cells, places, seat_days
from shared.db import Connection, Database
from shared.ids import derived_id
from tests.support.sizes import proof_size

DAYS = proof_size(60, 366)
SITES = [f"site-{number:02}" for number in range(15)]
FIRST = datetime(2026, 4, 1, 0, 0, tzinfo=UTC)
NOW = FIRST - timedelta(hours=1)
GROW = {"cell", "booking", "case_facts", "seat_return", "seat_change", "message"}
GROUP = 50
RETURNS = 70
"""Of one site on one day; many share a cell."""

_ID = "('{kind}0000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid"
_CASE, _BOOKING, _PARTY = (_ID.format(kind=kind) for kind in (1, 2, 3))
_SITE = "'site-' || lpad((n % 15)::text, 2, '0')"
_AT = f"""
'{FIRST.isoformat()}'::timestamptz + make_interval(days => n / 15 % {DAYS}, mins => 20 * (n % 25))
"""
_COUNT = 15 * DAYS * RETURNS
_FILL = f"""
INSERT INTO site (site_id, state, version, definition, made_until, changed_at)
SELECT {_SITE}, 'open', 1, '{{}}', '2027-06-01', now() FROM generate_series(0, 14) n;

INSERT INTO cell (site_id, starts_at, capacity, booked)
SELECT {_SITE}, '{FIRST.isoformat()}'::timestamptz + make_interval(days => d, mins => 10 * c), 8, 3
FROM generate_series(0, 14) n, generate_series(0, {DAYS - 1}) d, generate_series(0, 50) c;

INSERT INTO case_facts (case_id, ward, notice_seq, number_key, login_key, key_id)
SELECT {_CASE}, '141313', 1, 'number-' || n, 'login-' || n, 'n1'
FROM generate_series(0, {_COUNT}) n;

INSERT INTO booking (booking_id, case_id, party_id, site_id, starts_at, minutes, procedure,
                     made_at, changed_at)
SELECT {_BOOKING}, {_CASE}, {_PARTY}, {_SITE}, {_AT}, 20, 'card_issuance', now(), now()
FROM generate_series(0, {_COUNT}) n;

INSERT INTO seat_return (site_id, starts_at, return_id, due_at)
SELECT {_SITE}, {_AT}, {_BOOKING}, now() FROM generate_series(0, {_COUNT}) n;
"""


@dataclass(frozen=True)
class Touched:
    """Rows of one table that a plan read, those it threw away too, and how."""

    node: str
    table: str
    rows: float


@dataclass(frozen=True)
class Asked:
    """A statement as the room sends it, and how many rows of one table it may touch."""

    name: str
    sql: str
    values: Sequence[Any]
    most: int


AT = [FIRST + timedelta(days=n % DAYS, minutes=20 * (n % 25)) for n in range(GROUP)]
OF = [SITES[n % 15] for n in range(GROUP)]
CASES = [UUID(bytes=derived_id("new", n).bytes) for n in range(GROUP)]
WEEK = [date(2026, 4, 1) + timedelta(days=n) for n in range(60)]


def statements() -> list[Asked]:
    """What a group of bookings and an availability over sixty days ask."""
    wanted = sorted({(site, at + timedelta(minutes=10 * n))
                     for site, at in zip(OF, AT, strict=True) for n in (0, 1)})  # fmt: skip
    where, when = [site for site, _ in wanted], [at for _, at in wanted]
    starts = [FIRST + timedelta(days=n) for n in range(60)]
    ends = [at + timedelta(days=1) for at in starts]
    return [
        Asked("sites", places._READ_ALL, [SITES], 15),
        Asked("cases", cases._LOCK, [_known(GROUP)], GROUP),
        Asked("cells", cells._LOCK_ALL, [where, when, NOW], 10 * len(wanted)),
        Asked("taking", cells._TAKE_ALL, [where, when, [1] * len(when)], len(when)),
        Asked("one hold", cells._CLAIM, ["site-01", AT[:2], [1, 1], NOW, 0], 2 * RETURNS),
        Asked(
            "bookings",
            bookings._INSERT_FREE,
            [CASES, CASES, CASES, OF, AT, [20] * GROUP, ["card_issuance"] * GROUP,
             [None] * GROUP, NOW],
            GROUP,
        ),
        Asked("active", bookings._ACTIVE, [_known(GROUP)], GROUP),
        Asked("login", cases._BY_LOGIN, [["n1"], ["login-7"]], 1),
        Asked("number", cases._BY_NUMBER, [["number-7"]], 1),
        Asked("a look", seat_days._LOOK, ["999999999"], 1),
        Asked("sixty days", seat_days._DAYS, [["site-01"] * 60, WEEK, starts, ends], 60 * 52 * 2),
    ]  # fmt: skip


def _known(count: int) -> list[UUID]:
    return [UUID(f"10000000-0000-4000-8000-{n:012x}") for n in range(count)]


@pytest.fixture
async def conn(database: Database) -> AsyncIterator[Connection]:
    """A connection to a city of realistic size, in a transaction that is undone."""
    async with database.reader() as conn:
        await conn.execute(_FILL)
        await conn.execute("VACUUM ANALYZE")
        transaction = conn.transaction()
        await transaction.start()
        yield conn
        await transaction.rollback()


async def plan(conn: Connection, asked: Asked) -> list[Touched]:
    """What the statement touched, when it was really run."""
    found = await conn.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {asked.sql}", *asked.values)
    return list(_touched(json.loads(found)[0]["Plan"]))


def _touched(node: Mapping[str, Any]) -> Iterator[Touched]:
    if "Relation Name" in node and node["Node Type"] != "ModifyTable":
        thrown = sum(node.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck"))
        rows = (node["Actual Rows"] + thrown) * node["Actual Loops"]
        yield Touched(node["Node Type"], node["Relation Name"], rows)
    for below in node.get("Plans", ()):
        yield from _touched(below)


def wrong(asked: Asked, touched: Sequence[Touched]) -> list[str]:
    """What a plan does that it must not."""
    return [
        f"{asked.name}: {one.node} on {one.table}, {one.rows:.0f} rows"
        for one in touched
        if one.table in GROW and (one.node == "Seq Scan" or one.rows > asked.most)
    ]


@pytest.mark.proof
@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_every_statement_uses_an_index_and_few_rows(conn: Connection, mode: str) -> None:
    await conn.execute(f"SET LOCAL plan_cache_mode = {mode}")
    found = [each for asked in statements() for each in wrong(asked, await plan(conn, asked))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("name", "drop"),
    [
        ("cells", "ALTER TABLE cell DROP CONSTRAINT cell_pkey CASCADE"),
        ("sixty days", "ALTER TABLE cell DROP CONSTRAINT cell_pkey CASCADE"),
        ("cases", "ALTER TABLE case_facts DROP CONSTRAINT case_facts_pkey CASCADE"),
        ("active", "DROP INDEX one_active_booking_per_case"),
        ("login", "DROP INDEX case_by_login"),
        ("number", "DROP INDEX case_by_number"),
    ],
)
async def test_the_guard_notices_an_index_that_is_gone(
    conn: Connection, name: str, drop: str
) -> None:
    await conn.execute(drop)
    (asked,) = (one for one in statements() if one.name == name)
    assert wrong(asked, await plan(conn, asked))

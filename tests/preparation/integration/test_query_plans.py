"""What is asked while cards are locked, or again and again, goes by indexes, however many cards."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.preparation.store import needs, pace, transfers
from shared.db import Connection, Database
from shared.ids import new_id

CARDS = 3_000
MANY = f"""
INSERT INTO lot_import (import_id, digest, imported_at, row_count, rows_done, finished_at)
VALUES (gen_random_uuid(), sha256('x'), now(), 1, 1, now());
INSERT INTO lot (lot_id, received_at) VALUES ('L', now());
INSERT INTO shelf (site_id, shelf, last) VALUES ('here', 'A', {CARDS});
INSERT INTO card (case_id, card_reference, lot_id, lot_row, ward, kind, applied_on, shipped_on,
                  card_expires_on, stage, stage_since, site_id, shelf_position)
SELECT gen_random_uuid(), 'KC-' || n, 'L', n, '141313', 'new', '2026-03-01', '2026-04-01',
       '2036-03-01', 'shelved', now(), 'here', 'A-' || n
FROM generate_series(1, {CARDS}) AS n;
INSERT INTO transfer (transfer_id, from_site_id, to_site_id, sealed_at, sealed_by, seal, due_on,
                      card_count)
SELECT gen_random_uuid(), 'here', 'there', now(), 'x', 'x', '2026-05-01', 10
FROM generate_series(1, {CARDS // 10}) AS n;
INSERT INTO transfer_card (transfer_id, case_id, left_position, reason)
SELECT t.transfer_id, c.case_id, c.shelf_position, 'chosen'
FROM (SELECT transfer_id, row_number() OVER () AS n FROM transfer) t
JOIN (SELECT case_id, shelf_position, row_number() OVER () AS n FROM card) c
  ON (c.n - 1) / 10 + 1 = t.n;
ANALYZE;
"""
BOOKED = """
INSERT INTO booking (case_id, booking_id, state, site_id, starts_at, sequence)
SELECT case_id, gen_random_uuid(), 'booked', 'there',
       '2026-04-01 00:00Z'::timestamptz + make_interval(hours => lot_row), 1 FROM card;
ANALYZE booking;
"""
NOW = datetime(2026, 5, 1, tzinfo=UTC)
OR = """
SELECT FROM card
WHERE case_id = ANY($2::uuid[]) OR card_reference = ANY($3::text[])
   OR case_id IN (SELECT case_id FROM transfer_card
                  WHERE transfer_id = $1 AND state IN ('under_way', 'missing'))
ORDER BY case_id FOR UPDATE
"""


def looked_up(node: dict[str, Any]) -> bool:
    """Whether a table is asked for some rows, by an index."""
    return "Index Cond" in node or "Recheck Cond" in node


async def plan(conn: Connection, how: str, sql: str, *values: Any) -> list[dict[str, Any]]:
    """The steps of a statement."""
    (explained,) = json.loads(await conn.fetchval(f"EXPLAIN ({how}, FORMAT JSON) {sql}", *values))
    steps = [explained["Plan"]]
    for node in steps:
        steps += node.get("Plans", [])
    return steps


async def scanned(conn: Connection, sql: str, *values: Any) -> set[str]:
    """The tables that a statement reads from end to end."""
    return {
        node["Relation Name"]
        for node in await plan(conn, "COSTS", sql, *values)
        if "Scan" in node["Node Type"] and "Relation Name" in node and not looked_up(node)
    }


@pytest.mark.parametrize(("sql", "tables"), [(transfers._LOCK_OPEN, set()), (OR, {"card"})])
async def test_emptying_a_bag_looks_at_its_cards_alone(
    database: Database, sql: str, tables: set[str]
) -> None:
    """As one condition of three the same question reads every card: the plan is no accident."""
    async with database.transaction() as conn:
        await conn.execute(MANY)
        bag = await conn.fetchval("SELECT transfer_id FROM transfer LIMIT 1")
        assert await scanned(conn, sql, bag, [new_id()], ["KC-7", "KC-8"]) == tables


async def test_young_bookings_are_not_all_read_again_for_each_card(database: Database) -> None:
    """Seats are weighed against invitations while the table fills and has no statistics yet."""
    async with database.transaction() as conn:
        await conn.execute(MANY)
        await conn.execute(BOOKED.removesuffix("ANALYZE booking;\n"))
        await conn.execute("UPDATE card SET stage = 'notified'")
        site, day = ["here"], [NOW.date()]
        for mode in ("force_custom_plan", "force_generic_plan"):
            await conn.execute(f"SET LOCAL plan_cache_mode = {mode}")
            steps = await plan(conn, "ANALYZE", pace._DEMANDS, site, day, day, NOW, NOW.date())
            read = [node for node in steps if node.get("Relation Name") == "booking"]
            assert read
            assert all(looked_up(node) or node["Actual Loops"] <= 1 for node in read)


async def test_cards_not_in_time_are_looked_for_among_the_next_visits(database: Database) -> None:
    """Asked for at every look at what is due: of all bookings, those of the time alone are read."""
    until = NOW + timedelta(days=1)
    async with database.transaction() as conn:
        await conn.execute(MANY)
        await conn.execute(BOOKED)
        for mode in ("force_custom_plan", "force_generic_plan"):
            await conn.execute(f"SET LOCAL plan_cache_mode = {mode}")
            assert await scanned(conn, needs._AT_RISK, NOW, until, 500) <= {"transfer_failure"}
        assert len(await conn.fetch(needs._AT_RISK, NOW, until, 500)) == 23

"""Work that looks again and again whether something is due reads little, however much there is."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from services.reservation.store import bookings, phone_list, seat_days, standing, waitlist
from shared.db import Connection, Database
from tests.reservation.integration.test_closing_plans import _FILL, wrong
from tests.reservation.integration.test_query_plans import Asked, plan

NOW = datetime(2026, 4, 10, tzinfo=UTC)
DAY = timedelta(days=1)
FEW = 200
_SUSPENSIONS = """
INSERT INTO suspension (suspension_id, site_id, procedures, starts_at, ends_at, reason, bookings,
                        commanded_at, resumed_at)
SELECT gen_random_uuid(), 'site-' || n % 15, '{card_issuance}', '2026-01-01'::timestamptz,
       '2026-01-02', 'outage', 'keep', '2026-01-01', '2026-01-02'
FROM generate_series(1, 2000) n;
INSERT INTO suspension (suspension_id, site_id, procedures, starts_at, reason, bookings,
                        commanded_at, resumed_at)
SELECT gen_random_uuid(), site, '{card_issuance}', '2026-04-10 00:00Z', 'outage', 'keep',
       '2026-04-10 00:00Z', over
FROM (VALUES ('site-1', NULL), ('site-2', '2026-04-10 00:00Z'::timestamptz)) AS s(site, over);
"""


@pytest.fixture
async def conn(database: Database) -> AsyncIterator[Connection]:
    """A connection to a room with many bookings, past and present suspensions."""
    async with database.reader() as conn:
        await conn.execute(_FILL)
        await conn.execute(_SUSPENSIONS)
        await conn.execute("VACUUM ANALYZE")
        transaction = conn.transaction()
        await transaction.start()
        yield conn
        await transaction.rollback()


async def test_nothing_due_costs_little(conn: Connection) -> None:
    asked = [
        Asked("told of a suspension", standing._BEGUN, [NOW, DAY, 200], FEW),
        Asked("told that it is over", standing._OVER, [NOW, DAY, 200], FEW),
        Asked("without sign-off", bookings._UNSIGNED, [NOW, "not_signed_off", 500], FEW),
        Asked("signed off", phone_list._ENDED, [NOW, 500], FEW),
        Asked("waited for", waitlist._WAITED_FOR, ["site-1", NOW.date(), NOW.date()], FEW),
    ]
    for mode in ("force_custom_plan", "force_generic_plan"):
        await conn.execute(f"SET LOCAL plan_cache_mode = {mode}")
        found = [each for one in asked for each in await wrong(conn, one)]
        assert not found, "\n".join([mode, *found])
    assert len(await conn.fetch(standing._BEGUN, NOW, DAY, 200)) > 0


async def test_changes_of_seats_are_not_read_while_the_oldest_is_young(conn: Connection) -> None:
    await conn.execute(
        "INSERT INTO seat_change (xid, site_id) SELECT n::text::xid8, 'site-1'"
        " FROM generate_series(1, 20000) n"
    )
    await conn.execute("ANALYZE seat_change")
    values = [seat_days.KEPT, 5000, seat_days.PATIENCE]
    for mode in ("force_custom_plan", "force_generic_plan"):
        await conn.execute(f"SET LOCAL plan_cache_mode = {mode}")
        touched = await plan(conn, Asked("forgotten", seat_days._FORGET, values, 1))
        assert sum(one.rows for one in touched) <= 1, touched

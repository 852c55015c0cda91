"""Which work of a day is done."""

from collections.abc import Sequence
from datetime import date, datetime

from shared.db import Connection

_DONE = "SELECT 1 FROM daily_work WHERE name = $1 AND business_date = $2"
_DONE_AMONG = """
SELECT name, business_date FROM daily_work
JOIN unnest($1::text[], $2::date[]) AS w(name, business_date) USING (name, business_date)
"""
_MARK = """
INSERT INTO daily_work (name, business_date, done_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
"""
_FORGET = "DELETE FROM daily_work WHERE name = $1 AND business_date < $2"


async def is_done(conn: Connection, name: str, day: date) -> bool:
    """Whether the work of ``day`` is done."""
    return await conn.fetchval(_DONE, name, day) is not None


async def done_among(conn: Connection, asked: Sequence[tuple[str, date]]) -> set[tuple[str, date]]:
    """Which of these works of a day are done."""
    if not asked:
        return set()
    rows = await conn.fetch(_DONE_AMONG, *zip(*asked, strict=True))
    return {(row["name"], row["business_date"]) for row in rows}


async def mark(conn: Connection, name: str, day: date, at: datetime) -> None:
    """The work of ``day`` is done; earlier days are no longer asked for."""
    await conn.execute(_MARK, name, day, at)
    await conn.execute(_FORGET, name, day)

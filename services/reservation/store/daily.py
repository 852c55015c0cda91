"""Which work of a day is done."""

from datetime import date, datetime

from shared.db import Connection

_DONE = "SELECT 1 FROM daily_work WHERE name = $1 AND business_date = $2"
_MARK = """
INSERT INTO daily_work (name, business_date, done_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
"""
_FORGET = "DELETE FROM daily_work WHERE name = $1 AND business_date < $2"


async def is_done(conn: Connection, name: str, day: date) -> bool:
    """Whether the work of ``day`` is done."""
    return await conn.fetchval(_DONE, name, day) is not None


async def mark(conn: Connection, name: str, day: date, at: datetime) -> None:
    """The work of ``day`` is done; earlier days are no longer asked for."""
    await conn.execute(_MARK, name, day, at)
    await conn.execute(_FORGET, name, day)

"""Marks of what was done on a day, so that it is done once."""

from datetime import date

from shared.db import Connection


async def is_done(conn: Connection, name: str, day: date) -> bool:
    """Whether ``name`` was done on ``day`` or later."""
    return await conn.fetchval(_IS_DONE, name, day) is not None


async def mark(conn: Connection, name: str, day: date) -> None:
    """Say that ``name`` is done for ``day``."""
    await conn.execute(_MARK, name, day)


_IS_DONE = "SELECT 1 FROM daily_mark WHERE name = $1 AND done_on >= $2"
_MARK = """
INSERT INTO daily_mark AS m (name, done_on) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET done_on = greatest(m.done_on, excluded.done_on)
"""

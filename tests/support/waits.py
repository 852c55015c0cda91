"""Races that go by what the database does instead of by the clock: who waits for whom there."""

import asyncio

from shared.db import Connection, Database

_WAITING = (
    "SELECT query FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


async def waiting(conn: Connection) -> str | None:
    """The statement of a transaction that waits for another now."""
    found: str | None = await conn.fetchval(_WAITING)
    return found


async def who_waits(database: Database) -> str:
    """``waiting``, once one does; the test's time-out bounds it."""
    async with database.reader() as conn:
        while (found := await waiting(conn)) is None:  # noqa: ASYNC110  another process says it
            await asyncio.sleep(0.01)
    return found

"""PostgreSQL through asyncpg: one pool per process, every session with time-outs.

A statement that hangs or a transaction left open would hold back ``xmin``, and with it every
relay of the cluster; both end by themselves here.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from asyncpg.pool import PoolConnectionProxy

Connection = asyncpg.Connection | PoolConnectionProxy
Row = asyncpg.Record

SESSION = {
    "statement_timeout": "60000",
    "idle_in_transaction_session_timeout": "15000",
    "lock_timeout": "20000",
    # A client whose machine is gone holds its locks, a relay its shards, until this tells.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "timezone": "UTC",
    "jit": "off",
}
"""Session settings in milliseconds where a time (keepalives: seconds); JIT costs more than it gives
on short queries.
"""

PLANNED_ONCE = {"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"}
"""Plans a statement once for a connection, whatever it is asked with. Otherwise one that takes an
array is planned anew each time, and for a few rows that costs more than to run it. A plan that is
kept must not be the one that was best while a table was empty: reading it from end to end.
"""


async def _leave(_: asyncpg.Connection) -> None:
    """Nothing to reset: the pool rolls back by itself, and settings, locks and listeners that
    outlive a transaction belong to a ``session``. Resetting would be a round trip for each use.
    """


class Database:
    """A pool of connections to one room's database; what is set there ends with its transaction."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @classmethod
    async def connect(
        cls,
        url: str,
        *,
        application: str,
        min_size: int = 0,
        max_size: int = 10,
        planned_once: bool = False,
    ) -> "Database":
        """Open the pool; without ``min_size`` the server need not be there yet.

        ``planned_once`` is for statements that find few rows by key, whatever the values; who asks
        otherwise says so (``plan_for_values``).
        Raises ``OSError`` or ``asyncpg.PostgresError`` when asked to connect and it cannot.
        """
        pool = await asyncpg.create_pool(
            url,
            min_size=min_size,
            max_size=max_size,
            reset=_leave,
            server_settings={
                **SESSION,
                **(PLANNED_ONCE if planned_once else {}),
                "application_name": application,
            },
        )
        return cls(pool)

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside a READ COMMITTED transaction that commits when the block ends."""
        async with self._pool.acquire() as conn, conn.transaction():
            yield conn

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[Connection]:
        """A connection for reading outside any transaction."""
        async with self._pool.acquire() as conn:
            yield conn

    async def ping(self) -> None:
        """Raise when the server does not answer."""
        async with self._pool.acquire(timeout=2) as conn:
            await conn.execute("SELECT 1", timeout=2)


async def plan_for_values(conn: Connection) -> None:
    """Plan for its values what this transaction asks from now on: a list of a table that grows,
    whose filters may be left out and have an index each.
    """
    await conn.execute(
        "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL enable_seqscan = on"
    )


async def session(url: str, *, application: str) -> asyncpg.Connection:
    """One connection of its own, for locks and LISTEN that live as long as it does.

    Statement time-outs hold; it is not pooled, so the caller closes it.
    """
    return await asyncpg.connect(
        url, server_settings={**SESSION, "application_name": application}, timeout=10
    )

"""Which relay publishes which shard: session advisory locks, so that a dead relay owns nothing.

Every relay holds one shared lock that says "I am here"; counting its holders tells each how many
shards are its fair part. There is no heartbeat to tune: PostgreSQL ends the locks with the session.
"""

from math import ceil

import asyncpg

from shared.messaging.outbox import SHARDS

_CLASS = 0x6D67  # the first half of our advisory lock ids
_PRESENCE = 1000  # the second half: shards use 0 … SHARDS-1

_COUNT = """
SELECT count(*) FROM pg_locks
WHERE locktype = 'advisory' AND classid = $1 AND objid = $2 AND objsubid = 2 AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class ShardOwner:
    """The shards one database session owns."""

    def __init__(self, conn: asyncpg.Connection) -> None:
        self._conn = conn
        self.owned: set[int] = set()

    async def join(self) -> None:
        """Say that this relay is here; the session's end says that it is gone."""
        await self._conn.execute("SELECT pg_advisory_lock_shared($1, $2)", _CLASS, _PRESENCE)

    async def balance(self) -> None:
        """Give up shards beyond our part, then take free ones up to it."""
        relays = await self._conn.fetchval(_COUNT, _CLASS, _PRESENCE)
        part = ceil(SHARDS / max(1, relays))
        for shard in sorted(self.owned)[part:]:
            await self._conn.execute("SELECT pg_advisory_unlock($1, $2)", _CLASS, shard)
            self.owned.discard(shard)
        for shard in range(SHARDS):
            if len(self.owned) >= part:
                return
            if shard not in self.owned and await self._take(shard):
                self.owned.add(shard)

    async def _take(self, shard: int) -> bool:
        taken = await self._conn.fetchval("SELECT pg_try_advisory_lock($1, $2)", _CLASS, shard)
        return bool(taken)

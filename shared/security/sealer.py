"""Seals what units wrote: within a second of its commit every entry is in the hash chain, in the
order (xid, pos), each once.

Only entries with ``xid < pg_snapshot_xmin(pg_current_snapshot())`` are read: every transaction
below it has ended, so nothing can still appear before the last seal. A transaction that stays open
holds back the sealing of later ones until it ends. One sealer per room works at a time; the lock
lives on the connection that writes the seals, so who lost the lock cannot write.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import asyncpg

from shared.db import Row, session
from shared.messaging.failure import backoff, may_heal
from shared.security.chain import GENESIS, seal_hash
from shared.security.checkpoints import AuditSigner, CheckpointStore
from shared.security.notary import Notary

_log = logging.getLogger(__name__)

_POLL_SECONDS: Final = 0.25

_LOCK: Final = "SELECT pg_try_advisory_lock(hashtextextended('madoguchi audit sealer', 0))"

_UNSEALED: Final = """
SELECT * FROM audit_entry
WHERE (xid, pos) > ($1, $2) AND pos > $3 AND xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY xid, pos LIMIT 5000
"""

_LEFT_OVER: Final = """
SELECT e.* FROM audit_entry e LEFT JOIN audit_seal s ON s.pos = e.pos
WHERE s.pos IS NULL ORDER BY e.pos LIMIT 5000
"""

_SEAL: Final = """
INSERT INTO audit_seal (seq, xid, pos, hash)
SELECT * FROM unnest($1::bigint[], $2::xid8[], $3::bigint[], $4::bytea[])
"""

_RECEIPT: Final = """
INSERT INTO audit_receipt (number, seq, hash) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
"""

_LAST: Final = "SELECT * FROM audit_seal ORDER BY seq DESC LIMIT 1"
_ERA: Final = "SELECT * FROM audit_era ORDER BY era DESC LIMIT 1"
_CLUSTER: Final = "SELECT system_identifier FROM pg_control_system()"

_BEGIN_ERA: Final = """
INSERT INTO audit_era (system_identifier, from_seq, from_pos)
SELECT $1, coalesce((SELECT max(seq) FROM audit_seal), 0),
       CASE WHEN $2 THEN coalesce((SELECT max(pos) FROM audit_entry), 0) ELSE 0 END
RETURNING *
"""


@dataclass(frozen=True, slots=True)
class _Tip:
    """How far the chain is, and where reading goes on."""

    seq: int = 0
    hash: bytes = GENESIS
    xid: int = 0
    pos: int = 0
    from_pos: int = 0


class Sealer:
    """Seals one room's entries and, given a signer and a store, signs checkpoints.

    ``every``: least seconds between two checkpoints, which are made only if something is new.
    """

    def __init__(
        self,
        url: str,
        *,
        checkpoints: CheckpointStore | None = None,
        signer: AuditSigner | None = None,
        every: float = 60.0,
    ) -> None:
        self._url = url
        self._notary: Notary | None = None
        if checkpoints is not None and signer is not None:
            self._notary = Notary(checkpoints, signer, every=every)
        self.owner = False

    async def run(self) -> None:
        """Seal until cancelled, reconnecting for ever. Waits while another sealer is at work."""
        failures = 0
        while True:
            started = time.monotonic()
            try:
                await self._session()
            except Exception as error:
                if not may_heal(error):
                    raise
                failures = 0 if time.monotonic() - started > 60 else failures + 1
                _log.warning("sealer lost its session, trying again: %s", type(error).__name__)
                await asyncio.sleep(backoff(failures))

    async def seal_all(self, conn: asyncpg.Connection) -> int:
        """Seal everything that can be sealed now; the number of entries. Needs the lock."""
        tip = await open_chain(conn)
        first = tip.seq
        while (further := await _seal_batch(conn, tip)) != tip:
            tip = further
        await self._checkpoint(conn, tip, wait=True)
        return tip.seq - first

    async def _session(self) -> None:
        conn = await session(self._url, application="madoguchi-sealer")
        try:
            await _become_owner(conn)
            self.owner = True
            tip = await open_chain(conn)
            while True:
                further = await _seal_batch(conn, tip)
                await self._checkpoint(conn, further)
                if further == tip:
                    await asyncio.sleep(_POLL_SECONDS)
                tip = further
        finally:
            self.owner = False
            conn.terminate()
            if self._notary:
                await self._notary.close()

    async def _checkpoint(self, conn: asyncpg.Connection, tip: _Tip, *, wait: bool = False) -> None:
        """Offer the tip, and note the receipt of what was stored: after it, never before."""
        if self._notary is None or tip.seq == 0:
            return
        self._notary.offer(tip.seq, tip.hash)
        made = await self._notary.collect(wait=wait)
        if made is not None:
            await conn.execute(_RECEIPT, made.number, made.seq, made.hash)


async def _become_owner(conn: asyncpg.Connection) -> None:
    while True:
        if await conn.fetchval(_LOCK):
            return
        await asyncio.sleep(_POLL_SECONDS * 2)


async def open_chain(conn: asyncpg.Connection) -> _Tip:
    """The tip of the chain. Begins a new era where the database came from another cluster."""
    era = await conn.fetchrow(_ERA)
    cluster = await conn.fetchval(_CLUSTER)
    if era is None or era["system_identifier"] != cluster:
        era = await _begin_era(conn, cluster, restored=era is not None)
    last = await conn.fetchrow(_LAST)
    if last is None:
        return _Tip(from_pos=era["from_pos"])
    tip = _Tip(last["seq"], last["hash"], from_pos=era["from_pos"])
    # A seal of an earlier era says nothing about transaction ids of this cluster.
    return replace(tip, xid=last["xid"], pos=last["pos"]) if tip.seq > era["from_seq"] else tip


async def _begin_era(conn: asyncpg.Connection, cluster: int, *, restored: bool) -> Row:
    """Seal what the other cluster left unsealed, while nobody writes, and note where it ends."""
    async with conn.transaction():
        if restored:
            _log.warning("the database came from another cluster: a new era of the audit begins")
            await conn.execute("LOCK TABLE audit_entry IN SHARE MODE")
            last = await conn.fetchrow(_LAST)
            tip = _Tip(last["seq"], last["hash"]) if last else _Tip()
            while rows := await conn.fetch(_LEFT_OVER):
                tip = await _write(conn, tip, rows)
        row = await conn.fetchrow(_BEGIN_ERA, cluster, restored)
    if row is None:
        raise RuntimeError("INSERT … RETURNING gave no row")
    return row


async def _seal_batch(conn: asyncpg.Connection, tip: _Tip) -> _Tip:
    rows = await conn.fetch(_UNSEALED, tip.xid, tip.pos, tip.from_pos)
    return await _write(conn, tip, rows) if rows else tip


async def _write(conn: asyncpg.Connection, tip: _Tip, rows: Sequence[Row]) -> _Tip:
    """One statement for all seals; the primary key refuses a second sealer's."""
    hashes, before = [], tip.hash
    for seq, row in enumerate(rows, start=tip.seq + 1):
        before = seal_hash(before, seq, row)
        hashes.append(before)
    await conn.execute(
        _SEAL,
        range(tip.seq + 1, tip.seq + 1 + len(rows)),
        [row["xid"] for row in rows],
        [row["pos"] for row in rows],
        hashes,
    )
    last = rows[-1]
    return replace(tip, seq=tip.seq + len(rows), hash=before, xid=last["xid"], pos=last["pos"])

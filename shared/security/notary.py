"""Signs checkpoints and stores them beside the sealing, which never waits for the other database:
while that one is away or slow, entries go on being sealed and the checkpoint is tried again.
"""

import asyncio
import logging
import time
from contextlib import suppress
from datetime import UTC, datetime

import asyncpg

from shared.security.checkpoints import AuditSigner, Checkpoint, CheckpointStore

_log = logging.getLogger(__name__)


class Notary:
    """One checkpoint at a time, at least ``every`` seconds apart, only where something is new."""

    def __init__(self, store: CheckpointStore, signer: AuditSigner, *, every: float) -> None:
        self._store = store
        self._signer = signer
        self._every = every
        self._due = 0.0
        self._seq = 0
        self._work: asyncio.Task[Checkpoint | None] | None = None

    def offer(self, seq: int, hash_: bytes) -> None:
        """Begin a checkpoint of the chain at ``seq``, unless one is at work or it is too early."""
        if self._work is None and seq != self._seq and time.monotonic() >= self._due:
            self._due = time.monotonic() + self._every
            self._work = asyncio.create_task(self._add(seq, hash_))

    async def collect(self, *, wait: bool = False) -> Checkpoint | None:
        """The checkpoint stored since the last call, for the room's receipt."""
        if self._work is None or not (wait or self._work.done()):
            return None
        work, self._work = self._work, None
        return await work

    async def close(self) -> None:
        """Stop what is at work; a checkpoint half stored is none."""
        if self._work is not None:
            self._work.cancel()
            with suppress(asyncio.CancelledError):
                await self._work

    async def _add(self, seq: int, hash_: bytes) -> Checkpoint | None:
        try:
            made = await self._next(seq, hash_)
            if made is not None:
                await self._store.add(self._signer.sign(made))
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            _log.warning("checkpoint not stored, trying again: %s", type(error).__name__)
            return None
        self._seq = seq
        return made

    async def _next(self, seq: int, hash_: bytes) -> Checkpoint | None:
        """None where the store already knows as much."""
        last = await self._store.last()
        number, known = (last.checkpoint.number, last.checkpoint.seq) if last else (0, 0)
        if known > seq:
            _log.error("the audit ends at %d, but checkpoint %d knew %d", seq, number, known)
        if known >= seq:
            return None
        return Checkpoint(self._store.chain, number + 1, seq, hash_, datetime.now(UTC))

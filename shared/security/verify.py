"""Verifies a room's audit: recomputes the whole chain from its entries and compares it with the
signed checkpoints. Reads only, page by page, and tells the first thing that is wrong.

What it cannot see: entries cut off after the last checkpoint together with their seals, and a cut
made in both databases at once. Checkpoints are frequent so that the first is small, and stand in
another database so that the second is hard.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import asyncpg

from shared.db import Row
from shared.security.chain import GENESIS, seal_hash
from shared.security.checkpoints import CheckpointStore, PublicKeys, SignedCheckpoint

Progress = Callable[[int, int], None]
"""Called with the entries verified so far and their total."""

_PAGE: Final = 10_000

_SEALS: Final = """
SELECT s.seq, s.hash, s.xid AS sealed_xid, e.*
FROM audit_seal s LEFT JOIN audit_entry e ON e.pos = s.pos
WHERE s.seq > $1 AND s.seq <= $2 ORDER BY s.seq
"""

# Not sealed although a later one is: it was put in behind the sealer's back.
_UNSEALED: Final = """
WITH era AS (SELECT from_seq, from_pos FROM audit_era ORDER BY era DESC LIMIT 1),
     last AS (SELECT xid, pos FROM audit_seal, era WHERE seq > era.from_seq
              ORDER BY seq DESC LIMIT 1)
SELECT count(*) AS waiting,
       min(e.pos) FILTER (WHERE e.pos <= (SELECT from_pos FROM era)
                             OR (e.xid, e.pos) <= (SELECT xid, pos FROM last)) AS passed_over
FROM audit_entry e LEFT JOIN audit_seal s ON s.pos = e.pos
WHERE s.pos IS NULL
"""


class Wrong(StrEnum):
    """What can be wrong with an audit."""

    CHANGED = "changed"
    """An entry is not what was sealed."""
    REMOVED = "removed"
    """An entry or a seal in the middle is gone."""
    INSERTED = "inserted"
    """An entry stands before the last seal and was never sealed."""
    REWRITTEN = "rewritten"
    """The chain is consistent but not the one that was signed."""
    CUT_END = "cut_end"
    """The chain ends before its last checkpoint."""
    MISSING_CHECKPOINT = "missing_checkpoint"
    """A checkpoint that was stored is gone."""
    BAD_SIGNATURE = "bad_signature"
    """A checkpoint is not signed by a known key."""


@dataclass(frozen=True, slots=True)
class Break:
    """The first thing wrong. ``seq`` counts in the chain, ``pos`` names the entry's row."""

    wrong: Wrong
    text: str
    seq: int | None = None
    pos: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Counts, and the first break if there is one. ``unsealed`` wait for the sealer."""

    sealed: int
    unsealed: int
    checkpoints: int
    first_break: Break | None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.first_break is None


class _BreakFound(Exception):  # noqa: N818  it ends the search, and is what was searched
    def __init__(self, wrong: Wrong, text: str, seq: int | None = None, pos: int | None = None):
        super().__init__(text)
        self.found = Break(wrong, text, seq, pos)


async def verify(
    conn: asyncpg.Connection,
    *,
    checkpoints: CheckpointStore | None,
    keys: PublicKeys,
    progress: Progress = lambda _done, _total: None,
) -> Report:
    """Verify the audit of the room behind ``conn``; ``keys`` verify the checkpoints.

    Raises ``OSError`` or ``asyncpg.PostgresError`` when a database cannot be read.
    """
    # In this order, as a sealer at work writes seals, then their checkpoint, then its receipt.
    receipts = await conn.fetch("SELECT number FROM audit_receipt ORDER BY number")
    signed = await checkpoints.all() if checkpoints else []
    total = await conn.fetchval("SELECT coalesce(max(seq), 0) FROM audit_seal")
    found: Break | None = None
    try:
        _verify_checkpoints(signed, receipts, keys)
        await _verify_chain(conn, total, signed, progress)
    except _BreakFound as broken:
        found = broken.found
    unsealed, passed_over = await _unsealed(conn)
    if found is None and passed_over is not None:
        text = f"entry {passed_over} was never sealed although later ones are"
        found = Break(Wrong.INSERTED, text, pos=passed_over)
    return Report(total, unsealed, len(signed), found)


def _verify_checkpoints(
    signed: Sequence[SignedCheckpoint], receipts: Sequence[Row], keys: PublicKeys
) -> None:
    for number, each in enumerate(signed, start=1):
        made = each.checkpoint
        if made.number != number:
            raise _missing(number)
        if not each.holds(keys):
            text = f"checkpoint {number} is not signed by a known key (it names {each.key_id})"
            raise _BreakFound(Wrong.BAD_SIGNATURE, text, made.seq)
    if receipts and receipts[-1]["number"] > len(signed):
        raise _missing(len(signed) + 1)


def _missing(number: int) -> _BreakFound:
    return _BreakFound(Wrong.MISSING_CHECKPOINT, f"checkpoint {number} is gone")


async def _verify_chain(
    conn: asyncpg.Connection, total: int, signed: Sequence[SignedCheckpoint], progress: Progress
) -> None:
    before, done = GENESIS, 0
    waiting = iter(signed)
    following = next(waiting, None)
    for start in range(0, total, _PAGE):
        end = min(start + _PAGE, total)
        for seq, row in _numbered(await conn.fetch(_SEALS, start, end), start, end):
            before = _verify_seal(before, seq, row)
            while following and following.checkpoint.seq == seq:
                _compare(following, before)
                following = next(waiting, None)
            done = seq
        progress(done, total)
    if following:
        text = f"the chain ends at {total}, but checkpoint {following.checkpoint.number} knew more"
        raise _BreakFound(Wrong.CUT_END, text, following.checkpoint.seq)


def _numbered(rows: Sequence[Row], start: int, end: int) -> Iterator[tuple[int, Row]]:
    """The rows with the numbers they must have."""
    for seq, row in enumerate(rows, start=start + 1):
        if row["seq"] != seq:
            raise _BreakFound(Wrong.REMOVED, f"seal {seq} is gone", seq)
        yield seq, row
    if len(rows) < end - start:
        seq = start + len(rows) + 1
        raise _BreakFound(Wrong.REMOVED, f"seal {seq} is gone", seq)


def _verify_seal(before: bytes, seq: int, row: Row) -> bytes:
    if row["pos"] is None:
        raise _BreakFound(Wrong.REMOVED, f"the entry of seal {seq} is gone", seq)
    computed = seal_hash(before, seq, row)
    if computed != row["hash"] or row["sealed_xid"] != row["xid"]:
        text = f"entry {row['pos']} is not what seal {seq} says"
        raise _BreakFound(Wrong.CHANGED, text, seq, row["pos"])
    return computed


def _compare(signed: SignedCheckpoint, computed: bytes) -> None:
    made = signed.checkpoint
    if made.hash != computed:
        text = f"the chain up to {made.seq} is not the one checkpoint {made.number} was signed for"
        raise _BreakFound(Wrong.REWRITTEN, text, made.seq)


async def _unsealed(conn: asyncpg.Connection) -> tuple[int, int | None]:
    async with conn.transaction(readonly=True):
        await conn.execute("SET LOCAL statement_timeout = 0")
        row = await conn.fetchrow(_UNSEALED)
    if row is None:
        raise RuntimeError("an aggregate gave no row")
    return row["waiting"], row["passed_over"]

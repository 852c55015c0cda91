"""Notices: who has one, under which keyed hashes. A hash is one case's, so a number is too."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from shared.db import Connection
from shared.ids import CaseId, SiteId


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as it is kept; the number itself is not.

    Without ``secret_id`` another system had drawn the number, and nobody here can again.
    """

    case_id: CaseId
    notice_seq: int
    secret_id: str | None
    attempt: int
    number_key: str
    login_key: str
    key_id: str
    pickup_deadline: date
    site_id: SiteId
    """Where the card lay when the notice was made."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Notices made together; ``printed_at`` once somebody has said that they are printed."""

    batch_id: UUID
    created_at: datetime
    notice_count: int
    notice_seq: int = 1
    printed_at: datetime | None = None
    over_pace: int = 0
    """How many of them were beyond the pace of their sites, because somebody wanted it so."""


async def birth_dates(conn: Connection, case_ids: Collection[CaseId]) -> dict[CaseId, bytes]:
    """The sealed birth dates of these cases."""
    rows = await conn.fetch(_BIRTH_DATES, list(case_ids))
    return {row["case_id"]: row["sealed"] for row in rows}


async def drop_birth_dates(conn: Connection, case_ids: Collection[CaseId]) -> None:
    """Forget the birth dates of these cases."""
    await conn.execute(_DROP_BIRTH_DATES, list(case_ids))


async def open_batch(conn: Connection, batch: Batch) -> None:
    """Begin a batch."""
    await conn.execute(
        _OPEN_BATCH,
        batch.batch_id,
        batch.created_at,
        batch.notice_count,
        batch.notice_seq,
        batch.over_pace,
    )


async def add(conn: Connection, batch_id: UUID, notices: Sequence[Notice]) -> set[CaseId]:
    """Write notices; those whose number is taken are left out. Returns the cases written.

    Raises ``asyncpg.UniqueViolationError`` where a case has this notice already.
    """
    rows = await conn.fetch(
        _ADD,
        batch_id,
        [n.case_id for n in notices],
        [n.notice_seq for n in notices],
        [n.secret_id for n in notices],
        [n.attempt for n in notices],
        [n.number_key for n in notices],
        [n.login_key for n in notices],
        [n.key_id for n in notices],
        [n.pickup_deadline for n in notices],
        [n.site_id for n in notices],
    )
    return {row["case_id"] for row in rows}


async def taken(conn: Connection, number_keys: Collection[str]) -> set[str]:
    """Those keyed hashes that belong to a notice."""
    rows = await conn.fetch(_TAKEN, list(number_keys))
    return {row["number_key"] for row in rows}


async def find_batch(conn: Connection, batch_id: UUID) -> Batch | None:
    """One batch."""
    row = await conn.fetchrow(_FIND_BATCH, batch_id)
    return Batch(**row) if row else None


async def newest(conn: Connection, after: tuple[datetime, UUID] | None, limit: int) -> list[Batch]:
    """Batches, the newest first, after a batch's (created_at, batch_id)."""
    at, batch_id = after or (None, None)
    return [Batch(**row) for row in await conn.fetch(_NEWEST, at, batch_id, limit)]


_BIRTH_DATES = "SELECT case_id, sealed FROM sealed_birth_date WHERE case_id = ANY($1::uuid[])"
_DROP_BIRTH_DATES = "DELETE FROM sealed_birth_date WHERE case_id = ANY($1::uuid[])"
_OPEN_BATCH = """
INSERT INTO notice_batch (batch_id, created_at, notice_count, notice_seq, over_pace)
VALUES ($1, $2, $3, $4, $5)
"""
_ADD = """
INSERT INTO notice (batch_id, case_id, notice_seq, secret_id, attempt, number_key, login_key,
                    key_id, pickup_deadline, site_id, own_number)
SELECT $1, *, true FROM unnest($2::uuid[], $3::int[], $4::text[], $5::int[], $6::text[],
                               $7::text[], $8::text[], $9::date[], $10::text[])
ON CONFLICT (number_key) WHERE notice_seq = 1 DO NOTHING
RETURNING case_id
"""
_TAKEN = "SELECT number_key FROM notice WHERE number_key = ANY($1::text[])"
_BATCHES = """
SELECT batch_id, created_at, notice_count, notice_seq, printed_at, over_pace FROM notice_batch
"""
_NEWEST = f"""{_BATCHES}
WHERE $1::timestamptz IS NULL OR (created_at, batch_id) < ($1, $2::uuid)
ORDER BY created_at DESC, batch_id DESC LIMIT $3
"""
_FIND_BATCH = f"{_BATCHES} WHERE batch_id = $1"

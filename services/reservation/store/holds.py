"""Holds. One per holder is a unique index; nothing here looks first."""

from datetime import datetime

import asyncpg

from services.reservation.domain.hold import Hold, HoldBusy, HoldId, HoldState
from shared.db import Connection, Row
from shared.ids import CaseId, PartyId

_COLUMNS = """
hold_id, holder, case_ids, minutes, site_id, starts_at, made_at, expires_at, state, party_id
"""
_READ = f"SELECT {_COLUMNS} FROM hold WHERE hold_id = $1"  # noqa: S608  only our column list
_LOCK = _READ + " FOR UPDATE"
_OWN = f"SELECT {_COLUMNS} FROM hold WHERE holder = $1 AND state = 'held'"  # noqa: S608
_LOCK_OWN = _OWN + " FOR UPDATE"
_INSERT = """
INSERT INTO hold (hold_id, holder, case_ids, minutes, site_id, starts_at, made_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_END = "UPDATE hold SET state = $2, party_id = $3 WHERE hold_id = $1"
_LAPSE = """
UPDATE hold SET state = 'lapsed' WHERE hold_id IN (
    SELECT hold_id FROM hold WHERE state = 'held' AND expires_at <= $1
    ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING hold_id
"""
_PURGE = """
DELETE FROM hold WHERE hold_id IN (
    SELECT hold_id FROM hold WHERE state <> 'held' AND expires_at <= $1
    ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING hold_id
"""


async def read(conn: Connection, hold_id: HoldId) -> Hold | None:
    """The hold, or none."""
    return _hold(await conn.fetchrow(_READ, hold_id))


async def lock(conn: Connection, hold_id: HoldId) -> Hold | None:
    """The hold, locked; after the cases of its party, before any cell."""
    return _hold(await conn.fetchrow(_LOCK, hold_id))


async def own(conn: Connection, holder: str) -> Hold | None:
    """What ``holder`` holds, run out or not."""
    return _hold(await conn.fetchrow(_OWN, holder))


async def lock_own(conn: Connection, holder: str) -> Hold | None:
    """What ``holder`` holds, run out or not, locked."""
    return _hold(await conn.fetchrow(_LOCK_OWN, holder))


async def insert(conn: Connection, hold: Hold) -> None:
    """Store a hold. Raises ``HoldBusy`` where its holder has got another meanwhile."""
    values = (
        hold.hold_id, hold.holder, hold.case_ids, hold.minutes, hold.site_id, hold.starts_at,
        hold.made_at, hold.expires_at,
    )  # fmt: skip
    try:
        await conn.execute(_INSERT, *values)
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != "one_hold_per_holder":
            raise
        raise HoldBusy from None


async def end(
    conn: Connection, hold_id: HoldId, state: HoldState, party_id: PartyId | None = None
) -> None:
    """A locked hold has ended like this."""
    await conn.execute(_END, hold_id, state.value, party_id)


async def lapse(conn: Connection, now: datetime, limit: int) -> int:
    """Write down of up to ``limit`` holds that they have run out; of how many."""
    return len(await conn.fetch(_LAPSE, now, limit))


async def purge(conn: Connection, before: datetime, limit: int) -> int:
    """Forget up to ``limit`` ended holds that ran out by ``before``; how many."""
    return len(await conn.fetch(_PURGE, before, limit))


def _hold(row: Row | None) -> Hold | None:
    if row is None:
        return None
    values = dict(row)
    return Hold(
        **values
        | {
            "case_ids": tuple(CaseId(one) for one in values["case_ids"]),
            "minutes": tuple(values["minutes"]),
            "state": HoldState(values["state"]),
        }
    )

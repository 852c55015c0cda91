"""Certificate renewals. One active per contact is a unique index; nothing here looks first."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

import asyncpg

from services.reservation.domain.renewal import Renewal
from shared.contracts.base import Procedure
from shared.db import Connection, Row
from shared.ids import CaseId

_COLUMNS = "case_id, contact_id, ward, certificate_expires_on, opened_at, ended_at"
_INSERT = f"""
INSERT INTO renewal ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, NULL)
"""  # noqa: S608  only our column list
# Facts heard of the case before it was opened here cannot be: its id is new.
_FACTS = """
INSERT INTO case_facts (case_id, procedure, ward, ward_told, certificate_expires_on)
VALUES ($1, $2, $3, 0, $4)
"""
_INSERT_ALL = f"""
INSERT INTO renewal ({_COLUMNS})
SELECT *, $5, NULL FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::date[])
ON CONFLICT DO NOTHING
RETURNING case_id
"""  # noqa: S608
_FACTS_ALL = """
INSERT INTO case_facts (case_id, procedure, ward, ward_told, certificate_expires_on)
SELECT case_id, $1, ward, 0, ends
FROM unnest($2::uuid[], $3::text[], $4::date[]) AS r(case_id, ward, ends)
ORDER BY case_id
"""
_ACTIVE_ALL = """
SELECT contact_id, case_id FROM renewal WHERE contact_id = ANY($1::uuid[]) AND ended_at IS NULL
"""
_READ = f"SELECT {_COLUMNS} FROM renewal WHERE case_id = $1"  # noqa: S608
_ACTIVE = f"SELECT {_COLUMNS} FROM renewal WHERE contact_id = $1 AND ended_at IS NULL"  # noqa: S608
_OF_CONTACT = "SELECT case_id FROM renewal WHERE contact_id = $1 AND ended_at IS NULL"
_ABANDONED = """
SELECT case_id FROM renewal r
WHERE ended_at IS NULL AND certificate_expires_on < $1 AND opened_at < $2
    AND NOT EXISTS (SELECT FROM booking b WHERE b.case_id = r.case_id AND b.state = 'active')
ORDER BY case_id
LIMIT $3
"""
_END = """
UPDATE renewal SET ended_at = e.at
FROM unnest($1::uuid[], $2::timestamptz[]) AS e(case_id, at)
WHERE renewal.case_id = e.case_id AND ended_at IS NULL
"""


async def insert(conn: Connection, renewal: Renewal) -> bool:
    """Open a renewal and store what is known of its case; false where one is active."""
    try:
        async with conn.transaction():
            await conn.execute(
                _INSERT, renewal.case_id, renewal.contact_id, renewal.ward,
                renewal.certificate_expires_on, renewal.opened_at,
            )  # fmt: skip
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != "one_active_renewal_per_contact":
            raise
        return False
    await conn.execute(
        _FACTS, renewal.case_id, Procedure.CERTIFICATE_RENEWAL.value, renewal.ward,
        renewal.certificate_expires_on,
    )  # fmt: skip
    return True


async def insert_all(conn: Connection, opened: Sequence[Renewal]) -> set[CaseId]:
    """Open renewals of one moment and store what is known of their cases; those that were opened.

    A contact that has an active one, or is named twice, gets no further one.
    """
    values = [(r.case_id, r.contact_id, r.ward, r.certificate_expires_on) for r in opened]
    columns = zip(*values, strict=True)
    rows = await conn.fetch(_INSERT_ALL, *columns, opened[0].opened_at)
    made = {CaseId(row["case_id"]) for row in rows}
    facts = [(r.case_id, r.ward, r.certificate_expires_on) for r in opened if r.case_id in made]
    if facts:
        procedure = Procedure.CERTIFICATE_RENEWAL.value
        await conn.execute(_FACTS_ALL, procedure, *zip(*facts, strict=True))
    return made


async def active_of(conn: Connection, contact_ids: Sequence[UUID]) -> dict[UUID, CaseId]:
    """The case of the renewal that each contact has, where it has one that has not ended."""
    rows = await conn.fetch(_ACTIVE_ALL, contact_ids)
    return {row["contact_id"]: CaseId(row["case_id"]) for row in rows}


async def read(conn: Connection, case_id: CaseId) -> Renewal | None:
    """The renewal, or none."""
    return _renewal(await conn.fetchrow(_READ, case_id))


async def active(conn: Connection, contact_id: UUID) -> Renewal | None:
    """The renewal of a contact that has not ended."""
    return _renewal(await conn.fetchrow(_ACTIVE, contact_id))


async def open_cases(conn: Connection, contact_id: UUID) -> Sequence[CaseId]:
    """Cases that a login with this contact may act for."""
    return [CaseId(row["case_id"]) for row in await conn.fetch(_OF_CONTACT, contact_id)]


async def abandoned(
    conn: Connection, expired_before: date, opened_before: datetime, limit: int
) -> Sequence[CaseId]:
    """Renewals that nobody pursues: the certificates ended long ago, and nothing is booked."""
    rows = await conn.fetch(_ABANDONED, expired_before, opened_before, limit)
    return [CaseId(row["case_id"]) for row in rows]


async def end(conn: Connection, told: Iterable[tuple[CaseId, datetime]]) -> None:
    """End those of the cases that are renewals: (case, when)."""
    values = sorted(told)
    if values:
        await conn.execute(_END, *zip(*values, strict=True))


def _renewal(row: Row | None) -> Renewal | None:
    return Renewal(**dict(row)) if row else None

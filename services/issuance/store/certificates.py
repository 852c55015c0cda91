"""Renewals over all visits of a case, and the inquiry letters of proxies."""

from dataclasses import dataclass
from datetime import datetime

from services.issuance.domain.certificates import (
    CertificateState,
    LetterState,
    Renewal,
    Status,
    Switch,
)
from shared.contracts.base import Certificate
from shared.contracts.issuance import CertificateFailure
from shared.db import Connection, Row, plan_for_values
from shared.ids import CaseId, SiteId, VisitId, WardCode


@dataclass(frozen=True, slots=True)
class Letter:
    """An inquiry letter."""

    case_id: CaseId
    site_id: SiteId
    ward: WardCode | None
    state: LetterState
    asked_at: datetime
    mailed_at: datetime | None
    returned_at: datetime | None


async def read(conn: Connection, case_id: CaseId, visit_id: VisitId) -> Renewal:
    """The renewal as it stands; states that were entered in another visit count no more."""
    row = await conn.fetchrow(_READ, case_id)
    letter = await conn.fetchval("SELECT state FROM inquiry_letter WHERE case_id = $1", case_id)
    state = LetterState(letter or LetterState.NONE)
    if row is None:
        return Renewal(letter=state)
    return Renewal(
        statuses=_statuses(row) if row["visit_id"] == visit_id else {},
        letter=state,
        written=frozenset(Certificate(one) for one in row["written"]),
        failed=CertificateFailure(row["failed"]) if row["failed"] else None,
        switch=Switch(row["switch"]) if row["switch"] else None,
    )


async def write(conn: Connection, case_id: CaseId, visit_id: VisitId, renewal: Renewal) -> None:
    """Keep the renewal, the letter excepted."""
    signing = renewal.statuses.get(Certificate.SIGNING)
    user = renewal.statuses.get(Certificate.USER_AUTHENTICATION)
    await conn.execute(
        _WRITE,
        case_id,
        visit_id,
        signing.state if signing else None,
        signing.wrong_pins if signing else 0,
        user.state if user else None,
        user.wrong_pins if user else 0,
        sorted(renewal.written),
        renewal.failed,
        renewal.switch,
    )


async def ask_letter(
    conn: Connection, case_id: CaseId, site_id: SiteId, ward: WardCode | None, at: datetime
) -> None:
    """Put a letter on the list of those to mail, one that was lost too."""
    await conn.execute(_ASK, case_id, site_id, ward, at)


async def lock_letter(conn: Connection, case_id: CaseId) -> Letter | None:
    """The letter of a case, locked."""
    row = await conn.fetchrow("SELECT * FROM inquiry_letter WHERE case_id = $1 FOR UPDATE", case_id)
    return _letter(row) if row else None


async def letter_became(
    conn: Connection, case_id: CaseId, state: LetterState, at: datetime
) -> None:
    """Note that a letter was mailed or has come back."""
    column = "mailed_at" if state is LetterState.MAILED else "returned_at"
    sql = f"UPDATE inquiry_letter SET state = $2, {column} = $3 WHERE case_id = $1"  # noqa: S608
    await conn.execute(sql, case_id, state, at)


async def letters(
    conn: Connection,
    site_id: SiteId,
    state: LetterState | None,
    after: tuple[datetime, CaseId] | None,
    limit: int,
) -> list[Letter]:
    """Up to ``limit`` letters of a site after this one, the oldest first."""
    at, case_id = after or (None, None)
    await plan_for_values(conn)
    rows = await conn.fetch(_LETTERS, site_id, state, at, case_id, limit)
    return [_letter(row) for row in rows]


def _statuses(row: Row) -> dict[Certificate, Status]:
    return {
        which: Status(CertificateState(row[which.value]), row[f"{which.value}_wrong"])
        for which in Certificate
        if row[which.value] is not None
    }


def _letter(row: Row) -> Letter:
    return Letter(**{**row, "state": LetterState(row["state"])})


_READ = "SELECT * FROM certificate_work WHERE case_id = $1"
_WRITE = """
INSERT INTO certificate_work (case_id, visit_id, signing, signing_wrong, user_authentication,
                              user_authentication_wrong, written, failed, switch)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (case_id) DO UPDATE SET
    visit_id = excluded.visit_id, signing = excluded.signing,
    signing_wrong = excluded.signing_wrong, user_authentication = excluded.user_authentication,
    user_authentication_wrong = excluded.user_authentication_wrong, written = excluded.written,
    failed = excluded.failed, switch = excluded.switch
"""
_ASK = """
INSERT INTO inquiry_letter (case_id, site_id, ward, state, asked_at)
VALUES ($1, $2, $3, 'to_mail', $4)
ON CONFLICT (case_id) DO UPDATE SET
    site_id = excluded.site_id, ward = excluded.ward, state = excluded.state,
    asked_at = excluded.asked_at, mailed_at = NULL
"""
_LETTERS = """
SELECT * FROM inquiry_letter
WHERE site_id = $1 AND ($2::text IS NULL OR state = $2)
      AND ($3::timestamptz IS NULL OR (asked_at, case_id) > ($3, $4::uuid))
ORDER BY asked_at, case_id LIMIT $5
"""

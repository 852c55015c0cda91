"""What whole visits leave of renewals besides their end: states as the terminal had them, and the
inquiry letters of proxies. The caller holds the locks of the cases' files.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.issuance.domain.certificates import CertificateState, LetterState
from shared.contracts.base import Certificate
from shared.db import Connection
from shared.ids import CaseId, SiteId, VisitId, WardCode


@dataclass(frozen=True, slots=True)
class Told:
    """A renewal in a visit that is over: its states, whether a letter to the citizen was asked for,
    and whether the citizen's reply was brought.
    """

    case_id: CaseId
    visit_id: VisitId
    site_id: SiteId
    ward: WardCode | None
    at: datetime
    states: Mapping[Certificate, CertificateState]
    asks_letter: bool
    brings_reply: bool


async def letters(conn: Connection, case_ids: Collection[CaseId]) -> dict[CaseId, LetterState]:
    """Where the inquiry letter of each case is that has one."""
    rows = await conn.fetch(_LETTERS, list(case_ids))
    return {row["case_id"]: LetterState(row["state"]) for row in rows}


async def write(conn: Connection, renewals: Sequence[Told]) -> None:
    """Keep them; of two tellings of one case the later counts."""
    states = {one.case_id: one for one in renewals if one.states}
    asked = {one.case_id: one for one in renewals if one.asks_letter}
    brought = {one.case_id: one for one in renewals if one.brings_reply}
    if states:
        await conn.execute(
            _STATES,
            list(states),
            [one.visit_id for one in states.values()],
            [one.states.get(Certificate.SIGNING) for one in states.values()],
            [one.states.get(Certificate.USER_AUTHENTICATION) for one in states.values()],
        )
    if asked:
        await conn.execute(
            _ASK,
            list(asked),
            [one.site_id for one in asked.values()],
            [one.ward for one in asked.values()],
            [one.at for one in asked.values()],
        )
    if brought:
        await conn.execute(_RETURNED, list(brought), [one.at for one in brought.values()])


_LETTERS = "SELECT case_id, state FROM inquiry_letter WHERE case_id = ANY ($1::uuid[])"
_STATES = """
INSERT INTO certificate_work (case_id, visit_id, signing, user_authentication)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[])
ON CONFLICT (case_id) DO UPDATE SET
    visit_id = excluded.visit_id, signing = excluded.signing, signing_wrong = 0,
    user_authentication = excluded.user_authentication, user_authentication_wrong = 0,
    failed = NULL
"""
_ASK = """
INSERT INTO inquiry_letter (case_id, site_id, ward, state, asked_at)
SELECT c, s, w, 'to_mail', at
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) AS e (c, s, w, at)
ON CONFLICT (case_id) DO UPDATE SET
    site_id = excluded.site_id, ward = excluded.ward, state = excluded.state,
    asked_at = excluded.asked_at, mailed_at = NULL
"""
_RETURNED = """
UPDATE inquiry_letter l SET state = 'returned', returned_at = e.at
FROM unnest($1::uuid[], $2::timestamptz[]) AS e (case_id, at)
WHERE l.case_id = e.case_id AND l.state = 'mailed'
"""

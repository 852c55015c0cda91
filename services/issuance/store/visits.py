"""Visits and their cases. Two unique keys carry the promises: one open visit per case
(``visit_case_open``) and one end per case (``procedure_ended``).
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from services.issuance.domain.ticket import Purpose, label
from services.issuance.domain.visit import CaseState, Visit, VisitCase, VisitState
from services.issuance.store import steps
from shared.contracts.base import CaseKind, Procedure
from shared.contracts.issuance import Arrival
from shared.db import Connection, Row
from shared.ids import CaseId, SiteId, VisitId


async def add(conn: Connection, visit: Visit) -> bool:
    """Write a new visit; False where one of its open cases is in another open visit."""
    written = await conn.fetch(
        _ADD,
        visit.visit_id,
        visit.site_id,
        visit.business_date,
        visit.arrival,
        visit.state,
        visit.checked_in_at,
        [case.case_id for case in visit.cases],
        [case.booking_id for case in visit.cases],
        [case.procedure for case in visit.cases],
        [case.state for case in visit.cases],
        [case.reason for case in visit.cases],
        [case.closed_at for case in visit.cases],
    )
    return len(written) == len(visit.cases)


async def open_visit_of(
    conn: Connection, case_ids: Sequence[CaseId], *, but: VisitId
) -> VisitId | None:
    """The open visit, other than ``but``, that one of these cases is in."""
    visit_id: VisitId | None = await conn.fetchval(_OPEN_OF, case_ids, but)
    return visit_id


async def lock(conn: Connection, visit_id: VisitId) -> Visit | None:
    """The visit, locked until the transaction ends.

    Where somebody else was before, it is read once more: what the statement joins to the locked row
    is as old as the statement.
    """
    rows = await conn.fetch(_LOCK, visit_id)
    if rows and not rows[0]["is_current"]:
        return await find(conn, visit_id)
    return _whole(visit_id, rows)


async def find(conn: Connection, visit_id: VisitId) -> Visit | None:
    """The visit with its cases."""
    return _whole(visit_id, await conn.fetch(_ONE, visit_id))


async def site_of(conn: Connection, visit_id: VisitId) -> SiteId | None:
    """Where the visit is; a visit stays at its site."""
    site_id: SiteId | None = await conn.fetchval(_SITE_OF, visit_id)
    return site_id


async def of_day(conn: Connection, site_id: SiteId, day: date) -> list[Visit]:
    """The visits of a site's day in the order they came."""
    return _visits(
        await conn.fetch(_OF_DAY, site_id, day), await conn.fetch(_CASES_OF_DAY, site_id, day)
    )


async def lock_unfinished(conn: Connection, site_id: SiteId, day: date) -> list[Visit]:
    """The visits of the day that have not ended, locked."""
    ids = [row["visit_id"] for row in await conn.fetch(_LOCK_UNFINISHED, site_id, day)]
    visits = await of_day(conn, site_id, day)
    return [
        visit for visit in visits if visit.visit_id in ids and visit.state is not VisitState.ENDED
    ]


async def called(conn: Connection, visit_id: VisitId, counter: str, at: datetime) -> None:
    """Note the counter the party was called to, and the call on its ticket: the first since it
    began to wait ends its waiting.
    """
    await conn.execute(_CALLED, visit_id, counter, at)


async def identified(
    conn: Connection, visit_id: VisitId, case_id: CaseId, types: Sequence[str], at: datetime
) -> None:
    """Note the types of the documents seen."""
    await conn.execute(_IDENTIFIED, visit_id, case_id, list(types), at)


async def pin_set(conn: Connection, visit_id: VisitId, case_id: CaseId, at: datetime) -> None:
    """Note that the citizen has set the PIN."""
    await conn.execute(_PIN_SET, visit_id, case_id, at)


async def end_procedure(
    conn: Connection, visit_id: VisitId, case_id: CaseId, site_id: SiteId, at: datetime
) -> bool:
    """Claim the one end a case can have; False where it has ended before."""
    claimed = await conn.fetchval(_END_PROCEDURE, case_id, visit_id, site_id, at)
    return claimed is not None


async def close_case(
    conn: Connection,
    visit_id: VisitId,
    case_id: CaseId,
    state: CaseState,
    *,
    at: datetime,
    reason: str | None = None,
) -> None:
    """Close one case of the visit."""
    await conn.execute(_CLOSE_CASE, visit_id, case_id, state, reason, at)


async def end(conn: Connection, visit_id: VisitId, at: datetime) -> None:
    """End the visit, and its time at a counter."""
    await conn.execute(_END, visit_id, at)


def _whole(visit_id: VisitId, rows: Sequence[Row]) -> Visit | None:
    cases = [_case(row) for row in rows if row["case_id"] is not None]
    return _visit(rows[0], {visit_id: cases}) if rows else None


def _visits(visits: Sequence[Row], cases: Sequence[Row]) -> list[Visit]:
    of_visit: dict[UUID, list[VisitCase]] = {row["of_visit"]: [] for row in visits}
    for row in cases:
        if row["visit_id"] in of_visit:
            of_visit[row["visit_id"]].append(_case(row))
    return [_visit(row, of_visit) for row in visits]


def _visit(row: Row, cases: Mapping[UUID, Sequence[VisitCase]]) -> Visit:
    visit_id = row["of_visit"]
    return Visit(
        visit_id=visit_id,
        site_id=row["site_id"],
        business_date=row["business_date"],
        arrival=Arrival(row["arrival"]),
        state=VisitState(row["visit_state"]),
        counter=row["counter"],
        checked_in_at=row["checked_in_at"],
        called_at=row["called_at"],
        ended_at=row["ended_at"],
        version=row["version"],
        ticket=label(map(Purpose, row["purposes"]), row["number"]) if row["number"] else None,
        cases=tuple(cases[visit_id]),
    )


def _case(row: Row) -> VisitCase:
    return VisitCase(
        case_id=row["case_id"],
        booking_id=row["booking_id"],
        procedure=Procedure(row["procedure"]),
        kind=CaseKind(row["kind"]) if row["kind"] else None,
        ward=row["ward"],
        shelf_position=row["shelf_position"],
        state=CaseState(row["state"]),
        reason=row["reason"],
        documents=tuple(row["documents"] or ()),
        identified_at=row["identified_at"],
        pin_set_at=row["pin_set_at"],
        closed_at=row["closed_at"],
        checklist=steps.checklist_of(row),
    )


_ADD = """
WITH added AS (
    INSERT INTO visit (visit_id, site_id, business_date, arrival, state, checked_in_at)
    VALUES ($1, $2, $3, $4, $5, $6)
)
INSERT INTO visit_case (visit_id, case_id, booking_id, procedure, state, reason, closed_at,
                        checklist_version)
SELECT $1, c.*, (SELECT version FROM checklist WHERE valid_from <= $3
                 ORDER BY valid_from DESC, version DESC LIMIT 1)
FROM unnest($7::uuid[], $8::uuid[], $9::text[], $10::text[], $11::text[],
            $12::timestamptz[]) AS c (case_id, b, p, s, r, at) ORDER BY case_id
ON CONFLICT DO NOTHING
RETURNING case_id
"""
_OPEN_OF = """
SELECT visit_id FROM visit_case
WHERE case_id = ANY ($1::uuid[]) AND state = 'open' AND visit_id <> $2 LIMIT 1
"""
_SITE_OF = "SELECT site_id FROM visit WHERE visit_id = $1"
_VISIT_COLUMNS = """
v.visit_id AS of_visit, v.site_id, v.business_date, v.arrival, v.state AS visit_state, v.counter,
v.checked_in_at, v.called_at, v.ended_at, v.version, t.number, t.purposes
"""
_CASE_COLUMNS = f"c.*, f.kind, f.ward, f.shelf_position, {steps.COLUMNS}"
_READ = f"""
SELECT {_VISIT_COLUMNS} FROM visit v LEFT JOIN ticket t USING (visit_id)
"""  # noqa: S608  our column list
_CASES = f"""
SELECT {_CASE_COLUMNS} FROM visit_case c LEFT JOIN case_file f USING (case_id)
"""  # noqa: S608
# A visit is read several times in each command, so it takes one statement; one of nobody has a row
# without a case.
_JOINED = """
FROM visit v LEFT JOIN ticket t ON t.visit_id = v.visit_id
LEFT JOIN visit_case c ON c.visit_id = v.visit_id LEFT JOIN case_file f ON f.case_id = c.case_id
WHERE v.visit_id = $1 ORDER BY c.case_id
"""
_ONE = f"SELECT {_VISIT_COLUMNS}, {_CASE_COLUMNS} {_JOINED}"
# The locked row is the newest there is, all else is the statement's own: every change of a visit
# counts up its version, so the two tell whether there was one in between.
_LOCK = f"""
SELECT {_VISIT_COLUMNS}, {_CASE_COLUMNS},
       v.version = (SELECT seen.version FROM visit seen WHERE seen.visit_id = $1) AS is_current
{_JOINED} FOR UPDATE OF v
"""  # noqa: S608
_OF_DAY = f"""{_READ} WHERE v.site_id = $1 AND v.business_date = $2
ORDER BY v.checked_in_at, visit_id"""
_CASES_OF_DAY = f"""{_CASES} JOIN visit v USING (visit_id)
WHERE v.site_id = $1 AND v.business_date = $2 ORDER BY c.case_id"""
_LOCK_UNFINISHED = """
SELECT visit_id FROM visit WHERE site_id = $1 AND business_date = $2 AND state <> 'ended'
ORDER BY visit_id FOR UPDATE
"""
_CALLED = """
WITH called AS (
    UPDATE visit SET state = 'called', counter = $2, called_at = $3, version = version + 1
    WHERE visit_id = $1
)
UPDATE ticket SET calls = calls + 1, first_called_at = coalesce(first_called_at, $3)
WHERE visit_id = $1
"""
_TOUCHED = "WITH touched AS (UPDATE visit SET version = version + 1 WHERE visit_id = $1)"
_IDENTIFIED = f"""
{_TOUCHED}
UPDATE visit_case SET documents = $3, identified_at = $4 WHERE visit_id = $1 AND case_id = $2
"""  # noqa: S608
_PIN_SET = f"""
{_TOUCHED}
UPDATE visit_case SET pin_set_at = $3 WHERE visit_id = $1 AND case_id = $2
"""  # noqa: S608
_END_PROCEDURE = """
INSERT INTO procedure_ended (case_id, visit_id, site_id, ended_at) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING RETURNING case_id
"""
_CLOSE_CASE = f"""
{_TOUCHED}
UPDATE visit_case SET state = $3, reason = $4, closed_at = $5
WHERE visit_id = $1 AND case_id = $2
"""  # noqa: S608
_END = """
WITH turn AS (
    UPDATE counter_turn SET ended_at = $2, outcome = 'ended'
    WHERE visit_id = $1 AND ended_at IS NULL
)
UPDATE visit SET state = 'ended', ended_at = $2, version = version + 1 WHERE visit_id = $1
"""

"""Facts about cases. Every statement merges what is told into what is known by a rule that gives
the same row in any order and however often: the earliest, or the latest told.

One statement per kind of fact, whatever the number of messages. Two messages of one batch about
the same case become one row first, because a statement may write a row only once; rows are
written in the order of their ids, so that two batches do not wait for each other in a circle.
"""

from collections.abc import Sequence
from datetime import date

from services.reporting.domain.told import Told
from shared.contracts.base import CaseOpened
from shared.contracts.issuance import ProcedureEnded
from shared.db import Connection
from shared.ids import CaseId, WardCode

_OPEN = """
INSERT INTO case_fact AS known (case_id, opened_at, opened_event, procedure, kind)
SELECT DISTINCT ON (case_id) case_id, at, event, procedure, kind
FROM unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::text[], $5::text[])
     AS told (case_id, at, event, procedure, kind)
ORDER BY case_id, at, event
ON CONFLICT (case_id) DO UPDATE SET
    opened_at = excluded.opened_at,
    opened_event = excluded.opened_event,
    procedure = excluded.procedure,
    kind = excluded.kind
WHERE known.opened_at IS NULL
   OR (excluded.opened_at, excluded.opened_event) < (known.opened_at, known.opened_event)
"""

_RESIDE = """
INSERT INTO case_fact AS known (case_id, ward, ward_at, ward_sequence, ward_event)
SELECT DISTINCT ON (case_id) case_id, ward, at, sequence, event
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::bigint[], $5::uuid[])
     AS told (case_id, ward, at, sequence, event)
ORDER BY case_id, at DESC, sequence DESC, event DESC
ON CONFLICT (case_id) DO UPDATE SET
    ward = excluded.ward,
    ward_at = excluded.ward_at,
    ward_sequence = excluded.ward_sequence,
    ward_event = excluded.ward_event
WHERE known.ward_at IS NULL
   OR (excluded.ward_at, excluded.ward_sequence, excluded.ward_event)
      > (known.ward_at, known.ward_sequence, known.ward_event)
"""

_APPLY = """
INSERT INTO case_fact AS known (case_id, applied_on)
SELECT case_id, min(day) FROM unnest($1::uuid[], $2::date[]) AS told (case_id, day)
GROUP BY case_id
ORDER BY case_id
ON CONFLICT (case_id) DO UPDATE SET applied_on = least(known.applied_on, excluded.applied_on)
"""

_SHIP = """
INSERT INTO case_fact AS known (case_id, shipped_on)
SELECT case_id, min(day) FROM unnest($1::uuid[], $2::date[]) AS told (case_id, day)
GROUP BY case_id
ORDER BY case_id
ON CONFLICT (case_id) DO UPDATE SET shipped_on = least(known.shipped_on, excluded.shipped_on)
"""

_COMPLETE = """
INSERT INTO case_fact AS known (
    case_id, completed_at, completed_event, completed_procedure, completed_kind,
    completed_ward, completed_site, completed_booked
)
SELECT DISTINCT ON (case_id) case_id, at, event, procedure, kind, ward, site_id, booked
FROM unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::text[], $5::text[], $6::text[],
            $7::text[], $8::boolean[])
     AS told (case_id, at, event, procedure, kind, ward, site_id, booked)
ORDER BY case_id, at, event
ON CONFLICT (case_id) DO UPDATE SET
    completed_at = excluded.completed_at,
    completed_event = excluded.completed_event,
    completed_procedure = excluded.completed_procedure,
    completed_kind = excluded.completed_kind,
    completed_ward = excluded.completed_ward,
    completed_site = excluded.completed_site,
    completed_booked = excluded.completed_booked
WHERE known.completed_at IS NULL
   OR (excluded.completed_at, excluded.completed_event)
      < (known.completed_at, known.completed_event)
"""


async def open_(conn: Connection, facts: Sequence[tuple[Told, CaseOpened]]) -> None:
    """Procedure and kind; the earliest telling counts."""
    await conn.execute(
        _OPEN,
        [event.case_id for _, event in facts],
        [told.at for told, _ in facts],
        [told.event for told, _ in facts],
        [event.procedure for _, event in facts],
        [event.kind for _, event in facts],
    )


async def reside(conn: Connection, facts: Sequence[tuple[CaseId, WardCode, Told]]) -> None:
    """The ward of residence; the latest telling counts."""
    await conn.execute(
        _RESIDE,
        [case_id for case_id, _, _ in facts],
        [ward for _, ward, _ in facts],
        [told.at for _, _, told in facts],
        [told.sequence for _, _, told in facts],
        [told.event for _, _, told in facts],
    )


async def apply(conn: Connection, facts: Sequence[tuple[CaseId, date]]) -> None:
    """The day of the application; the earliest counts."""
    await conn.execute(_APPLY, [case_id for case_id, _ in facts], [day for _, day in facts])


async def ship(conn: Connection, facts: Sequence[tuple[CaseId, date]]) -> None:
    """The day of shipment; the earliest counts."""
    await conn.execute(_SHIP, [case_id for case_id, _ in facts], [day for _, day in facts])


async def complete(conn: Connection, facts: Sequence[tuple[Told, ProcedureEnded]]) -> None:
    """The completion with all it is counted by; the earliest counts, so a case counts once."""
    await conn.execute(
        _COMPLETE,
        [event.case_id for _, event in facts],
        [told.at for told, _ in facts],
        [told.event for told, _ in facts],
        [event.procedure for _, event in facts],
        [event.kind for _, event in facts],
        [event.ward for _, event in facts],
        [event.site_id for _, event in facts],
        [event.booking_id is not None for _, event in facts],
    )

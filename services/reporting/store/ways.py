"""The way of card cases over time: stages per day, and how long each step took.

All of it is derived from ``case_fact`` in one pass, whatever the number of days asked for.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.reporting.domain.backlog import Change
from services.reporting.domain.lead_times import Passage, Span
from services.reporting.store.site_days import Days
from shared.db import Connection
from shared.ids import CaseId, SiteId, WardCode

# A case adds one to a measure on the day it begins to count there, and takes it away on the day it
# no longer does. Days before $1 are told as $1, days after $2 as none, so that cases become few
# groups before their changes are told one by one.
_CHANGES = """
WITH card AS (
    SELECT coalesce(completed_ward, ward) AS ward, applied_on, shipped_on,
           (preset_at AT TIME ZONE 'Asia/Tokyo')::date AS preset_on,
           (completed_at AT TIME ZONE 'Asia/Tokyo')::date AS issued_on,
           (least(voided_at, disposed_at) AT TIME ZONE 'Asia/Tokyo')::date AS ended_on
    FROM case_fact
    WHERE coalesce(completed_procedure, procedure, 'card_issuance') = 'card_issuance'
      AND ($3::text IS NULL OR coalesce(completed_ward, ward) = $3)
), cut AS (
    SELECT ward,
           CASE WHEN applied_on <= $2 THEN greatest(applied_on, $1::date) END AS applied_on,
           CASE WHEN shipped_on <= $2 THEN greatest(shipped_on, $1::date) END AS shipped_on,
           CASE WHEN preset_on <= $2 THEN greatest(preset_on, $1::date) END AS preset_on,
           CASE WHEN issued_on <= $2 THEN greatest(issued_on, $1::date) END AS issued_on,
           CASE WHEN ended_on <= $2 THEN greatest(ended_on, $1::date) END AS ended_on
    FROM card
), stage AS (
    SELECT ward, applied_on, shipped_on, preset_on, issued_on, ended_on,
           least(issued_on, ended_on) AS over_on, count(*) AS cases
    FROM cut
    GROUP BY ward, applied_on, shipped_on, preset_on, issued_on, ended_on
)
SELECT ward, day, measure, sum(change * cases)::int AS count
FROM stage, LATERAL (VALUES
    ('applied', applied_on, 1),
    ('shipped', shipped_on, 1),
    ('preset', preset_on, 1),
    ('issued', issued_on, 1),
    ('waiting_for_shipment', applied_on,
        CASE WHEN applied_on < least(shipped_on, preset_on, over_on) IS NOT FALSE THEN 1 END),
    ('waiting_for_shipment', least(shipped_on, preset_on, over_on),
        CASE WHEN applied_on < least(shipped_on, preset_on, over_on) THEN -1 END),
    ('waiting_for_preset', shipped_on,
        CASE WHEN shipped_on < least(preset_on, over_on) IS NOT FALSE THEN 1 END),
    ('waiting_for_preset', least(preset_on, over_on),
        CASE WHEN shipped_on < least(preset_on, over_on) THEN -1 END),
    ('waiting_for_issuance', preset_on,
        CASE WHEN preset_on < over_on IS NOT FALSE THEN 1 END),
    ('waiting_for_issuance', over_on,
        CASE WHEN preset_on < over_on THEN -1 END),
    ('ended', ended_on, CASE WHEN ended_on < issued_on IS NOT FALSE THEN 1 END),
    ('ended', issued_on, CASE WHEN ended_on < issued_on THEN -1 END)
) AS told (measure, day, change)
WHERE day IS NOT NULL AND change IS NOT NULL
GROUP BY 1, 2, 3
"""

# $1 and $2 are the days in which a step has to have ended, $3 a ward.
_STEPS = """
(
    SELECT case_id, notice_site, coalesce(completed_ward, ward) AS ward, applied_on, shipped_on,
           (received_at AT TIME ZONE 'Asia/Tokyo')::date AS received_on,
           (inspected_at AT TIME ZONE 'Asia/Tokyo')::date AS inspected_on,
           (registry_checked_at AT TIME ZONE 'Asia/Tokyo')::date AS checked_on,
           (preset_at AT TIME ZONE 'Asia/Tokyo')::date AS preset_on,
           (shelved_at AT TIME ZONE 'Asia/Tokyo')::date AS shelved_on,
           (notified_at AT TIME ZONE 'Asia/Tokyo')::date AS notified_on,
           (booked_at AT TIME ZONE 'Asia/Tokyo')::date AS booked_on,
           (checked_in_at AT TIME ZONE 'Asia/Tokyo')::date AS visited_on,
           (completed_at AT TIME ZONE 'Asia/Tokyo')::date AS issued_on
    FROM case_fact
    WHERE coalesce(completed_procedure, procedure, 'card_issuance') = 'card_issuance'
      AND ($3::text IS NULL OR coalesce(completed_ward, ward) = $3)
      -- No step of any other case can have ended in these days.
      AND (shipped_on >= $1
           OR greatest(received_at, inspected_at, registry_checked_at, preset_at, shelved_at,
                       notified_at, booked_at, checked_in_at, completed_at)
              >= $1::date::timestamp AT TIME ZONE 'Asia/Tokyo')
      AND (shipped_on <= $2
           OR least(received_at, inspected_at, registry_checked_at, preset_at, shelved_at,
                    notified_at, booked_at, checked_in_at, completed_at)
              < ($2::date + 1)::timestamp AT TIME ZONE 'Asia/Tokyo')
    OFFSET 0  -- each day is reckoned once, not once for each step it is part of
) AS card, LATERAL (VALUES
    ('shipment', applied_on, shipped_on),
    ('delivery', shipped_on, received_on),
    ('inspection', received_on, inspected_on),
    ('registry_check', inspected_on, checked_on),
    ('preset', checked_on, preset_on),
    ('shelving', preset_on, shelved_on),
    ('notice', shelved_on, notified_on),
    ('booking', notified_on, booked_on),
    ('visit', booked_on, visited_on),
    ('preparation', received_on, notified_on),
    ('notice_to_issue', notified_on, issued_on)
) AS told (span, started, ended)
WHERE ended BETWEEN $1 AND $2 AND started BETWEEN ended - 3660 AND ended
"""

_PASSAGES = f"""
SELECT span, CASE WHEN $4 THEN ward END AS part, started, ended, count(*)::int AS cases
FROM {_STEPS}
GROUP BY 1, 2, 3, 4
"""  # noqa: S608  put together of what stands above

_CASES = f"""
SELECT case_id, ward, notice_site, started, ended
FROM {_STEPS}
  AND span = $4
  AND ($5::text IS NULL OR notice_site = $5)
  AND ($6::date IS NULL OR (ended, case_id) > ($6, $7::uuid))
ORDER BY ended, case_id
LIMIT $8
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Step:
    """A case that passed from one stage to another; ``site_id`` is where its card lies."""

    case_id: CaseId
    ward: WardCode | None
    site_id: SiteId | None
    started: date
    ended: date


async def changes(conn: Connection, first: date, last: date, ward: WardCode | None) -> list[Change]:
    """What changed in the totals up to ``last``; all before ``first`` as of that day."""
    rows = await conn.fetch(_CHANGES, first, last, ward)
    return [Change(row["ward"], row["day"], row["measure"], row["count"]) for row in rows]


async def passages(
    conn: Connection, first: date, last: date, ward: WardCode | None, *, by_ward: bool
) -> list[Passage]:
    """The steps of card cases that ended from ``first`` to ``last``.

    What ended before it began, or took longer than ten years, is a slip of a file and no step.
    """
    rows = await conn.fetch(_PASSAGES, first, last, ward, by_ward)
    return [Passage(Span(row[0]), row[1], row[2], row[3], row[4]) for row in rows]


async def steps(
    conn: Connection,
    span: Span,
    days: Days,
    ward: WardCode | None,
    *,
    after: tuple[date, UUID] | None,
    limit: int,
) -> list[Step]:
    """The cases of ``passages``, in order of their end, at most ``limit``."""
    known = after or (None, None)
    rows = await conn.fetch(_CASES, days.first, days.last, ward, span, days.site_id, *known, limit)
    return [Step(*tuple(row)) for row in rows]

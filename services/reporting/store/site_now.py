"""Sites as they are at a moment of their day, derived from the facts whenever it is asked for."""

from dataclasses import dataclass
from datetime import date, datetime

from shared.db import Connection
from shared.ids import SiteId

_NOW = """
WITH present AS (
    SELECT site_id,
           count(*) FILTER (WHERE open AND called IS NULL) AS waiting,
           min(came) FILTER (WHERE open AND called IS NULL) AS waiting_since,
           count(*) FILTER (WHERE open AND called IS NOT NULL) AS being_served,
           count(*) AS parties
    FROM (
        SELECT min(site_id) AS site_id, min(checked_in_at) AS came, min(first_called_at) AS called,
               bool_or(coalesce(completed_at, deferred_at, abandoned_at) IS NULL) AS open
        FROM visit_fact WHERE business_date = $1 GROUP BY visit_id
    ) AS party
    GROUP BY site_id
), done AS (
    SELECT site_id, count(*) FILTER (WHERE completed_at IS NOT NULL) AS served,
           count(DISTINCT counter) FILTER (
               WHERE last_called_at > $2::timestamptz - interval '30 minutes'
                  OR (counter IS NOT NULL
                      AND coalesce(completed_at, deferred_at, abandoned_at) IS NULL)
           ) AS counters
    FROM visit_fact WHERE business_date = $1 GROUP BY site_id
), expected AS (
    SELECT booking.site_id, count(*) AS booked,
           count(*) FILTER (WHERE missed_at IS NULL AND fulfilled_at IS NULL AND NOT EXISTS (
               SELECT FROM visit_fact AS visit
               WHERE visit.case_id = booking.case_id AND visit.business_date = $1
           )) AS to_come
    FROM booking_fact AS booking
    WHERE business_date = $1 AND cancelled_at IS NULL
    GROUP BY booking.site_id
), late AS (
    SELECT to_site AS site_id, count(DISTINCT batch_id) AS batches
    FROM transfer_fact
    WHERE due_on < $1 AND arrived_at IS NULL AND failed_at IS NULL
    GROUP BY to_site
), suspended AS (
    SELECT DISTINCT site_id FROM site_suspension
    WHERE starts_at <= $2 AND (ends_at IS NULL OR ends_at > $2)
      AND (resumed_at IS NULL OR resumed_at > $2)
)
SELECT site_id, name_ja, name_en, kind, state,
       coalesce(waiting, 0) AS waiting, waiting_since, coalesce(being_served, 0) AS being_served,
       coalesce(parties, 0) AS parties, coalesce(served, 0) AS served,
       coalesce(booked, 0) AS booked, coalesce(to_come, 0) AS to_come,
       coalesce(counters, 0) AS counters, coalesce(batches, 0) AS late_batches,
       suspended.site_id IS NOT NULL AS suspended
FROM site_fact
LEFT JOIN present USING (site_id)
LEFT JOIN done USING (site_id)
LEFT JOIN expected USING (site_id)
LEFT JOIN late USING (site_id)
LEFT JOIN suspended USING (site_id)
WHERE state IN ('open', 'winding_down')
   OR present.site_id IS NOT NULL OR expected.site_id IS NOT NULL OR late.site_id IS NOT NULL
ORDER BY array_position('{ward_office,center,satellite,temporary_window}', kind), site_id
"""


@dataclass(frozen=True, slots=True)
class SiteNow:
    """A site at a moment of its day.

    ``waiting``, ``being_served`` and ``parties`` count parties, ``served``, ``booked`` and
    ``to_come`` cases. ``counters`` are those that called somebody within half an hour or have
    somebody; events tell of no counter that is open and idle.
    """

    site_id: SiteId
    name_ja: str
    name_en: str
    kind: str
    state: str
    waiting: int
    waiting_since: datetime | None
    being_served: int
    parties: int
    served: int
    booked: int
    to_come: int
    counters: int
    late_batches: int
    suspended: bool


async def now(conn: Connection, day: date, at: datetime) -> list[SiteNow]:
    """Every site that serves, or that anything of ``day`` is known of, as it is at ``at``."""
    return [SiteNow(**dict(row)) for row in await conn.fetch(_NOW, day, at)]

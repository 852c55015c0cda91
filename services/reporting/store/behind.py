"""The cases behind the figures of bookings, of sites' days and of waits.

Each figure has the conditions of the report that tells it (``habits``, ``site_days``,
``site_times``); with the same days and filters there are as many cases, or parties, as it says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.reporting.store.bookings import NO_SHOW
from services.reporting.store.habits import Between
from shared.contracts.base import Procedure
from shared.db import Connection
from shared.ids import CaseId, SiteId, WardCode


class Behind(StrEnum):
    """A figure; the first nine are of /bookings, then come /sites/days and /sites/times."""

    MADE = "made"
    MOVED = "moved"
    MOVED_BY_CITIZEN = "moved_by_citizen"
    CANCELLED = "cancelled"
    CANCELLED_BY_CITIZEN = "cancelled_by_citizen"
    MISSED = "missed"
    COMPLETED = "completed"
    OUT_OF_RESERVATION = "out_of_reservation"
    SEATS = "seats"
    SEATS_MISSED = "seats_missed"
    SEATS_CANCELLED = "seats_cancelled"
    WALK_INS = "walk_ins"
    SERVED = "served"
    DEFERRED = "deferred"
    ABANDONED = "abandoned"
    WAITED = "waited"
    SERVICE = "service"


# $1 and $2 are days, $3 and $4 the instants at which they begin and end. Each tells the case, the
# site, the procedure, when it was, by which booking, visit or event it counts, and minutes.
_BOOKING = """
SELECT case_id, site_id, procedure, {at} AS at, booking_id AS ref, minutes::float8
FROM booking_fact WHERE {condition}
"""
_CHANGE = """
SELECT case_id, site_id, procedure, told_at AS at, event_id AS ref, NULL::float8 AS minutes
FROM booking_change WHERE told_on BETWEEN $1 AND $2 AND kind = '{kind}'
"""
_DONE = """
SELECT case_id, completed_site AS site_id, completed_procedure AS procedure, completed_at AS at,
       completed_event AS ref, NULL::float8 AS minutes
FROM case_fact
WHERE completed_month BETWEEN date_trunc('month', $1::date)::date AND $2
  AND completed_at >= $3 AND completed_at < $4
"""
_VISIT = """
SELECT case_id, site_id, procedure, {at} AS at, visit_id AS ref, NULL::float8 AS minutes
FROM visit_fact WHERE business_date BETWEEN $1 AND $2 AND {condition}
"""
# One line for each party, by its first case, as ``site_times`` counts them. A service counts also
# where no check-in was told (yet): then it was when the party was called.
_PARTY = """
SELECT case_id, site_id, procedure, coalesce(came, called) AS at, visit_id AS ref,
       (extract(epoch FROM {ends} - {begins}) / 60)::float8 AS minutes
FROM (
    SELECT visit_id, (array_agg(case_id ORDER BY case_id))[1] AS case_id, min(site_id) AS site_id,
           (array_agg(procedure ORDER BY case_id))[1] AS procedure, min(checked_in_at) AS came,
           min(first_called_at) AS called, max(last_called_at) AS last,
           max(greatest(completed_at, deferred_at)) AS ended,
           count(*) FILTER (WHERE coalesce(completed_at, deferred_at, abandoned_at) IS NULL) AS open
    FROM visit_fact WHERE business_date BETWEEN $1 AND $2
    GROUP BY visit_id
) AS party
WHERE {condition}
"""


def _booking(at: str, condition: str) -> str:
    return _BOOKING.format(at=at, condition=condition)


def _told(at: str, condition: str = "TRUE") -> str:
    return _booking(at, f"{at} >= $3 AND {at} < $4 AND site_id IS NOT NULL AND {condition}")


def _seat(condition: str) -> str:
    return _booking("starts_at", f"business_date BETWEEN $1 AND $2 AND {condition}")


_CITIZEN = "AND reason = 'citizen'"
_SOURCES: Mapping[Behind, str] = {
    Behind.MADE: _told("booked_at"),
    Behind.MOVED: _CHANGE.format(kind="moved"),
    Behind.MOVED_BY_CITIZEN: _CHANGE.format(kind="moved") + _CITIZEN,
    Behind.CANCELLED: _CHANGE.format(kind="cancelled"),
    Behind.CANCELLED_BY_CITIZEN: _CHANGE.format(kind="cancelled") + _CITIZEN,
    Behind.MISSED: _told("missed_at", NO_SHOW),
    Behind.COMPLETED: _DONE,
    Behind.OUT_OF_RESERVATION: _DONE + "AND completed_booked IS FALSE",
    Behind.SEATS: _seat("cancelled_at IS NULL"),
    Behind.SEATS_MISSED: _seat(NO_SHOW),
    Behind.SEATS_CANCELLED: _seat("cancelled_at IS NOT NULL"),
    Behind.WALK_INS: _VISIT.format(at="checked_in_at", condition="arrival = 'walk_in'"),
    Behind.SERVED: _VISIT.format(at="completed_at", condition="completed_at IS NOT NULL"),
    Behind.DEFERRED: _VISIT.format(at="deferred_at", condition="deferred_at IS NOT NULL"),
    Behind.ABANDONED: _VISIT.format(at="abandoned_at", condition="abandoned_at IS NOT NULL"),
    Behind.WAITED: _PARTY.format(ends="called", begins="came", condition="called >= came"),
    Behind.SERVICE: _PARTY.format(
        ends="ended", begins="last", condition="ended >= last AND open = 0"
    ),
}

_CASES = """
SELECT told.case_id, coalesce(case_fact.completed_ward, case_fact.ward) AS ward, told.site_id,
       told.procedure, told.at, told.ref, told.minutes
FROM ({source}) AS told LEFT JOIN case_fact USING (case_id)
WHERE $3::timestamptz < $4 AND $1::date <= $2::date
  AND ($5::text IS NULL OR told.site_id = $5)
  AND ($6::text IS NULL OR coalesce(case_fact.completed_ward, case_fact.ward) = $6)
  AND ($7::text IS NULL OR told.procedure = $7)
  AND ($8::timestamptz IS NULL OR (told.at, told.ref, told.case_id) > ($8, $9::uuid, $10::uuid))
ORDER BY told.at, told.ref, told.case_id
LIMIT $11
"""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which of them."""

    site_id: SiteId | None = None
    ward: WardCode | None = None
    procedure: Procedure | None = None


@dataclass(frozen=True, slots=True)
class CaseBehind:
    """A case; ``reference`` is the booking, visit or event by which it counts.

    ``minutes`` are those of the seat, the wait or the service, where the figure is about such.
    """

    case_id: CaseId
    ward: WardCode | None
    site_id: SiteId | None
    procedure: Procedure | None
    at: datetime
    reference: UUID
    minutes: float | None


async def cases(
    conn: Connection,
    behind: Behind,
    days: Between,
    wanted: Filter,
    *,
    after: tuple[datetime, UUID, UUID] | None,
    limit: int,
) -> list[CaseBehind]:
    """In order of time, at most ``limit``."""
    rows = await conn.fetch(
        _CASES.format(source=_SOURCES[behind]),
        *(days.first, days.last, days.begins, days.ended),
        *(wanted.site_id, wanted.ward, wanted.procedure),
        *(after or (None, None, None)),
        limit,
    )
    return [CaseBehind(*tuple(row)) for row in rows]

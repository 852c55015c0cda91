"""How citizens come: bookings made, changed, cancelled, missed, and who is served without one."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from services.reporting.store.bookings import NO_SHOW
from shared.calendar import TOKYO
from shared.contracts.base import Procedure
from shared.db import Connection

# $1 and $2 are days, $3 and $4 the instants at which they begin and end. Each fact counts on the
# day on which it happened, at the site and for the procedure it was told of.
_HABITS = f"""
WITH told AS (
    SELECT case_id, site_id, procedure, 1 AS made, 0 AS moved, 0 AS moved_by_citizen,
           0 AS cancelled, 0 AS cancelled_by_citizen, 0 AS missed, 0 AS completed, 0 AS unbooked
    FROM booking_fact WHERE booked_at >= $3 AND booked_at < $4
    UNION ALL
    SELECT case_id, site_id, procedure, 0, 0, 0, 0, 0, 1, 0, 0
    FROM booking_fact WHERE missed_at >= $3 AND missed_at < $4 AND {NO_SHOW}
      AND site_id IS NOT NULL
    UNION ALL
    SELECT case_id, site_id, procedure, 0, (kind = 'moved')::int,
           (kind = 'moved' AND reason = 'citizen')::int, (kind = 'cancelled')::int,
           (kind = 'cancelled' AND reason = 'citizen')::int, 0, 0, 0
    FROM booking_change WHERE told_on BETWEEN $1 AND $2
    UNION ALL
    SELECT case_id, completed_site, completed_procedure, 0, 0, 0, 0, 0, 0, 1,
           (completed_booked IS FALSE)::int
    FROM case_fact
    WHERE completed_month BETWEEN date_trunc('month', $1::date)::date AND $2
      AND completed_at >= $3 AND completed_at < $4
)
SELECT {{part}} AS part, told.procedure, sum(made), sum(moved), sum(moved_by_citizen),
       sum(cancelled), sum(cancelled_by_citizen), sum(missed), sum(completed), sum(unbooked)
FROM told LEFT JOIN case_fact USING (case_id)
GROUP BY 1, 2
ORDER BY 1 NULLS LAST, 2
"""  # noqa: S608  our own condition
_BY_SITE = _HABITS.format(part="told.site_id")
_BY_WARD = _HABITS.format(part="coalesce(case_fact.completed_ward, case_fact.ward)")


@dataclass(frozen=True, slots=True)
class Habits:
    """What happened in some days, at a site or to the residents of a ward (``part``)."""

    part: str | None
    procedure: Procedure
    made: int
    moved: int
    moved_by_citizen: int
    cancelled: int
    cancelled_by_citizen: int
    missed: int
    completed: int
    out_of_reservation: int


@dataclass(frozen=True, slots=True)
class Between:
    """Days in Japan, and the instants at which the first begins and the last has ended."""

    first: date
    last: date
    begins: datetime
    ended: datetime

    @classmethod
    def of(cls, first: date, last: date) -> "Between":
        """From the first moment of ``first`` to the last of ``last`` in Japan."""
        midnight = datetime.combine(last, time.min, TOKYO) + timedelta(days=1)
        return cls(first, last, datetime.combine(first, time.min, TOKYO), midnight)


async def habits(conn: Connection, days: Between, *, by_ward: bool) -> list[Habits]:
    """By site, or by ward of residence."""
    query = _BY_WARD if by_ward else _BY_SITE
    rows = await conn.fetch(query, days.first, days.last, days.begins, days.ended)
    return [Habits(row[0], Procedure(row[1]), *(int(n) for n in tuple(row)[2:])) for row in rows]

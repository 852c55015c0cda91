"""Seats of days to come, what is booked of them, and what was free when it was told last."""

from datetime import date

from services.reporting.domain.free import Offer
from services.reporting.store.site_days import DEFAULT_MINUTES
from shared.contracts.base import Procedure
from shared.db import Connection

# A booking belongs to what was told if it had its seat by then. A row knows its last seat alone, so
# the seat it had by then is the one that the first move since has left.
_FREE = """
SELECT site_id, business_date, procedure, seats, coalesce(minutes, $3) AS minutes,
       coalesce(booked, 0) AS booked_minutes, free, coalesce(since, 0) AS taken_minutes
FROM site_offer
LEFT JOIN (
    SELECT site_id, business_date, procedure, free FROM site_seats
    WHERE business_date BETWEEN $1 AND $2
) AS told USING (site_id, business_date, procedure)
LEFT JOIN (
    SELECT site_id, business_date, procedure, sum(minutes) AS since
    FROM (
        SELECT seats.site_id, seats.business_date, seats.procedure,
               CASE WHEN cancelled_at IS NULL THEN minutes ELSE -minutes END AS minutes
        FROM site_seats AS seats
        JOIN booking_fact AS booking USING (site_id, business_date)
        WHERE business_date BETWEEN $1 AND $2
          AND CASE WHEN cancelled_at IS NULL THEN booking.told_at > seats.told_at
                   ELSE booking.told_at <= seats.told_at AND cancelled_at > seats.told_at END
        UNION ALL
        SELECT seats.site_id, seats.business_date, seats.procedure, -left_minutes
        FROM site_seats AS seats
        JOIN booking_change AS moved
          ON moved.site_id = seats.site_id AND left_on = seats.business_date
        JOIN booking_fact AS booking USING (booking_id)
        WHERE left_on BETWEEN $1 AND $2
          AND booked_at <= seats.told_at AND moved.told_at > seats.told_at
          AND NOT EXISTS (
              SELECT FROM booking_change AS former
              WHERE former.booking_id = moved.booking_id AND former.kind = 'moved'
                AND former.told_at > seats.told_at
                AND (former.told_at, former.told_sequence, former.event_id)
                    < (moved.told_at, moved.told_sequence, moved.event_id)
          )
    ) AS changed
    GROUP BY 1, 2, 3
) AS later USING (site_id, business_date, procedure)
LEFT JOIN (
    SELECT site_id, business_date, sum(minutes) AS booked FROM booking_fact
    WHERE business_date BETWEEN $1 AND $2 AND cancelled_at IS NULL
    GROUP BY 1, 2
) AS taken USING (site_id, business_date)
WHERE business_date BETWEEN $1 AND $2
ORDER BY business_date, site_id, procedure
"""


async def offers(conn: Connection, first: date, last: date) -> list[Offer]:
    """The seats of every site from ``first`` to ``last``, in order of days."""
    rows = await conn.fetch(_FREE, first, last, DEFAULT_MINUTES)
    return [Offer(row[0], row[1], Procedure(row[2]), *tuple(row)[3:]) for row in rows]

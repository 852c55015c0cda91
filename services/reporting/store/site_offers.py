"""Seats of days to come and what is booked of them; who asks for no more gets what is free."""

from datetime import date

from services.reporting.domain.free import Offer
from services.reporting.store.site_days import DEFAULT_MINUTES
from shared.contracts.base import Procedure
from shared.db import Connection

_FREE = """
SELECT site_id, business_date, procedure, seats, coalesce(minutes, $3) AS minutes,
       coalesce(booked, 0) AS booked_minutes
FROM site_offer
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
    return [Offer(row[0], row[1], Procedure(row[2]), row[3], row[4], row[5]) for row in rows]

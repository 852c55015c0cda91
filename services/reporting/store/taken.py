"""What bookings take of sites' days, by when they were made and given back."""

from datetime import date

from services.reporting.domain.first_free import Taken
from shared.db import Connection

_TAKEN = """
SELECT site_id, business_date, (booked_at AT TIME ZONE 'Asia/Tokyo')::date AS booked_on,
       (cancelled_at AT TIME ZONE 'Asia/Tokyo')::date AS cancelled_on, sum(minutes)::int
FROM booking_fact
WHERE business_date BETWEEN $1 AND $2
GROUP BY 1, 2, 3, 4
"""


async def taken(conn: Connection, first: date, last: date) -> list[Taken]:
    """Of the days from ``first`` to ``last``."""
    return [Taken(*tuple(row)) for row in await conn.fetch(_TAKEN, first, last)]

"""Service days: shared by those who let visits in or expect them, taken alone by the sign-off."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.issuance.domain.day import DayReport
from shared.db import Connection
from shared.ids import BookingId, CaseId, SiteId


@dataclass(frozen=True, slots=True)
class Missed:
    """A booking of a day that was not kept."""

    booking_id: BookingId
    case_id: CaseId
    site_id: SiteId
    business_date: date


async def share(conn: Connection, days: Iterable[tuple[SiteId, date]]) -> None:
    """Hold these days open until the transaction ends: a sign-off waits, others do not."""
    wanted = sorted(set(days))
    sites, dates = [site for site, _ in wanted], [day for _, day in wanted]
    await conn.execute(_TOUCH, sites, dates)
    await conn.fetch(_SHARE, sites, dates)


async def share_one(conn: Connection, site_id: SiteId, day: date) -> datetime | None:
    """``share`` for one day; when it was signed off, if it was."""
    row = await conn.fetchrow(_SHARE_ONE, site_id, day)
    if row is None:
        await conn.execute(_TOUCH, [site_id], [day])
        row = await conn.fetchrow(_SHARE_ONE, site_id, day)
    at: datetime | None = row["signed_off_at"] if row else None
    return at


async def take(conn: Connection, site_id: SiteId, day: date) -> datetime | None:
    """Take the day alone; when it was signed off, if it was."""
    await conn.execute(_TOUCH, [site_id], [day])
    await conn.fetch(_TAKE, site_id, day)
    return await signed_off_at(conn, site_id, day)


async def signed_off_at(conn: Connection, site_id: SiteId, day: date) -> datetime | None:
    """When the day was signed off, if it was."""
    at: datetime | None = await conn.fetchval(_SIGNED, site_id, day)
    return at


async def sign_off(conn: Connection, site_id: SiteId, day: date, at: datetime, by: str) -> None:
    """Close a day that was taken."""
    await conn.execute(_SIGN_OFF, site_id, day, at, by)


async def miss(conn: Connection, booking_ids: Sequence[UUID]) -> list[Missed]:
    """Call those of the bookings missed whose case was not seen; returns each that is to be told,
    once and for all.

    Only bookings of days that are signed off count. One that reservation has called missed before
    (who gave it up after its day) is noted for the day's figures and not told again.
    """
    rows = await conn.fetch(_MISS, booking_ids)
    return [Missed(**row) for row in rows]


async def report(conn: Connection, site_id: SiteId, day: date) -> DayReport | None:
    """What the day came to; none until it is signed off."""
    row = await conn.fetchrow(_REPORT, site_id, day)
    return DayReport(**row) if row else None


_TOUCH = """
INSERT INTO service_day (site_id, business_date) SELECT * FROM unnest($1::text[], $2::date[])
ON CONFLICT DO NOTHING
"""
_SHARE = """
SELECT 1 FROM service_day
WHERE (site_id, business_date) IN (SELECT * FROM unnest($1::text[], $2::date[]))
ORDER BY site_id, business_date FOR SHARE
"""
# Who waits for the lock is given the row as it is then.
_SHARE_ONE = """
SELECT signed_off_at FROM service_day WHERE site_id = $1 AND business_date = $2 FOR SHARE
"""
_TAKE = "SELECT 1 FROM service_day WHERE site_id = $1 AND business_date = $2 FOR UPDATE"
_SIGNED = "SELECT signed_off_at FROM service_day WHERE site_id = $1 AND business_date = $2"
_SIGN_OFF = """
UPDATE service_day SET signed_off_at = $3, signed_off_by = $4
WHERE site_id = $1 AND business_date = $2
"""
_MISS = """
WITH unseen AS (
    INSERT INTO missed (booking_id, site_id, business_date)
    SELECT b.booking_id, b.site_id, b.business_date
    FROM booking b JOIN service_day d USING (site_id, business_date)
    WHERE b.booking_id = ANY ($1::uuid[]) AND b.state IN ('active', 'missed')
          AND d.signed_off_at IS NOT NULL
          AND NOT EXISTS (SELECT FROM visit_case c JOIN visit v USING (visit_id)
                          WHERE c.booking_id = b.booking_id
                                AND v.site_id = b.site_id AND v.business_date = b.business_date)
          AND NOT EXISTS (SELECT FROM procedure_ended e WHERE e.case_id = b.case_id)
    ORDER BY b.booking_id
    ON CONFLICT DO NOTHING
    RETURNING booking_id, site_id, business_date
)
SELECT u.booking_id, b.case_id, u.site_id, u.business_date
FROM unseen u JOIN booking b USING (booking_id)
WHERE b.state = 'active'
ORDER BY b.starts_at, u.booking_id
"""
_REPORT = """
SELECT d.site_id, d.business_date, d.signed_off_at, d.signed_off_by,
       count(DISTINCT v.visit_id) AS parties,
       count(DISTINCT n.case_id) FILTER (WHERE n.is_back) AS cards_back,
       count(DISTINCT n.case_id) FILTER (WHERE NOT n.is_back) AS cards_missing,
       count(c.case_id) FILTER (WHERE c.state = 'done') AS done,
       count(c.case_id) FILTER (WHERE c.state = 'deferred') AS deferred,
       count(c.case_id) FILTER (WHERE c.state = 'abandoned') AS abandoned,
       (SELECT count(*) FROM missed m
        WHERE m.site_id = d.site_id AND m.business_date = d.business_date) AS missed
FROM service_day d
LEFT JOIN visit v USING (site_id, business_date) LEFT JOIN visit_case c USING (visit_id)
LEFT JOIN card_count n USING (visit_id, case_id)
WHERE d.site_id = $1 AND d.business_date = $2 AND d.signed_off_at IS NOT NULL
GROUP BY d.site_id, d.business_date, d.signed_off_at, d.signed_off_by
"""

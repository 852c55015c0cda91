"""Bookings that stand in a suspension, as far as their citizens have still to be told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.reservation.domain.booking import Booking, BookingState
from shared.contracts.base import Procedure
from shared.db import Connection, Row
from shared.ids import SiteId, SuspensionId

_BOOKING = """
b.booking_id, b.case_id, b.party_id, b.site_id, b.starts_at, b.minutes, b.procedure,
b.card_site_id, b.version
"""
_SUSPENDED = (
    "'suspended:' || b.case_id || ':' || s.suspension_id || ':' || b.booking_id || ':' || b.version"
)
_RESUMED = (
    "'confirmed:' || b.case_id || ':' || s.suspension_id || ':' || b.booking_id || ':resumed'"
)
# It is asked again and again while nothing is suspended: no booking is looked at then.
_BEGUN = f"""
SELECT s.suspension_id, {_BOOKING}
FROM suspension s CROSS JOIN LATERAL (
    SELECT * FROM booking b
    WHERE b.site_id = s.site_id AND b.state = 'active' AND b.procedure = ANY(s.procedures)
        AND b.starts_at > $1 AND b.starts_at < coalesce(s.ends_at, greatest($1, s.starts_at) + $2)
        AND b.starts_at + make_interval(mins => b.minutes) > s.starts_at
    OFFSET 0
) AS b
WHERE s.resumed_at IS NULL AND s.bookings = 'keep'
    AND NOT EXISTS (SELECT FROM message m WHERE m.dedupe_key = {_SUSPENDED})
ORDER BY b.starts_at, b.booking_id LIMIT $3
"""  # noqa: S608  our column list
# After the lookahead nobody is left whose visit an open end had reached.
_OVER = f"""
SELECT s.suspension_id, {_BOOKING}
FROM suspension s CROSS JOIN LATERAL (
    SELECT * FROM booking b
    WHERE b.site_id = s.site_id AND b.state = 'active' AND b.procedure = ANY(s.procedures)
        AND b.starts_at > $1 AND b.starts_at < coalesce(s.ends_at, s.resumed_at + $2)
        AND b.starts_at + make_interval(mins => b.minutes) > s.starts_at
    OFFSET 0
) AS b
JOIN message told ON told.dedupe_key = {_SUSPENDED} AND told.state <> 'superseded'
WHERE s.bookings = 'keep' AND s.resumed_at IS NOT NULL
    AND coalesce(s.ends_at, s.resumed_at + $2) > $1
    AND NOT EXISTS (SELECT FROM message m WHERE m.dedupe_key = {_RESUMED})
ORDER BY b.starts_at, b.booking_id LIMIT $3
"""  # noqa: S608
_SUPERSEDE = """
UPDATE message SET state = 'superseded', settled_at = $3
WHERE message_id IN (
    SELECT message_id FROM message
    WHERE state = 'waiting' AND kind = 'suspended' AND taken_until IS NULL
        AND facts ->> 'suspension_id' = $1::text AND site_id = $2
    FOR UPDATE SKIP LOCKED)
"""
_UNSAY = "UPDATE message SET state = 'superseded' WHERE dedupe_key = ANY($1::text[])"


@dataclass(frozen=True, slots=True)
class Standing:
    """A booking that stands, and the suspension it lies in."""

    suspension_id: SuspensionId
    booking: Booking


async def begun(
    conn: Connection, now: datetime, lookahead: timedelta, limit: int
) -> Sequence[Standing]:
    """Those whose citizens have not been told of a suspension that lasts, or is announced."""
    return [_standing(row) for row in await conn.fetch(_BEGUN, now, lookahead, limit)]


async def over(
    conn: Connection, now: datetime, lookahead: timedelta, limit: int
) -> Sequence[Standing]:
    """Those whose citizens were told of a suspension, and not yet that it is over."""
    return [_standing(row) for row in await conn.fetch(_OVER, now, lookahead, limit)]


async def supersede(
    conn: Connection, suspension_id: SuspensionId, site_id: SiteId, at: datetime
) -> None:
    """Let news of a suspension that nobody has begun to send not go out: it is over."""
    await conn.execute(_SUPERSEDE, str(suspension_id), site_id, at)


async def unsay(conn: Connection, keys: Sequence[str]) -> None:
    """What could not be told is not true any more."""
    if keys:
        await conn.execute(_UNSAY, keys)


def _standing(row: Row) -> Standing:
    values = dict(row)
    suspension_id = SuspensionId(values.pop("suspension_id"))
    procedure = Procedure(values.pop("procedure"))
    booking = Booking(**values, procedure=procedure, state=BookingState.ACTIVE, reason=None)
    return Standing(suspension_id, booking)

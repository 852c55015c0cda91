"""Facts about sites and their days; the latest telling counts (see ``store.cases``)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.reporting.domain.told import Told
from shared.contracts.base import Procedure
from shared.contracts.place import Site
from shared.contracts.site import DayCapacity, NationalSystemResumed, NationalSystemSuspended
from shared.db import Connection
from shared.ids import SiteId

_TELL = """
INSERT INTO site_fact AS known (
    site_id, name_ja, name_en, kind, ward, state, opens_on, closes_on,
    told_at, told_sequence, told_event
)
SELECT DISTINCT ON (site_id) *
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::date[],
            $8::date[], $9::timestamptz[], $10::bigint[], $11::uuid[])
     AS told (site_id, name_ja, name_en, kind, ward, state, opens_on, closes_on,
              at, sequence, event)
ORDER BY site_id, at DESC, sequence DESC, event DESC
ON CONFLICT (site_id) DO UPDATE SET
    name_ja = excluded.name_ja,
    name_en = excluded.name_en,
    kind = excluded.kind,
    ward = excluded.ward,
    state = excluded.state,
    opens_on = excluded.opens_on,
    closes_on = excluded.closes_on,
    told_at = excluded.told_at,
    told_sequence = excluded.told_sequence,
    told_event = excluded.told_event
WHERE (excluded.told_at, excluded.told_sequence, excluded.told_event)
    > (known.told_at, known.told_sequence, known.told_event)
"""

_OFFER = """
INSERT INTO site_seats AS known (
    site_id, procedure, business_date, total, free, told_at, told_sequence, told_event
)
SELECT DISTINCT ON (site_id, procedure, day) *
FROM unnest($1::text[], $2::text[], $3::date[], $4::int[], $5::int[], $6::timestamptz[],
            $7::bigint[], $8::uuid[])
     AS told (site_id, procedure, day, total, free, at, sequence, event)
ORDER BY site_id, procedure, day, at DESC, sequence DESC, event DESC
ON CONFLICT (site_id, procedure, business_date) DO UPDATE SET
    total = excluded.total,
    free = excluded.free,
    told_at = excluded.told_at,
    told_sequence = excluded.told_sequence,
    told_event = excluded.told_event
WHERE (excluded.told_at, excluded.told_sequence, excluded.told_event)
    > (known.told_at, known.told_sequence, known.told_event)
"""

_CLOSE_DAYS = """
INSERT INTO site_day_closed AS known (site_id, business_date, closed_at)
SELECT site_id, day, min(at)
FROM unnest($1::text[], $2::date[], $3::timestamptz[]) AS told (site_id, day, at)
GROUP BY site_id, day
ORDER BY site_id, day
ON CONFLICT (site_id, business_date) DO UPDATE
SET closed_at = least(known.closed_at, excluded.closed_at)
"""

_SUSPEND = """
INSERT INTO site_suspension AS known (
    suspension_id, site_id, starts_at, ends_at, reason, told_at, told_sequence, told_event
)
SELECT DISTINCT ON (suspension_id, site_id) *
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[],
            $6::timestamptz[], $7::bigint[], $8::uuid[])
     AS told (suspension_id, site_id, starts_at, ends_at, reason, at, sequence, event)
ORDER BY suspension_id, site_id, at DESC, sequence DESC, event DESC
ON CONFLICT (suspension_id, site_id) DO UPDATE SET
    starts_at = excluded.starts_at,
    ends_at = excluded.ends_at,
    reason = excluded.reason,
    told_at = excluded.told_at,
    told_sequence = excluded.told_sequence,
    told_event = excluded.told_event
WHERE known.told_at IS NULL
   OR (excluded.told_at, excluded.told_sequence, excluded.told_event)
      > (known.told_at, known.told_sequence, known.told_event)
"""

_RESUME = """
INSERT INTO site_suspension AS known (suspension_id, site_id, resumed_at)
SELECT suspension_id, site_id, min(at)
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS told (suspension_id, site_id, at)
GROUP BY suspension_id, site_id
ORDER BY suspension_id, site_id
ON CONFLICT (suspension_id, site_id) DO UPDATE
SET resumed_at = least(known.resumed_at, excluded.resumed_at)
"""


@dataclass(frozen=True, slots=True)
class Seats:
    """A site's seats of one day for one procedure."""

    site_id: SiteId
    procedure: Procedure
    day: DayCapacity


async def tell(conn: Connection, facts: Sequence[tuple[Told, Site]]) -> None:
    """The site as it is."""
    await conn.execute(
        _TELL,
        [site.site_id for _, site in facts],
        [site.name.ja for _, site in facts],
        [site.name.en for _, site in facts],
        [site.kind for _, site in facts],
        [site.ward for _, site in facts],
        [site.state for _, site in facts],
        [site.opens_on for _, site in facts],
        [site.closes_on for _, site in facts],
        *_columns([told for told, _ in facts]),
    )


async def offer(conn: Connection, facts: Sequence[tuple[Told, Seats]]) -> None:
    """Seats per day and procedure; what is not told again stays as told before."""
    await conn.execute(
        _OFFER,
        [seats.site_id for _, seats in facts],
        [seats.procedure for _, seats in facts],
        [seats.day.business_date for _, seats in facts],
        [seats.day.total for _, seats in facts],
        [seats.day.free for _, seats in facts],
        *_columns([told for told, _ in facts]),
    )


async def close_days(conn: Connection, facts: Sequence[tuple[SiteId, date, datetime]]) -> None:
    """Business dates that have ended."""
    await conn.execute(
        _CLOSE_DAYS,
        [site_id for site_id, _, _ in facts],
        [day for _, day, _ in facts],
        [at for _, _, at in facts],
    )


async def suspend(conn: Connection, facts: Sequence[tuple[Told, NationalSystemSuspended]]) -> None:
    """When and why the national system does not answer."""
    await conn.execute(
        _SUSPEND,
        [event.suspension_id for _, event in facts],
        [event.site_id for _, event in facts],
        [event.starts_at for _, event in facts],
        [event.ends_at for _, event in facts],
        [event.reason for _, event in facts],
        *_columns([told for told, _ in facts]),
    )


async def resume(conn: Connection, facts: Sequence[NationalSystemResumed]) -> None:
    """From when it answers again."""
    await conn.execute(
        _RESUME,
        [event.suspension_id for event in facts],
        [event.site_id for event in facts],
        [event.resumed_at for event in facts],
    )


def _columns(told: Sequence[Told]) -> tuple[list[object], list[object], list[object]]:
    return [t.at for t in told], [t.sequence for t in told], [t.event for t in told]

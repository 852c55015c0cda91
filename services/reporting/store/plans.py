"""How sites were planned: every telling of a site, and the seats a day was begun with.

The latest telling before a day counts for that day (see ``store.cases``).
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.reporting.domain.told import Told
from shared.contracts.place import Site
from shared.contracts.site import CapacityPublished
from shared.db import Connection
from shared.ids import SiteId

_KEEP = """
INSERT INTO site_version (site_id, site, told_at, told_sequence, told_event)
SELECT DISTINCT ON (site_id, at, sequence, event) site_id, site::jsonb, at, sequence, event
FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::bigint[], $5::uuid[])
     AS told (site_id, site, at, sequence, event)
ORDER BY site_id, at, sequence, event
ON CONFLICT DO NOTHING
"""

# What is told on the day itself counts only the seats that are left of it.
_OFFER = """
INSERT INTO site_offer AS known (
    site_id, procedure, business_date, seats, minutes, first_hour, minutes_by_hour, told_at,
    told_sequence, told_event
)
SELECT DISTINCT ON (site_id, procedure, day)
       site_id, procedure, day, seats, minutes, first_hour,
       CASE WHEN first_hour IS NOT NULL THEN string_to_array(hours, ',')::int[] END, at, sequence,
       event
FROM unnest($1::text[], $2::text[], $3::date[], $4::int[], $5::int[], $6::smallint[], $7::text[],
            $8::timestamptz[], $9::bigint[], $10::uuid[])
     AS told (site_id, procedure, day, seats, minutes, first_hour, hours, at, sequence, event)
WHERE (at AT TIME ZONE 'Asia/Tokyo')::date < day
ORDER BY site_id, procedure, day, at DESC, sequence DESC, event DESC
ON CONFLICT (site_id, procedure, business_date) DO UPDATE SET
    seats = excluded.seats,
    minutes = excluded.minutes,
    first_hour = excluded.first_hour,
    minutes_by_hour = excluded.minutes_by_hour,
    told_at = excluded.told_at,
    told_sequence = excluded.told_sequence,
    told_event = excluded.told_event
WHERE (excluded.told_at, excluded.told_sequence, excluded.told_event)
    > (known.told_at, known.told_sequence, known.told_event)
"""

_ON_DAY = """
SELECT DISTINCT ON (site_id) site
FROM site_version
WHERE (told_at AT TIME ZONE 'Asia/Tokyo')::date <= $1
ORDER BY site_id, told_at DESC, told_sequence DESC, told_event DESC
"""

_VERSIONS = """
SELECT site_id, (told_at AT TIME ZONE 'Asia/Tokyo')::date AS told_on, site
FROM site_version
WHERE $1::text IS NULL OR site_id = $1
ORDER BY site_id, told_at, told_sequence, told_event
"""


@dataclass(frozen=True, slots=True)
class Version:
    """A site as it was from the day ``told_on`` on."""

    told_on: date
    site: Site


def as_of(told: Sequence[Version], day: date) -> Site | None:
    """The site as it was known at the end of ``day``, if it was known at all."""
    at = bisect_right(told, day, key=lambda version: version.told_on)
    return told[at - 1].site if at else None


async def keep(conn: Connection, facts: Sequence[tuple[Told, Site]]) -> None:
    """The site as it is from then on."""
    await conn.execute(
        _KEEP,
        [site.site_id for _, site in facts],
        [site.model_dump_json() for _, site in facts],
        *_columns([told for told, _ in facts]),
    )


async def offer(conn: Connection, facts: Sequence[tuple[Told, CapacityPublished]]) -> None:
    """Seats of days that had not begun."""
    days = [(told, event, day) for told, event in facts for day in event.days]
    await conn.execute(
        _OFFER,
        [event.site_id for _, event, _ in days],
        [event.procedure for _, event, _ in days],
        [day.business_date for _, _, day in days],
        [day.total for _, _, day in days],
        [event.minutes for _, event, _ in days],
        [day.first_hour for _, _, day in days],
        # A list of lists would have to have lists of one length.
        [",".join(map(str, day.minutes_by_hour)) for _, _, day in days],
        *_columns([told for told, _, _ in days]),
    )


async def on_day(conn: Connection, day: date) -> list[Site]:
    """Every site as it was known at the end of ``day``, by its id."""
    return [Site.model_validate_json(row["site"]) for row in await conn.fetch(_ON_DAY, day)]


async def versions(conn: Connection, site_id: SiteId | None) -> dict[SiteId, list[Version]]:
    """Each site (or the one) as it was told, the earliest first."""
    found: dict[SiteId, list[Version]] = {}
    for row in await conn.fetch(_VERSIONS, site_id):
        version = Version(row["told_on"], Site.model_validate_json(row["site"]))
        found.setdefault(row["site_id"], []).append(version)
    return found


def _columns(told: Sequence[Told]) -> tuple[list[object], list[object], list[object]]:
    return [t.at for t in told], [t.sequence for t in told], [t.event for t in told]

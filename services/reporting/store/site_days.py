"""Figures of sites' days, derived from the facts whenever they are asked for."""

from dataclasses import dataclass
from datetime import date

from services.reporting.store.bookings import NO_SHOW
from shared.db import Connection
from shared.ids import SiteId

# One row per site and day that anything is known of. Seats of both procedures lie in the same
# time, so the greater of both is what could be booked.
_DAYS = f"""
WITH offered AS (
    SELECT site_id, business_date, max(seats * coalesce(minutes, $4)) AS minutes
    FROM site_offer
    WHERE business_date BETWEEN $1 AND $2 AND ($3::text IS NULL OR site_id = $3)
    GROUP BY 1, 2
), booked AS (
    SELECT site_id, business_date,
           count(*) FILTER (WHERE cancelled_at IS NULL) AS bookings,
           coalesce(sum(minutes) FILTER (WHERE cancelled_at IS NULL), 0) AS minutes,
           count(*) FILTER (WHERE {NO_SHOW}) AS missed,
           coalesce(sum(minutes) FILTER (WHERE {NO_SHOW}), 0) AS missed_minutes,
           count(*) FILTER (WHERE cancelled_at IS NOT NULL) AS cancelled
    FROM booking_fact
    WHERE business_date BETWEEN $1 AND $2 AND ($3::text IS NULL OR site_id = $3)
    GROUP BY 1, 2
), visited AS (
    SELECT site_id, business_date, count(DISTINCT visit_id) AS parties,
           count(*) FILTER (WHERE arrival = 'walk_in') AS walk_ins,
           count(*) FILTER (WHERE completed_at IS NOT NULL) AS served,
           count(*) FILTER (WHERE deferred_at IS NOT NULL) AS deferred,
           count(*) FILTER (WHERE abandoned_at IS NOT NULL) AS abandoned
    FROM visit_fact
    WHERE business_date BETWEEN $1 AND $2 AND ($3::text IS NULL OR site_id = $3)
    GROUP BY 1, 2
), measured AS (
    SELECT site_id, business_date, round(sum(open_seconds) / 60.0)::int AS open_minutes,
           round(sum(busy_seconds) / 60.0)::int AS used_minutes
    FROM site_measure
    WHERE business_date BETWEEN $1 AND $2 AND ($3::text IS NULL OR site_id = $3)
    GROUP BY 1, 2
)
SELECT business_date, site_id, offered.minutes AS offered_minutes,
       coalesce(booked.bookings, 0) AS bookings, coalesce(booked.minutes, 0) AS booked_minutes,
       measured.open_minutes, measured.used_minutes,
       coalesce(booked.missed, 0) AS no_shows,
       coalesce(booked.missed_minutes, 0) AS no_show_minutes,
       coalesce(booked.cancelled, 0) AS cancelled, coalesce(visited.parties, 0) AS parties,
       coalesce(visited.walk_ins, 0) AS walk_ins, coalesce(visited.served, 0) AS served,
       coalesce(visited.deferred, 0) AS deferred, coalesce(visited.abandoned, 0) AS abandoned
FROM offered
FULL JOIN booked USING (site_id, business_date)
FULL JOIN visited USING (site_id, business_date)
FULL JOIN measured USING (site_id, business_date)
ORDER BY business_date, site_id
"""  # noqa: S608  our own condition

# Of the procedures that share a day's time, the one with the most of it says where it lies.
_HOURS = f"""
WITH offered AS (
    SELECT site_id, business_date, first_hour + number::int - 1 AS hour, minutes
    FROM (
        SELECT DISTINCT ON (site_id, business_date) site_id, business_date, first_hour,
               minutes_by_hour
        FROM site_offer
        WHERE business_date BETWEEN $1 AND $2 AND ($3::text IS NULL OR site_id = $3)
        ORDER BY site_id, business_date, seats * coalesce(minutes, $4) DESC, procedure
    ) AS day, unnest(minutes_by_hour) WITH ORDINALITY AS hour (minutes, number)
), booked AS (
    SELECT site_id, business_date, extract(hour FROM at AT TIME ZONE 'Asia/Tokyo')::int AS hour,
           sum(part) AS minutes, coalesce(sum(part) FILTER (WHERE missed), 0) AS missed_minutes
    FROM (
        SELECT site_id, business_date, {NO_SHOW} AS missed, at,
               extract(epoch FROM least(at + interval '1 hour', starts_at + length)
                                  - greatest(at, starts_at)) / 60 AS part
        FROM (
            SELECT *, make_interval(mins => minutes) AS length FROM booking_fact
            WHERE business_date BETWEEN $1 AND $2 AND ($3::text IS NULL OR site_id = $3)
              AND cancelled_at IS NULL
        ) AS one,
        LATERAL generate_series(date_trunc('hour', starts_at),
                                starts_at + length - interval '1 second', interval '1 hour') AS at
    ) AS cut
    GROUP BY 1, 2, 3
), measured AS (
    SELECT site_id, business_date,
           extract(hour FROM starts_at AT TIME ZONE 'Asia/Tokyo')::int AS hour,
           sum(open_seconds) / 60.0 AS open_minutes, sum(busy_seconds) / 60.0 AS used_minutes
    FROM site_measure
    WHERE business_date BETWEEN $1 AND $2 AND ($3::text IS NULL OR site_id = $3)
    GROUP BY 1, 2, 3
)
SELECT business_date, site_id, hour, offered.minutes AS offered_minutes,
       coalesce(round(booked.minutes), 0)::int AS booked_minutes,
       coalesce(round(booked.missed_minutes), 0)::int AS no_show_minutes,
       round(open_minutes)::int AS open_minutes, round(used_minutes)::int AS used_minutes
FROM offered
FULL JOIN booked USING (site_id, business_date, hour)
FULL JOIN measured USING (site_id, business_date, hour)
ORDER BY business_date, site_id, hour
"""  # noqa: S608

DEFAULT_MINUTES = 20
"""Length of a seat that was told without it (the brief's default of both procedures)."""


@dataclass(frozen=True, slots=True)
class Days:
    """Business dates from the first to the last, of one site or of all."""

    first: date
    last: date
    site_id: SiteId | None = None


@dataclass(frozen=True, slots=True)
class DayFigures:
    """A site's day; minutes at counters, cases where nothing else is said.

    ``offered`` is none where no seats were told before the day began, ``open`` and ``used`` until
    the day was signed off.
    """

    business_date: date
    site_id: SiteId
    offered_minutes: int | None
    bookings: int
    booked_minutes: int
    open_minutes: int | None
    used_minutes: int | None
    no_shows: int
    no_show_minutes: int
    cancelled: int
    parties: int
    walk_ins: int
    served: int
    deferred: int
    abandoned: int


@dataclass(frozen=True, slots=True)
class HourFigures:
    """Minutes of an hour (0-23) at a site; none where they are in ``DayFigures``."""

    business_date: date
    site_id: SiteId
    hour: int
    offered_minutes: int | None
    booked_minutes: int
    no_show_minutes: int
    open_minutes: int | None
    used_minutes: int | None


async def days(conn: Connection, span: Days) -> list[DayFigures]:
    """Every day of every site that anything is known of, in order."""
    rows = await conn.fetch(_DAYS, span.first, span.last, span.site_id, DEFAULT_MINUTES)
    return [DayFigures(**dict(row)) for row in rows]


async def hours(conn: Connection, span: Days) -> list[HourFigures]:
    """Every hour in which anything was offered, booked or measured, in order."""
    rows = await conn.fetch(_HOURS, span.first, span.last, span.site_id, DEFAULT_MINUTES)
    return [HourFigures(**dict(row)) for row in rows]

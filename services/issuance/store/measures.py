"""What was noted on a site's day, for its measures, and the service times they come to."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from services.issuance.domain.measures import DayFacts, Noted, Turn
from services.issuance.domain.ticket import Purpose
from shared.contracts.issuance import Arrival, Service, ServiceStep
from shared.db import Connection
from shared.ids import SiteId


async def facts(conn: Connection, site_id: SiteId, day: date) -> DayFacts:
    """Everything that was noted at a site on a day that is signed off."""
    arrivals = await conn.fetch(_ARRIVALS, site_id, day)
    waits = await conn.fetch(_WAITS, site_id, day)
    turns = await conn.fetch(_TURNS, site_id, day)
    noted = await conn.fetch(_NOTED, site_id, day)
    spans = await conn.fetch(_SPANS, site_id, day)
    closed = await conn.fetch(_CLOSED, site_id, day)
    booked = await conn.fetch(_BOOKED, site_id, day)
    return DayFacts(
        arrivals=[(row["checked_in_at"], Arrival(row["arrival"])) for row in arrivals],
        waits=[(row["checked_in_at"], row["first_called_at"]) for row in waits],
        turns=[Turn(row["visit_id"], (row["began_at"], row["ended_at"])) for row in turns],
        noted=[
            Noted(
                row["visit_id"],
                Service(row["service"]),
                ServiceStep(row["step"]) if row["step"] else None,
                row["at"],
            )
            for row in noted
        ],
        open_spans=[(row["opened_at"], row["closed_at"]) for row in spans],
        abandoned=[row["closed_at"] for row in closed if row["state"] == "abandoned"],
        deferred=[row["closed_at"] for row in closed if row["state"] == "deferred"],
        expected=[row["starts_at"] for row in booked],
        missed=[row["starts_at"] for row in booked if row["is_missed"]],
    )


async def learn(
    conn: Connection, site_id: SiteId, day: date, *, days: int, least: int
) -> Mapping[Purpose, timedelta]:
    """Keep how long parties took at a site in the ``days`` up to ``day``; what was learned.

    ``day`` itself is summed up here, the days before it were when it was their turn. A purpose with
    fewer than ``least`` parties keeps what it had.
    """
    await conn.execute(_SUM_UP, site_id, day)
    rows = await conn.fetch(_LEARN, site_id, day, days, least)
    return {Purpose(row["purpose"]): timedelta(seconds=row["seconds"]) for row in rows}


async def forgotten(conn: Connection, site_id: SiteId, at: datetime) -> None:
    """End the open time of counters that nobody closed with the last party at each."""
    await conn.execute(_FORGOTTEN, site_id, at)


_ARRIVALS = """
SELECT checked_in_at, arrival FROM visit WHERE site_id = $1 AND business_date = $2
"""
_WAITS = """
SELECT v.checked_in_at, t.first_called_at FROM visit v JOIN ticket t USING (visit_id)
WHERE v.site_id = $1 AND v.business_date = $2 AND t.first_called_at IS NOT NULL
"""
# What only the sign-off has ended was forgotten: how long it took, nobody noted.
_TURNS = """
SELECT t.visit_id, t.began_at, t.ended_at
FROM counter_turn t LEFT JOIN service_day d USING (site_id, business_date)
WHERE t.site_id = $1 AND t.business_date = $2 AND t.outcome <> 'skipped'
      AND (d.signed_off_at IS NULL OR t.ended_at < d.signed_off_at)
ORDER BY t.turn_id
"""
_NOTED = """
SELECT v.visit_id, s.service, s.step, s.at
FROM visit v JOIN visit_case c USING (visit_id),
LATERAL (VALUES (c.procedure, 'identity', c.identified_at), (c.procedure, 'pin_set', c.pin_set_at),
                (c.procedure, 'finish', CASE WHEN c.state = 'done' THEN c.closed_at END))
    AS s (service, step, at)
WHERE v.site_id = $1 AND v.business_date = $2 AND s.at IS NOT NULL
UNION ALL
SELECT v.visit_id, 'question', NULL, v.ended_at
FROM visit v LEFT JOIN service_day d USING (site_id, business_date)
WHERE v.site_id = $1 AND v.business_date = $2 AND v.called_at IS NOT NULL AND v.state = 'ended'
      AND (d.signed_off_at IS NULL OR v.ended_at < d.signed_off_at)
      AND NOT EXISTS (SELECT FROM visit_case c WHERE c.visit_id = v.visit_id)
"""
_SPANS = """
SELECT opened_at, closed_at FROM counter_span
WHERE site_id = $1 AND closed_at IS NOT NULL
      AND (opened_at AT TIME ZONE 'Asia/Tokyo')::date = $2
"""
_CLOSED = """
SELECT c.state, c.closed_at FROM visit_case c JOIN visit v USING (visit_id)
WHERE v.site_id = $1 AND v.business_date = $2 AND c.state IN ('abandoned', 'deferred')
"""
_BOOKED = """
SELECT b.starts_at, m.booking_id IS NOT NULL AS is_missed
FROM booking b LEFT JOIN missed m USING (booking_id, site_id, business_date)
WHERE b.site_id = $1 AND b.business_date = $2
      AND (b.state IN ('active', 'fulfilled', 'missed') OR m.booking_id IS NOT NULL)
"""
_SUM_UP = """
WITH party AS (
    SELECT t.purposes[1] AS purpose, extract(epoch FROM sum(c.ended_at - c.began_at)) AS seconds
    FROM counter_turn c JOIN ticket t USING (visit_id) JOIN visit v USING (visit_id)
    LEFT JOIN service_day d ON d.site_id = c.site_id AND d.business_date = c.business_date
    WHERE c.site_id = $1 AND c.business_date = $2
          AND (d.signed_off_at IS NULL OR v.ended_at < d.signed_off_at)
          AND c.outcome <> 'skipped' AND v.state = 'ended' AND cardinality(t.purposes) = 1
          AND NOT EXISTS (SELECT FROM visit_case x
                          WHERE x.visit_id = c.visit_id AND x.state = 'abandoned')
    GROUP BY c.visit_id, t.purposes[1]
)
INSERT INTO service_day_time (site_id, business_date, purpose, parties, seconds)
SELECT $1, $2, purpose, count(*), sum(seconds) FROM party GROUP BY purpose
ON CONFLICT (site_id, business_date, purpose) DO UPDATE
    SET parties = excluded.parties, seconds = excluded.seconds
"""
_LEARN = """
INSERT INTO service_time (site_id, purpose, seconds, samples, measured_on)
SELECT $1, purpose, greatest(1, round(sum(seconds) / sum(parties)))::int, sum(parties), $2
FROM service_day_time
WHERE site_id = $1 AND business_date > $2::date - $3::int AND business_date <= $2
GROUP BY purpose HAVING sum(parties) >= $4
ON CONFLICT (site_id, purpose) DO UPDATE SET
    seconds = excluded.seconds, samples = excluded.samples, measured_on = excluded.measured_on
WHERE excluded.measured_on >= service_time.measured_on
RETURNING purpose, seconds
"""
# One that began after a sign-off that is told late ends where it began: its counter closes with the
# others, so nobody else would end it.
_FORGOTTEN = """
UPDATE counter_span s SET closed_at = greatest(s.opened_at, (
    SELECT max(t.ended_at) FROM counter_turn t
    WHERE t.site_id = s.site_id AND t.counter = s.counter AND t.began_at >= s.opened_at
          AND t.ended_at <= $2))
WHERE s.site_id = $1 AND s.closed_at IS NULL
"""

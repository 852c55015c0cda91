"""Paces, and whose notice is next. Who sends notices of a site by pace holds the row of its
pace, so that no seat is promised twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.preparation.domain.pace import Demand, Pace
from shared.db import Connection, Row
from shared.ids import CaseId, SiteId


@dataclass(frozen=True, slots=True)
class SitePace:
    """The pace of a site; ``version`` 0 where nobody has set one."""

    site_id: SiteId
    pace: Pace
    version: int


async def find(conn: Connection, site_ids: Sequence[SiteId]) -> list[SitePace]:
    """The paces of these sites."""
    known = {row["site_id"]: _pace(row) for row in await conn.fetch(_FIND, list(site_ids))}
    return [known.get(site_id, SitePace(site_id, Pace(), 0)) for site_id in site_ids]


async def listed(conn: Connection) -> Sequence[SitePace]:
    """The paces of all sites where cards lie or that have one."""
    return [_pace(row) for row in await conn.fetch(_LISTED)]


async def lock(conn: Connection, site_id: SiteId) -> SitePace:
    """The pace of a site, held until the unit ends."""
    default = Pace()
    row = await conn.fetchrow(_LOCK, site_id, default.share, default.window_days)
    if row is None:
        raise RuntimeError("a pace that was just written is gone")
    return _pace(row)


async def store(conn: Connection, site_id: SiteId, pace: Pace) -> None:
    """Change the pace of a locked site."""
    await conn.execute(
        _STORE, site_id, pace.share, pace.window_days, pace.daily_limit, pace.automatic
    )


async def due(conn: Connection, today: date) -> SiteId | None:
    """A site whose notices have not gone out by themselves today, locked; None where there is
    none, or others work on it.
    """
    site_id: SiteId | None = await conn.fetchval(_DUE, today)
    return site_id


async def ran(conn: Connection, site_id: SiteId, today: date) -> None:
    """Say that a site has done what it may today."""
    await conn.execute(_RAN, site_id, today)


async def demands(
    conn: Connection,
    windows: Mapping[SiteId, tuple[date, date]],
    midnight: datetime,
    today: date,
) -> dict[SiteId, Demand]:
    """Of each site, the seats of its days from first to last, invitations and today's notices."""
    firsts, lasts = [days[0] for days in windows.values()], [days[1] for days in windows.values()]
    rows = await conn.fetch(_DEMANDS, list(windows), firsts, lasts, midnight, today)
    return {
        row["site_id"]: Demand(row["free_seats"], row["invited"], row["sent_today"]) for row in rows
    }


async def waiting(conn: Connection, site_id: SiteId) -> int:
    """Cards of a site that wait for their notice."""
    count: int = await conn.fetchval(_WAITING, site_id)
    return count


async def next_cards(
    conn: Connection, site_id: SiteId, today: date, near: date, limit: int
) -> list[CaseId]:
    """Whose notice is next: those that expire before ``near`` by expiry, then the oldest."""
    return [row["case_id"] for row in await conn.fetch(_NEXT, site_id, today, near, limit)]


def _pace(row: Row) -> SitePace:
    pace = Pace(row["share"], row["window_days"], row["daily_limit"], row["automatic"])
    return SitePace(row["site_id"], pace, row["version"])


_FIND = """
SELECT site_id, share, window_days, daily_limit, automatic, version FROM notice_pace
WHERE site_id = ANY($1::text[])
"""
_LISTED = """
SELECT site_id, coalesce(share, 100) AS share, coalesce(window_days, 28) AS window_days,
       daily_limit, coalesce(automatic, false) AS automatic, coalesce(version, 0) AS version
FROM (SELECT DISTINCT site_id FROM shelf) lying FULL JOIN notice_pace USING (site_id)
ORDER BY site_id
"""
_LOCK = """
INSERT INTO notice_pace AS p (site_id, share, window_days, automatic, version)
VALUES ($1, $2, $3, false, 0)
ON CONFLICT (site_id) DO UPDATE SET share = p.share
RETURNING site_id, share, window_days, daily_limit, automatic, version
"""
_STORE = """
UPDATE notice_pace SET share = $2, window_days = $3, daily_limit = $4, automatic = $5,
                       version = version + 1
WHERE site_id = $1
"""
_DUE = """
SELECT site_id FROM notice_pace WHERE automatic AND (run_on IS NULL OR run_on < $1)
ORDER BY site_id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_RAN = "UPDATE notice_pace SET run_on = $2 WHERE site_id = $1"
# All sites at once: site by site, every card that is notified anywhere would be found for each.
_DEMANDS = """
WITH wanted AS (
    SELECT * FROM unnest($1::text[], $2::date[], $3::date[]) AS w(site_id, first_day, last_day)
), free AS (
    SELECT site_id, sum(free)::int AS seats FROM wanted JOIN seat_day USING (site_id)
    WHERE business_date BETWEEN first_day AND last_day
    GROUP BY site_id
), invited AS (
    SELECT card.site_id, count(*)::int AS cards FROM card
    WHERE card.site_id = ANY($1::text[]) AND card.stage = 'notified' AND card.holds = 0
      AND NOT EXISTS (SELECT FROM booking b WHERE b.case_id = card.case_id
                                              AND b.state = 'booked' AND b.starts_at >= $4)
      AND EXISTS (SELECT FROM notice n WHERE n.case_id = card.case_id AND n.pickup_deadline >= $5)
    GROUP BY card.site_id
), sent AS (
    SELECT notice.site_id, count(*)::int AS notices FROM notice JOIN notice_batch USING (batch_id)
    WHERE notice.site_id = ANY($1::text[]) AND created_at >= $4 AND secret_id IS NOT NULL
    GROUP BY notice.site_id
)
SELECT site_id, coalesce(free.seats, 0) AS free_seats, coalesce(invited.cards, 0) AS invited,
       coalesce(sent.notices, 0) AS sent_today
FROM wanted LEFT JOIN free USING (site_id) LEFT JOIN invited USING (site_id)
LEFT JOIN sent USING (site_id)
"""
_WAITING = """
SELECT count(*)::int FROM card WHERE site_id = $1 AND stage = 'shelved' AND holds = 0
"""
_NEXT = """
SELECT case_id FROM card JOIN sealed_birth_date USING (case_id)
CROSS JOIN LATERAL (SELECT least(card_expires_on, old_card_expires_on) AS ends_on) AS which
WHERE site_id = $1 AND stage = 'shelved' AND holds = 0 AND card_expires_on >= $2
ORDER BY ends_on > $3, CASE WHEN ends_on <= $3 THEN ends_on END, applied_on, case_id
LIMIT $4
"""

"""How long parties waited and were served, derived from the facts whenever it is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.reporting.store.site_days import Days
from shared.db import Connection
from shared.ids import SiteId

# A party waits until it is first called; it is served from its last call until its last case ends.
_TIMES = """
SELECT site_id, count(waited) AS waits,
       percentile_cont($4::float8[]) WITHIN GROUP (ORDER BY waited) AS waited,
       count(took) AS services,
       percentile_cont($4::float8[]) WITHIN GROUP (ORDER BY took) AS took
FROM (
    SELECT site_id,
           CASE WHEN called >= came THEN extract(epoch FROM called - came) / 60 END AS waited,
           CASE WHEN ended >= last AND open = 0 THEN extract(epoch FROM ended - last) / 60 END
               AS took
    FROM (
        SELECT min(site_id) AS site_id, min(checked_in_at) AS came, min(first_called_at) AS called,
               max(last_called_at) AS last,
               max(greatest(completed_at, deferred_at)) AS ended,
               count(*) FILTER (WHERE coalesce(completed_at, deferred_at, abandoned_at) IS NULL)
                   AS open
        FROM visit_fact
        WHERE business_date BETWEEN $1 AND $2 AND ($3::text IS NULL OR site_id = $3)
        GROUP BY visit_id
    ) AS party
) AS span
GROUP BY GROUPING SETS ((site_id), ())
ORDER BY site_id NULLS LAST
"""

SHARES = (0.5, 0.9, 0.95)
"""The percentiles that are shown."""


@dataclass(frozen=True, slots=True)
class Percentiles:
    """How long something took for ``count`` parties, in minutes; none where there were none."""

    count: int
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """Waiting and service of parties at a site; without a site, at all of them."""

    site_id: SiteId | None
    waited: Percentiles
    served: Percentiles


async def times(conn: Connection, span: Days) -> list[Times]:
    """Percentiles per site, then of all sites together."""
    rows = await conn.fetch(_TIMES, span.first, span.last, span.site_id, list(SHARES))
    return [
        Times(row[0], _percentiles(row[1], row[2]), _percentiles(row[3], row[4])) for row in rows
    ]


def _percentiles(count: int, found: Sequence[float | None] | None) -> Percentiles:
    if not count or found is None:
        return Percentiles(0)
    return Percentiles(count, *(None if one is None else round(one, 1) for one in found))

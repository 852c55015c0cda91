"""From which ward to which site people came."""

from services.reporting.domain.equity import Flow
from services.reporting.store.habits import Between
from shared.contracts.base import Procedure
from shared.db import Connection

_FLOWS = """
SELECT completed_ward, completed_site, count(*)::int
FROM case_fact
WHERE completed_month BETWEEN date_trunc('month', $1::date)::date AND $2::date
  AND completed_at >= $3 AND completed_at < $4
  AND ($5::text IS NULL OR completed_procedure = $5)
GROUP BY 1, 2
ORDER BY 1, 2
"""


async def flows(conn: Connection, days: Between, procedure: Procedure | None) -> list[Flow]:
    """Completions of these days."""
    rows = await conn.fetch(_FLOWS, days.first, days.last, days.begins, days.ended, procedure)
    return [Flow(*tuple(row)) for row in rows]

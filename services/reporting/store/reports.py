"""Reports are derived from the facts whenever they are asked for, each by one statement.

No counter is kept beside the facts, so none can disagree with them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.reporting.domain.monthly import Counts
from services.reporting.domain.totals import Totals, WardTotals
from shared.contracts.base import CaseKind, Procedure
from shared.db import Connection
from shared.ids import CaseId, SiteId, WardCode

_COUNTS = """
SELECT completed_month, completed_procedure, count(*) AS completed
FROM case_fact
WHERE completed_month BETWEEN $1 AND $2
  AND ($3::text IS NULL OR completed_ward = $3)
  AND ($4::text IS NULL OR completed_site = $4)
GROUP BY completed_month, completed_procedure
"""

_FINEST = """
SELECT counted.*, site_fact.name_ja, site_fact.name_en
FROM (
    SELECT completed_month, completed_procedure, completed_ward, completed_site,
           count(*) AS completed
    FROM case_fact
    WHERE completed_month BETWEEN $1 AND $2
      AND ($3::text IS NULL OR completed_ward = $3)
      AND ($4::text IS NULL OR completed_site = $4)
    GROUP BY completed_month, completed_procedure, completed_ward, completed_site
) AS counted
LEFT JOIN site_fact ON site_fact.site_id = counted.completed_site
ORDER BY completed_month, completed_procedure, completed_ward, completed_site
"""

_SPAN = """
SELECT min(completed_month) AS first, max(completed_month) AS last
FROM case_fact WHERE completed_month IS NOT NULL
"""

# From each month to the next by the index: no year of cases is read for a dozen months.
_COUNTED = """
WITH RECURSIVE counted AS (
    SELECT min(completed_month) AS month FROM case_fact WHERE completed_month IS NOT NULL
    UNION ALL
    SELECT (SELECT min(completed_month) FROM case_fact WHERE completed_month > counted.month)
    FROM counted WHERE counted.month IS NOT NULL
)
SELECT month FROM counted WHERE month IS NOT NULL
"""

_FIRST_DAY = """
SELECT (min(completed_at) AT TIME ZONE 'Asia/Tokyo')::date FROM case_fact
WHERE completed_month = (
    SELECT min(completed_month) FROM case_fact WHERE completed_month IS NOT NULL
)
"""

_CASES = """
SELECT case_id, completed_procedure, completed_kind, completed_ward, completed_site, completed_at,
       completed_event
FROM case_fact
WHERE completed_month = $1
  AND ($2::text IS NULL OR completed_procedure = $2)
  AND ($3::text IS NULL OR completed_ward = $3)
  AND ($4::text IS NULL OR completed_site = $4)
  AND ($5::timestamptz IS NULL OR (completed_at, case_id) > ($5, $6::uuid))
  AND ($8::boolean IS NULL OR completed_booked = $8)
ORDER BY completed_at, case_id
LIMIT $7
"""

# $1 is a day in Japan, $2 the instant at which it has ended.
_TOTALS = """
SELECT ward,
       count(*) FILTER (WHERE applied) AS applied,
       count(*) FILTER (WHERE shipped) AS shipped,
       count(*) FILTER (WHERE preset) AS preset,
       count(*) FILTER (WHERE issued) AS issued,
       count(*) FILTER (WHERE NOT over AND applied AND NOT shipped AND NOT preset)
           AS waiting_for_shipment,
       count(*) FILTER (WHERE NOT over AND shipped AND NOT preset) AS waiting_for_preset,
       count(*) FILTER (WHERE NOT over AND preset) AS waiting_for_issuance,
       count(*) FILTER (WHERE over AND NOT issued) AS ended
FROM (
    SELECT ward, applied, shipped, preset, issued, issued OR ended AS over
    FROM (
        SELECT coalesce(completed_ward, ward) AS ward,
               coalesce(applied_on <= $1::date, false) AS applied,
               coalesce(shipped_on <= $1::date, false) AS shipped,
               coalesce(preset_at < $2::timestamptz, false) AS preset,
               coalesce(completed_at < $2::timestamptz, false) AS issued,
               coalesce(least(voided_at, disposed_at) < $2::timestamptz, false) AS ended
        FROM case_fact
        WHERE coalesce(completed_procedure, procedure, 'card_issuance') = 'card_issuance'
    ) AS card
) AS stage
WHERE applied OR shipped OR preset OR issued OR over
GROUP BY ward
ORDER BY ward NULLS LAST
"""


@dataclass(frozen=True, slots=True)
class Span:
    """The months asked for (first days), of one ward or site or of all."""

    first: date
    last: date
    ward: WardCode | None = None
    site_id: SiteId | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """Completions of a month, procedure, ward and site; names where an event has told them."""

    month: date
    procedure: Procedure
    ward: WardCode
    site_id: SiteId
    completed: int
    site_name_ja: str | None
    site_name_en: str | None


@dataclass(frozen=True, slots=True)
class CompletedCase:
    """A case behind a figure, and the event by which it counts."""

    case_id: CaseId
    procedure: Procedure
    kind: CaseKind
    ward: WardCode
    site_id: SiteId
    completed_at: datetime
    event_id: UUID


async def counts(conn: Connection, span: Span) -> Counts:
    """Completions by month and procedure."""
    rows = await conn.fetch(_COUNTS, span.first, span.last, span.ward, span.site_id)
    return {(row[0], Procedure(row[1])): row[2] for row in rows}


async def cells(conn: Connection, span: Span) -> list[Cell]:
    """Completions as finely as they are counted, in order; nothing where there was none."""
    rows = await conn.fetch(_FINEST, span.first, span.last, span.ward, span.site_id)
    return [Cell(row[0], Procedure(row[1]), row[2], row[3], row[4], row[5], row[6]) for row in rows]


async def known_months(conn: Connection) -> tuple[date, date] | None:
    """The first and the last month with a completion."""
    row = await conn.fetchrow(_SPAN)
    return (row["first"], row["last"]) if row and row["first"] else None


async def counted_months(conn: Connection) -> list[date]:
    """The months in which the city completed anything at all, in order: of others nothing is known,
    and that is not 0."""
    return [row["month"] for row in await conn.fetch(_COUNTED)]


async def first_day(conn: Connection) -> date | None:
    """The day in Japan on which the city first completed anything; None before that."""
    day: date | None = await conn.fetchval(_FIRST_DAY)
    return day


async def completed_cases(
    conn: Connection,
    span: Span,
    procedure: Procedure | None,
    *,
    after: tuple[datetime, UUID] | None,
    limit: int,
    booked: bool | None = None,
) -> Sequence[CompletedCase]:
    """The cases of the month ``span.first``, in order of completion, at most ``limit``."""
    at, case_id = after or (None, None)
    rows = await conn.fetch(
        _CASES, span.first, procedure, span.ward, span.site_id, at, case_id, limit, booked
    )
    return [
        CompletedCase(row[0], Procedure(row[1]), CaseKind(row[2]), row[3], row[4], row[5], row[6])
        for row in rows
    ]


async def totals(conn: Connection, day: date, ended: datetime) -> list[WardTotals]:
    """The totals of each ward up to ``day``, which ends at the instant ``ended``.

    A case counts in the ward it belongs to now, also for days before a move.
    """
    rows = await conn.fetch(_TOTALS, day, ended)
    return [WardTotals(row["ward"], Totals(*tuple(row)[1:])) for row in rows]

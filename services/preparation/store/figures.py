"""Figures counted from the cards and the days of their stages: totals, backlog, lead times.

No sum is kept, so none can differ from the cards. Days are those of Tokyo.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from services.preparation.domain.backlog import Waiting
from services.preparation.domain.lead_times import Leg, Span
from services.preparation.domain.stages import Stage
from services.preparation.domain.totals import Change
from shared.calendar import TOKYO
from shared.db import Connection
from shared.ids import WardCode

_LATE = timedelta(days=7)
"""How late the news of a hand-over may be behind other stages, at the very most."""


async def changes(
    conn: Connection, first: date, last: date, ward: WardCode | None = None
) -> list[Change]:
    """How the totals change up to ``last``; what changed before ``first`` is dated with it."""
    rows = await conn.fetch(_CHANGES, first, last, ward)
    return [Change(row["ward"], row["day"], row["measure"], row["by"]) for row in rows]


async def waiting(conn: Connection, ward: WardCode | None = None) -> list[Waiting]:
    """What waits at each stage of the way now, by the day on which it came there."""
    return [
        Waiting(Stage(row["stage"]), row["ward"], row["since"], row["cards"], row["held"])
        for row in await conn.fetch(_WAITING, ward)
    ]


async def spans(
    conn: Connection, first: date, last: date, ward: WardCode | None = None
) -> list[Span]:
    """The steps that ended from ``first`` to ``last``."""
    legs: Sequence[Leg] = tuple(Leg)
    rows = await conn.fetch(
        _SPANS,
        list(legs),
        [leg.ends[0].rank + 1 for leg in legs],
        [leg.ends[1].rank + 1 for leg in legs],
        # A card's last stage is its latest, but for a hand-over that was heard of late.
        datetime.combine(first, time.min, TOKYO) - _LATE,
        ward,
        first,
        last,
    )
    return [Span(Leg(row["leg"]), row["began"], row["ended"], row["cards"]) for row in rows]


# The same rules as the report of the four totals in the reporting room. A card that is further than
# a fact we miss (a hand-over heard of before its preset) waits for nothing before that.
_CHANGES = """
WITH alike AS (
    SELECT ward, applied_on, shipped_on, preset_on, issued_on, ended_on,
           least(issued_on, ended_on) AS over_on, count(*) AS cards
    FROM card
    WHERE $3::text IS NULL OR ward = $3
    GROUP BY ward, applied_on, shipped_on, preset_on, issued_on, ended_on
), change AS (
    SELECT ward, c.day, c.measure, cards * c.sign AS by
    FROM alike, LATERAL (VALUES
        ('applied', applied_on, NULL), ('shipped', shipped_on, NULL), ('preset', preset_on, NULL),
        ('issued', issued_on, NULL),
        ('waiting_for_shipment', applied_on, least(shipped_on, preset_on, over_on)),
        ('waiting_for_preset', shipped_on, least(preset_on, over_on)),
        ('waiting_for_issuance', preset_on, over_on),
        ('ended', ended_on, issued_on)
    ) AS state(measure, begins, ends)
    CROSS JOIN LATERAL (VALUES (state.measure, begins, 1), (state.measure, ends, -1))
        AS c(measure, day, sign)
    WHERE begins < coalesce(ends, 'infinity') AND c.day <= $2
)
SELECT ward, greatest(day, $1::date) AS day, measure, sum(by)::bigint AS by
FROM change GROUP BY 1, 2, 3 HAVING sum(by) <> 0
"""
_WAITING = """
SELECT stage, ward, (stage_since AT TIME ZONE 'Asia/Tokyo')::date AS since, count(*) AS cards,
       count(*) FILTER (WHERE holds > 0) AS held
FROM card
WHERE stage IN ('received', 'inspected', 'registry_checked', 'preset', 'shelved', 'notified')
  AND ($1::text IS NULL OR ward = $1)
GROUP BY 1, 2, 3
"""
# Cards alike in all their days are counted once and then looked at leg by leg.
_SPANS = """
WITH alike AS (
    SELECT received_on, inspected_on, registry_checked_on, preset_on, shelved_on, notified_on,
           issued_on, count(*) AS cards
    FROM card
    WHERE stage_since >= $4 AND ($5::text IS NULL OR ward = $5)
    GROUP BY 1, 2, 3, 4, 5, 6, 7
), spans AS (
    SELECT reached.days[leg.frm] AS began, reached.days[leg.upto] AS ended, leg.leg, cards
    FROM alike
    CROSS JOIN LATERAL (SELECT ARRAY[received_on, inspected_on, registry_checked_on, preset_on,
                                     shelved_on, notified_on, issued_on] AS days) AS reached
    CROSS JOIN unnest($1::text[], $2::int[], $3::int[]) AS leg(leg, frm, upto)
)
SELECT leg, began, ended, sum(cards)::bigint AS cards FROM spans
WHERE began <= ended AND ended >= $6::date AND ended <= $7::date
GROUP BY 1, 2, 3
"""

"""Figures counted from the cards and their history: totals, backlog, and how long steps took.

Nothing is kept beside the cards, so nothing can differ from them. Days are those of Tokyo.
"""

from collections.abc import Sequence
from datetime import date, datetime

from services.preparation.domain.backlog import Waiting
from services.preparation.domain.lead_times import Leg, Span
from services.preparation.domain.stages import Stage
from services.preparation.domain.totals import Change
from shared.db import Connection
from shared.ids import WardCode


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
    conn: Connection, start: datetime, end: datetime, ward: WardCode | None = None
) -> list[Span]:
    """The steps that ended from ``start`` on and before ``end``."""
    legs: Sequence[Leg] = tuple(Leg)
    rows = await conn.fetch(
        _SPANS,
        list(legs),
        [leg.ends[0] for leg in legs],
        [leg.ends[1] for leg in legs],
        start,
        end,
        ward,
    )
    return [Span(Leg(row["leg"]), row["began"], row["ended"], row["cards"]) for row in rows]


# The same rules as the report of the four totals in the reporting room. A card that is further than
# a fact we miss (a hand-over heard of before its preset) waits for nothing before that.
_CHANGES = """
WITH reached AS (
    SELECT case_id,
           (min(at) FILTER (WHERE stage = 'preset') AT TIME ZONE 'Asia/Tokyo')::date AS preset_on,
           (min(at) FILTER (WHERE stage = 'issued') AT TIME ZONE 'Asia/Tokyo')::date AS issued_on,
           (min(at) FILTER (WHERE stage IN ('voided', 'disposed')) AT TIME ZONE 'Asia/Tokyo')::date
               AS ended_on
    FROM card_stage WHERE stage IN ('preset', 'issued', 'voided', 'disposed') GROUP BY case_id
), alike AS (
    SELECT ward, applied_on, shipped_on, preset_on, issued_on, ended_on,
           least(issued_on, ended_on) AS over_on, count(*) AS cards
    FROM card LEFT JOIN reached USING (case_id)
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
_SPANS = """
SELECT leg.leg, (began.at AT TIME ZONE 'Asia/Tokyo')::date AS began,
       (ended.at AT TIME ZONE 'Asia/Tokyo')::date AS ended, count(*) AS cards
FROM unnest($1::text[], $2::text[], $3::text[]) AS leg(leg, frm, upto)
JOIN card_stage ended ON ended.stage = leg.upto AND ended.at >= $4 AND ended.at < $5
JOIN card_stage began ON began.case_id = ended.case_id AND began.stage = leg.frm
WHERE began.at <= ended.at AND ($6::text IS NULL OR EXISTS (
    SELECT FROM card WHERE card.case_id = ended.case_id AND card.ward = $6))
GROUP BY 1, 2, 3
"""

"""The outlook as tables for JSON, CSV and XLSX: keys for programs, titles for people."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple
from typing import Final

from services.preparation.domain.backlog import Backlog
from services.preparation.domain.lead_times import Trend, WeekOfLeg
from services.preparation.domain.spread import Spread
from services.preparation.domain.totals import DayTotals
from shared.errors import Language, Text
from shared.http.tables import Cell, Column, Table

CITY = "sum"
"""Stands for the ward in rows that are about the whole city."""

_WARD: Final = Column("ward", Text("Ward of residence", "住所地の区（団体コード）"))
_CARDS: Final = Column("cards", Text("Cards", "枚数"))
_P50: Final = Column("p50", Text("Half within (business days)", "中央値（開庁日）"))
_P90: Final = Column("p90", Text("Nine of ten within (business days)", "90%点（開庁日）"))
_MOST: Final = Column("most", Text("Longest (business days)", "最長（開庁日）"))

_TOTALS: Final = (
    Column("date", Text("Up to", "基準日")),
    _WARD,
    Column("applied", Text("Applied", "申請受付")),
    Column("shipped", Text("Shipped", "発送")),
    Column("preset", Text("Preset", "交付前設定")),
    Column("issued", Text("Issued", "交付")),
    Column("waiting_for_shipment", Text("Waiting for shipment", "発送待ち")),
    Column("waiting_for_preset", Text("Waiting for preset", "交付前設定待ち")),
    Column("waiting_for_issuance", Text("Waiting for issuance", "交付待ち")),
    Column("ended", Text("Ended without issuance", "交付に至らず終了")),
)
_BACKLOG: Final = (
    Column("stage", Text("Stage", "段階")),
    Column("label", Text("Waits since it was", "段階名")),
    _WARD,
    _CARDS,
    Column("held", Text("Of these on hold", "うち保留中")),
    Column("oldest_since", Text("Oldest since", "最古の滞留開始日")),
    _P50,
    _P90,
    _MOST,
)
_LEAD_TIMES: Final = (
    Column("week", Text("Week from", "週（月曜日）")),
    Column("step", Text("Step", "工程")),
    Column("label", Text("From and to", "工程名")),
    _CARDS,
    _P50,
    _P90,
    _MOST,
)
_TRENDS: Final = (
    Column("step", Text("Step", "工程")),
    Column("label", Text("From and to", "工程名")),
    Column("weeks", Text("Weeks", "週数")),
    Column("p50", Text("Half within, latest week", "直近週の中央値（開庁日）")),
    Column("p90", Text("Nine of ten within, latest week", "直近週の90%点（開庁日）")),
    Column("p50_per_week", Text("Change of p50 per week", "中央値の週あたり変化")),
    Column("p90_per_week", Text("Change of p90 per week", "90%点の週あたり変化")),
)


def totals(found: Sequence[DayTotals]) -> Table:
    """A row per day and ward, the city last."""
    rows = [(day.day, day.ward or CITY, *astuple(day.totals)) for day in found]
    return Table("totals", _TOTALS, rows)


def backlog(found: Iterable[Backlog], language: Language) -> Table:
    """A row per stage and ward, the city last."""
    rows = [
        (
            one.stage.value,
            one.stage.label.to(language),
            one.ward or CITY,
            one.cards,
            one.held,
            one.oldest,
            *spans(one.age),
        )
        for one in found
    ]
    return Table("backlog", _BACKLOG, rows)


def lead_times(found: Iterable[WeekOfLeg], language: Language) -> Table:
    """A row per step and week."""
    rows = [
        (w.week, w.leg.value, w.leg.label.to(language), w.spread.cards, *spans(w.spread))
        for w in found
    ]
    return Table("lead-times", _LEAD_TIMES, rows)


def trends(found: Iterable[Trend], language: Language) -> Table:
    """A row per step."""
    rows = [
        (
            trend.leg.value,
            trend.leg.label.to(language),
            trend.weeks,
            trend.latest.p50,
            trend.latest.p90,
            rounded(trend.p50),
            rounded(trend.p90),
        )
        for trend in found
    ]
    return Table("lead-time-trends", _TRENDS, rows)


def spans(spread: Spread | None) -> tuple[Cell, Cell, Cell]:
    """p50, p90 and the longest."""
    return (None, None, None) if spread is None else (spread.p50, spread.p90, spread.most)


def rounded(value: float | None) -> float | None:
    """To hundredths of a day."""
    return None if value is None else round(value, 2)

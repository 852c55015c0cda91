"""The forecast as tables for JSON, CSV and XLSX: keys for programs, titles for people."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple
from datetime import date
from math import isinf
from typing import Final

from services.preparation.api.outlook_tables import rounded
from services.preparation.domain.desks import Desk
from services.preparation.domain.forecast import Outlook
from services.preparation.domain.staffing import Staffed
from services.preparation.handlers.outlook import WardOutlook, WhatIf
from shared.errors import Language, Text
from shared.http.tables import Cell, Column, Table

_WEEK: Final = Column("week", Text("Cards that arrive in the week from", "受領週（月曜日）"))
_CARDS: Final = Column("cards", Text("Cards", "枚数"))
_FROM: Final = Column("bookable_from", Text("First day that can be booked", "最初に予約できる日"))

_WARDS: Final = (
    Column("ward", Text("Ward of residence", "住所地の区（団体コード）")),
    Column("waiting", Text("Cards on their way through the desks", "処理待ち枚数")),
    Column("waiting_from", Text("First of them can come from", "処理待ちの最初の来庁可能日")),
    Column("arriving_on", Text("A card that arrives on", "受領日")),
    Column("notice_on", Text("has its notice by", "通知予定日")),
    Column("bookable_from", Text("can be collected from", "予約可能日")),
    Column("lead_days", Text("Business days from arrival", "受領からの開庁日数")),
)
_WEEKS: Final = (
    _WEEK,
    _CARDS,
    _FROM,
    Column("notice_p50", Text("Half have the notice within", "通知まで（中央値・開庁日）")),
    Column("notice_p90", Text("Nine of ten have it within", "通知まで（90%点・開庁日）")),
    Column("p50", Text("Half can come within (business days)", "準備期間（中央値・開庁日）")),
    Column("p90", Text("Nine of ten can come within", "準備期間（90%点・開庁日）")),
)
_WHAT_IF: Final = (
    _WEEK,
    _CARDS,
    Column("bookable_from_before", Text("First day, as things are", "最初の予約可能日（現状）")),
    Column("bookable_from_after", Text("First day, with them", "最初の予約可能日（増員後）")),
    Column("p50_before", Text("Half within, as things are", "準備期間中央値（現状）")),
    Column("p50_after", Text("Half within, with them", "準備期間中央値（増員後）")),
    Column("p90_before", Text("Nine of ten within, as things are", "準備期間90%点（現状）")),
    Column("p90_after", Text("Nine of ten within, with them", "準備期間90%点（増員後）")),
    Column("days_earlier", Text("Calendar days earlier", "早まる日数（暦日）")),
)
_DESKS: Final = (
    Column("desk", Text("Desk", "工程")),
    Column("label", Text("What is done there", "工程名")),
    Column("from_on", Text("From", "開始日")),
    Column("people", Text("People", "人数")),
    Column("basis", Text("Basis", "根拠")),
    Column("minutes", Text("Minutes per card", "1枚あたり分")),
    Column("cards_per_day", Text("Cards per business day", "1開庁日の処理可能枚数")),
)


def wards(found: Sequence[WardOutlook]) -> Table:
    """A row per ward."""
    return Table("forecast", _WARDS, [astuple(one) for one in found])


def weeks(found: Mapping[date, Outlook]) -> Table:
    """A row per week of arrival."""
    rows = [
        (week, one.cards, one.bookable_from, *_notice(one), *_lead(one))
        for week, one in found.items()
    ]
    return Table("forecast-weeks", _WEEKS, rows)


def what_if(found: Sequence[WhatIf]) -> Table:
    """A row per week of arrival."""
    return Table("what-if", _WHAT_IF, [_tried(one) for one in found])


def desks(staffed: Staffed, today: date, language: Language) -> Table:
    """A row per desk and period."""
    periods = sorted(staffed.desks.periods, key=lambda p: (list(Desk).index(p.desk), p.from_on))
    rows = []
    for period in periods:
        day = max(period.from_on, today)
        able = staffed.desks.capacity(period.desk, day)
        rows.append(
            (
                period.desk.value,
                period.desk.label.to(language),
                period.from_on,
                rounded(period.people),
                staffed.basis[period.desk].label.to(language),
                staffed.desks.minutes[period.desk],
                None if isinf(able) else round(able),
            )
        )
    return Table("desks", _DESKS, rows)


def _tried(one: WhatIf) -> Sequence[Cell]:
    before, after = one.before, one.after
    earlier = None
    if before.bookable_from is not None and after.bookable_from is not None:
        earlier = (before.bookable_from - after.bookable_from).days
    (p50_before, p90_before), (p50_after, p90_after) = _lead(before), _lead(after)
    return (
        one.week,
        before.cards,
        before.bookable_from,
        after.bookable_from,
        p50_before,
        p50_after,
        p90_before,
        p90_after,
        earlier,
    )


def _notice(one: Outlook) -> tuple[int | None, int | None]:
    return (one.notified.p50, one.notified.p90) if one.notified else (None, None)


def _lead(one: Outlook) -> tuple[int | None, int | None]:
    return (one.lead_time.p50, one.lead_time.p90) if one.lead_time else (None, None)

"""How long cases take from stage to stage, in business days and in calendar days.

Both are counted after the day of the first stage up to and including that of the second: the same
day is 0. Percentiles are nearest-rank: the least value that so many of the cases do not exceed.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from math import ceil

from shared.calendar import BusinessCalendar
from shared.errors import Text


class Span(StrEnum):
    """From which stage to which; the last two are whole ways."""

    SHIPMENT = "shipment"
    DELIVERY = "delivery"
    INSPECTION = "inspection"
    REGISTRY_CHECK = "registry_check"
    PRESET = "preset"
    SHELVING = "shelving"
    NOTICE = "notice"
    BOOKING = "booking"
    VISIT = "visit"
    PREPARATION = "preparation"
    NOTICE_TO_ISSUE = "notice_to_issue"


TITLES: Mapping[Span, Text] = {
    Span.SHIPMENT: Text("Application to shipment", "申請から発送まで"),
    Span.DELIVERY: Text("Shipment to receipt", "発送から受領まで"),
    Span.INSPECTION: Text("Receipt to inspection", "受領から検品まで"),
    Span.REGISTRY_CHECK: Text("Inspection to registry check", "検品から住基確認まで"),
    Span.PRESET: Text("Registry check to preset", "住基確認から交付前設定まで"),
    Span.SHELVING: Text("Preset to shelf", "交付前設定から保管棚まで"),
    Span.NOTICE: Text("Shelf to notice", "保管棚から通知書発送まで"),
    Span.BOOKING: Text("Notice to booking", "通知書発送から予約まで"),
    Span.VISIT: Text("Booking to visit", "予約から来庁まで"),
    Span.PREPARATION: Text("Receipt to notice (preparation)", "受領から通知書発送まで（準備期間）"),
    Span.NOTICE_TO_ISSUE: Text("Notice to issuance", "通知書発送から交付まで"),
}


@dataclass(frozen=True, slots=True)
class Passage:
    """So many cases went from a day to a day."""

    span: Span
    part: str | None
    start: date
    end: date
    cases: int


@dataclass(frozen=True, slots=True)
class LeadTime:
    """How long the cases of a part took; ``part`` is a ward, or None for all together."""

    span: Span
    part: str | None
    cases: int
    p50: int
    p90: int
    p50_days: int
    p90_days: int


class BusinessDays:
    """Counts business days between two days of a range, whatever its length, in no time."""

    def __init__(self, calendar: BusinessCalendar, first: date, last: date) -> None:
        self._days = calendar.business_days(first, last)

    def between(self, start: date, end: date) -> int:
        """As ``BusinessCalendar.business_days_between`` for days of the range, ``start`` first."""
        return bisect_right(self._days, end) - bisect_right(self._days, start)


def lead_times(passages: Sequence[Passage], calendar: BusinessCalendar) -> list[LeadTime]:
    """The percentiles of each span and part, and of all parts together (first)."""
    if not passages:
        return []
    first, last = min(p.start for p in passages), max(p.end for p in passages)
    days = BusinessDays(calendar, first, last)
    groups: dict[tuple[Span, str | None], list[Passage]] = {}
    for passage in passages:
        groups.setdefault((passage.span, passage.part), []).append(passage)
        if passage.part is not None:
            groups.setdefault((passage.span, None), []).append(passage)
    order = {span: number for number, span in enumerate(Span)}
    keys = sorted(groups, key=lambda key: (order[key[0]], key[1] or ""))
    return [_lead_time(span, part, groups[span, part], days) for span, part in keys]


def percentile(counted: Mapping[int, int], share: float) -> int:
    """The nearest-rank percentile of values with their counts, of which there is at least one."""
    rank = max(1, ceil(share * sum(counted.values())))
    for value in sorted(counted):
        rank -= counted[value]
        if rank <= 0:
            return value
    raise ValueError("nothing was counted")


def _lead_time(
    span: Span, part: str | None, passages: Iterable[Passage], days: BusinessDays
) -> LeadTime:
    business: dict[int, int] = {}
    calendar: dict[int, int] = {}
    for each in passages:
        lasted, passed = days.between(each.start, each.end), (each.end - each.start).days
        business[lasted] = business.get(lasted, 0) + each.cases
        calendar[passed] = calendar.get(passed, 0) + each.cases
    return LeadTime(
        span=span,
        part=part,
        cases=sum(business.values()),
        p50=percentile(business, 0.5),
        p90=percentile(business, 0.9),
        p50_days=percentile(calendar, 0.5),
        p90_days=percentile(calendar, 0.9),
    )

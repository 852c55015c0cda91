"""The four running totals and the work in progress on each of many days.

A card case is in one stage at a time, from the day it reaches the stage until the day it reaches a
further one; so each case adds a few changes of a day, and a day's figures are the sum of all
changes up to it. They equal what ``totals`` counts for that day by itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta

from services.reporting.domain.totals import Totals
from shared.ids import WardCode

MEASURES = tuple(field.name for field in fields(Totals))


@dataclass(frozen=True, slots=True)
class Change:
    """So many cases of a ward more (or less) in a measure from this day on."""

    ward: WardCode | None
    day: date
    measure: str
    count: int


@dataclass(frozen=True, slots=True)
class DayTotals:
    """The totals of a ward at the end of a day; without a ward, where none was told yet."""

    day: date
    ward: WardCode | None
    totals: Totals


def running(changes: Sequence[Change], first: date, last: date) -> Iterator[DayTotals]:
    """Every day of every ward that has any case by then, in order of day and ward."""
    of_day: dict[date, list[Change]] = {}
    for change in changes:
        of_day.setdefault(max(change.day, first), []).append(change)
    wards: dict[WardCode | None, Totals] = {}
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        for change in of_day.get(day, ()):
            before = wards.get(change.ward, Totals())
            more = {change.measure: getattr(before, change.measure) + change.count}
            wards[change.ward] = replace(before, **more)
        for ward in sorted(wards, key=_last_without):
            yield DayTotals(day, ward, wards[ward])


def city(days: Sequence[DayTotals]) -> Mapping[date, Totals]:
    """All wards of each day together."""
    found: dict[date, Totals] = {}
    for each in days:
        found[each.day] = found.get(each.day, Totals()) + each.totals
    return found


def _last_without(ward: WardCode | None) -> tuple[bool, str]:
    return (ward is None, ward or "")

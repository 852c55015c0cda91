"""The ministry's four running totals, and the work in progress between each pair, day by day.

Counted from the cards themselves and their history, so a total cannot drift from what it counts,
and a replay, which changes no card, changes no total. Cases that ended without hand-over (voided,
disposed) wait for nothing: applied = waiting for shipment + preset + issuance + issued + ended.
A case counts in its present ward of residence, also for the days before a move.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Final, TypeAlias

from shared.ids import WardCode


@dataclass(frozen=True, slots=True)
class Totals:
    """Card cases up to the end of a day."""

    applied: int = 0
    shipped: int = 0
    preset: int = 0
    issued: int = 0
    waiting_for_shipment: int = 0
    waiting_for_preset: int = 0
    waiting_for_issuance: int = 0
    ended: int = 0

    def __add__(self, other: "Totals") -> "Totals":
        """Both together."""
        return Totals(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


MEASURES: Final = tuple(field.name for field in fields(Totals))


@dataclass(frozen=True, slots=True)
class Change:
    """By how much one measure of a ward changed on a day."""

    ward: WardCode
    day: date
    measure: str
    by: int


@dataclass(frozen=True, slots=True)
class DayTotals:
    """The totals at the end of a day; without a ward, of the whole city."""

    day: date
    ward: WardCode | None
    totals: Totals


Reached: TypeAlias = dict[WardCode, dict[str, int]]


def running(changes: Iterable[Change], days: Sequence[date]) -> list[DayTotals]:
    """The totals of each ward and of the city at the end of each of ``days``, which are in order.

    What changed before the first day is counted in it.
    """
    by_day = sorted(changes, key=lambda change: change.day)
    reached: Reached = defaultdict(lambda: dict.fromkeys(MEASURES, 0))
    found: list[DayTotals] = []
    number = 0
    for day in days:
        while number < len(by_day) and by_day[number].day <= day:
            change = by_day[number]
            reached[change.ward][change.measure] += change.by
            number += 1
        found += _of_day(day, reached)
    return found


def _of_day(day: date, reached: Reached) -> list[DayTotals]:
    wards = [DayTotals(day, ward, Totals(**reached[ward])) for ward in sorted(reached)]
    return [*wards, DayTotals(day, None, sum((ward.totals for ward in wards), Totals()))]

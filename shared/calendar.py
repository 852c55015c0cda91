"""Days as the city counts them: fiscal years, business days and opening Saturdays, in Asia/Tokyo.

Business days end at the same instant for everybody: a date is always the date in Tokyo. Holidays
come from the law (国民の祝日に関する法律), the rest from the city's rules, which are settings.
"""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from shared.errors import Language, Text

TOKYO: Final = ZoneInfo("Asia/Tokyo")
_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5
_REIWA_OFFSET: Final = 2018
"""Reiwa n begins in the year 2018 + n."""


def business_date(instant: datetime) -> date:
    """The date in Tokyo at ``instant``. Raises ``ValueError`` for a time without zone."""
    if instant.tzinfo is None:
        raise ValueError("a business date needs an aware time")
    return instant.astimezone(TOKYO).date()


def is_after_third_saturday(day: date) -> bool:
    """Whether ``day`` is the Sunday after the third Saturday of a month: then the national system
    does no certificate work (the brief's calendar).
    """
    saturday = day - _DAY
    return saturday.weekday() == _SATURDAY and (saturday.day - 1) // 7 + 1 == 3


@dataclass(frozen=True, order=True, slots=True)
class FiscalYear:
    """April of 2018 + n to March of 2019 + n, for Reiwa n from 1 on (地方自治法 第208条)."""

    reiwa: int

    def __post_init__(self) -> None:
        """Raises ``ValueError`` for a year before Reiwa."""
        if self.reiwa < 1:
            raise ValueError("fiscal years are counted from Reiwa 1 (April 2019)")

    @classmethod
    def of(cls, day: date) -> "FiscalYear":
        """The fiscal year that ``day`` lies in; ``ValueError`` before April 2019."""
        return cls(day.year - _REIWA_OFFSET - (day.month < 4))

    @classmethod
    def parse(cls, text: str) -> "FiscalYear":
        """Read ``R7``; ``ValueError`` for anything else."""
        found = re.fullmatch(r"R(\d{1,3})", text, re.ASCII)
        if found is None:
            raise ValueError("a fiscal year is written R and its number, for example R7")
        return cls(int(found[1]))

    def __str__(self) -> str:
        return f"R{self.reiwa}"

    @property
    def first(self) -> date:
        """1 April."""
        return date(_REIWA_OFFSET + self.reiwa, 4, 1)

    @property
    def last(self) -> date:
        """31 March of the year after."""
        return date(_REIWA_OFFSET + self.reiwa + 1, 3, 31)

    @property
    def label(self) -> Text:
        """The year as people read it: 令和7年度, FY R7."""
        number = "元" if self.reiwa == 1 else str(self.reiwa)
        return Text(en=f"FY R{self.reiwa}", ja=f"令和{number}年度")

    def name(self, language: Language) -> str:
        """The label in ``language``."""
        return self.label.to(language)

    def months(self) -> tuple[date, ...]:
        """The first day of each of its twelve months, April first."""
        year = self.first.year
        return tuple(date(year + (month > 12), (month - 1) % 12 + 1, 1) for month in range(4, 16))

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class CityRules:
    """What a city decides for itself; months and days, ``closed_until`` included.

    Saturdays are counted in their month: (2, 4) are the second and the fourth.
    """

    closed_from: tuple[int, int] = (12, 29)
    closed_until: tuple[int, int] = (1, 3)
    open_saturdays: tuple[int, ...] = (2, 4)

    def closes(self, day: date) -> bool:
        """Whether ``day`` lies in the closed range, which may span the new year."""
        at, start, end = (day.month, day.day), self.closed_from, self.closed_until
        return start <= at <= end if start <= end else at >= start or at <= end


class BusinessCalendar:
    """Business days and opening Saturdays under the rules of one city.

    Make one at start and keep it: the holidays take about half a second to load.
    """

    def __init__(self, rules: CityRules | None = None) -> None:
        # Imported here: many processes need this module for TOKYO alone.
        from holidays import country_holidays  # noqa: PLC0415

        self.rules = rules or CityRules()
        self._holidays: Container[date] = country_holidays("JP")

    def is_holiday(self, day: date) -> bool:
        """Whether ``day`` is a holiday by law, substitute and in-between holidays included."""
        return day in self._holidays

    def is_business_day(self, day: date) -> bool:
        """Monday to Friday, no holiday, and not in the city's closed range."""
        return day.weekday() < _SATURDAY and not self._is_off(day)

    def is_opening_saturday(self, day: date) -> bool:
        """Whether ``day`` is a Saturday on which offices open; never a holiday."""
        nth = (day.day - 1) // 7 + 1
        return (
            day.weekday() == _SATURDAY
            and nth in self.rules.open_saturdays
            and not self._is_off(day)
        )

    def next_business_day(self, day: date) -> date:
        """The first business day after ``day``."""
        return self.add_business_days(day, 1)

    def add_business_days(self, day: date, count: int) -> date:
        """The ``count``-th business day after ``day``, before it where ``count`` is negative.

        With 0 it is ``day`` itself, business day or not.
        """
        days = self._business_days(day, _DAY if count > 0 else -_DAY)
        for _ in range(abs(count)):
            day = next(days)
        return day

    def business_days_between(self, start: date, end: date) -> int:
        """How many business days lie after ``start`` up to and including ``end``.

        Negative where ``end`` is before ``start``: then it counts those from ``end`` on, before
        ``start``; so ``add_business_days(start, n)`` lies ``n`` from ``start`` either way.
        """
        if end < start:
            return -sum(1 for day in _days(end, start - _DAY) if self.is_business_day(day))
        return sum(1 for day in _days(start + _DAY, end) if self.is_business_day(day))

    def business_days(self, start: date, end: date) -> list[date]:
        """The business days from ``start`` to ``end``, both included."""
        return [day for day in _days(start, end) if self.is_business_day(day)]

    def _is_off(self, day: date) -> bool:
        return self.is_holiday(day) or self.rules.closes(day)

    def _business_days(self, day: date, step: timedelta) -> Iterator[date]:
        while True:
            day += step
            if self.is_business_day(day):
                yield day


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + number * _DAY

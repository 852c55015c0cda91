"""What a report is asked for, as query parameters."""

from datetime import date
from typing import Annotated

from fastapi import Depends, Query

from services.reporting.domain.days import business_day
from shared.calendar import FiscalYear
from shared.clock import Clock
from shared.http.call import CallDep
from shared.ids import SiteId, WardCode

FIRST_YEAR = 2019
"""Reiwa 1; fiscal years are counted from there."""

WardFilter = Annotated[
    WardCode | None,
    Query(pattern=r"^\d{6}$", description="Ward of residence: a municipal code of six digits."),
]
SiteFilter = Annotated[
    SiteId | None,
    Query(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="The site it was done at."),
]
YearParam = Annotated[
    int | None,
    Query(
        ge=FIRST_YEAR,
        le=2999,
        description="Western year in which it begins: 2026 is R8, April 2026 to March 2027. "
        "Without it, the present one.",
        examples=[2026],
    ),
]

VersionFilter = Annotated[
    int | None,
    Query(ge=1, le=2**31 - 1, description="Of the forecast; without it, the newest."),
]


def today(clock: Clock) -> date:
    """The business date; under a replayed clock that has not begun, the first that counts."""
    return business_day(clock.now())


def year_of(western: int | None, clock: Clock) -> FiscalYear:
    """The fiscal year that begins in the year ``western``, or the present one."""
    return FiscalYear.of(today(clock) if western is None else date(western, 4, 1))


def _year(call: CallDep, fiscal_year: YearParam = None) -> FiscalYear:
    return year_of(fiscal_year, call.resources.units.clock)


YearDep = Annotated[FiscalYear, Depends(_year)]
"""For routes that take ``?fiscal_year=``."""

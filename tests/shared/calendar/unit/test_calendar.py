"""Days as the city counts them. Known dates are from the Cabinet Office's list of holidays."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.calendar import TOKYO, BusinessCalendar, CityRules, FiscalYear, business_date

CALENDAR = BusinessCalendar()
YEARS = st.dates(date(2019, 4, 1), date(2050, 12, 31))
COUNTS = st.integers(-60, 60)


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2025, 3, 31, 14, 59, 59, tzinfo=UTC), date(2025, 3, 31)),
        (datetime(2025, 3, 31, 15, 0, tzinfo=UTC), date(2025, 4, 1)),
        (datetime(2025, 4, 1, 0, 0, tzinfo=TOKYO), date(2025, 4, 1)),
        (datetime(2025, 3, 31, 20, 0, tzinfo=timezone(timedelta(hours=-5))), date(2025, 4, 1)),
    ],
)
def test_a_date_is_the_date_in_tokyo(instant: datetime, day: date) -> None:
    assert business_date(instant) == day


def test_a_time_without_zone_has_no_date() -> None:
    with pytest.raises(ValueError, match="aware"):
        business_date(datetime(2025, 4, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("day", "year"),
    [
        (date(2019, 4, 1), 1),
        (date(2025, 3, 31), 6),
        (date(2025, 4, 1), 7),
        (date(2026, 1, 1), 7),
        (date(2026, 3, 31), 7),
        (date(2026, 4, 1), 8),
    ],
)
def test_the_fiscal_year_of_a_day(day: date, year: int) -> None:
    assert FiscalYear.of(day) == FiscalYear(year)


def test_a_fiscal_year() -> None:
    year = FiscalYear.parse("R7")
    assert (year.first, year.last) == (date(2025, 4, 1), date(2026, 3, 31))
    assert str(year) == "R7"
    assert (year.name("ja"), year.name("en")) == ("令和7年度", "FY R7")
    assert FiscalYear(1).name("ja") == "令和元年度"
    assert FiscalYear(7) < FiscalYear(8)
    assert date(2025, 12, 31) in year
    assert date(2026, 4, 1) not in year
    months = year.months()
    assert (len(months), months[0], months[8], months[9], months[11]) == (
        12,
        date(2025, 4, 1),
        date(2025, 12, 1),
        date(2026, 1, 1),
        date(2026, 3, 1),
    )


@pytest.mark.parametrize("text", ["R0", "7", "r7", "R", "R7 ", "R７", "H31", ""])
def test_what_is_no_fiscal_year(text: str) -> None:
    with pytest.raises(ValueError, match=r"Reiwa|written R"):
        FiscalYear.parse(text)


def test_before_reiwa_there_is_none() -> None:
    with pytest.raises(ValueError, match="Reiwa"):
        FiscalYear.of(date(2019, 3, 31))


@given(YEARS)
def test_every_day_lies_in_its_fiscal_year(day: date) -> None:
    year = FiscalYear.of(day)
    assert day in year
    assert FiscalYear.parse(str(year)) == year
    assert day.replace(day=1) in year.months()


@pytest.mark.parametrize(
    "day",
    [
        date(2025, 1, 1),  # New Year
        date(2025, 2, 24),  # substitute for Sunday 23 February
        date(2025, 5, 3),
        date(2025, 5, 5),
        date(2025, 5, 6),  # substitute for Sunday 4 May
        date(2025, 9, 15),  # third Monday
        date(2025, 9, 23),  # autumnal equinox
        date(2025, 11, 24),  # substitute for Sunday 23 November
        date(2026, 3, 20),  # vernal equinox
        date(2026, 9, 22),  # between two holidays
        date(2019, 5, 1),  # accession
        date(2021, 7, 23),  # moved for the Olympics
    ],
)
def test_holidays_by_law(day: date) -> None:
    assert CALENDAR.is_holiday(day)
    assert not CALENDAR.is_business_day(day)


@pytest.mark.parametrize(
    "day", [date(2025, 5, 2), date(2025, 5, 7), date(2025, 9, 22), date(2025, 12, 26)]
)
def test_business_days(day: date) -> None:
    assert CALENDAR.is_business_day(day)


def test_the_city_is_closed_over_the_new_year() -> None:
    closed = [date(2025, 12, 29), date(2025, 12, 31), date(2026, 1, 2)]
    assert not any(CALENDAR.is_business_day(day) for day in closed)
    assert CALENDAR.is_business_day(date(2026, 1, 5))
    assert CALENDAR.next_business_day(date(2025, 12, 26)) == date(2026, 1, 5)


def test_opening_saturdays() -> None:
    august = [date(2025, 8, day) for day in range(1, 32)]
    opening = [day for day in august if CALENDAR.is_opening_saturday(day)]
    assert opening == [date(2025, 8, 9), date(2025, 8, 23)]
    assert not any(CALENDAR.is_business_day(day) for day in opening)
    assert not CALENDAR.is_opening_saturday(date(2023, 9, 23))  # fourth, and the equinox


def test_a_city_has_rules_of_its_own() -> None:
    rules = CityRules(closed_from=(8, 13), closed_until=(8, 15), open_saturdays=(1,))
    calendar = BusinessCalendar(rules)
    assert not calendar.is_business_day(date(2025, 8, 14))
    assert calendar.is_business_day(date(2025, 12, 29))
    assert calendar.is_opening_saturday(date(2025, 8, 2))


def test_over_golden_week() -> None:
    assert CALENDAR.add_business_days(date(2025, 5, 2), 1) == date(2025, 5, 7)
    assert CALENDAR.add_business_days(date(2025, 5, 7), -1) == date(2025, 5, 2)
    assert CALENDAR.add_business_days(date(2025, 5, 3), 0) == date(2025, 5, 3)
    assert CALENDAR.business_days_between(date(2025, 5, 2), date(2025, 5, 8)) == 2
    assert CALENDAR.business_days_between(date(2025, 5, 8), date(2025, 5, 2)) == -2
    assert len(CALENDAR.business_days(date(2025, 7, 1), date(2025, 7, 31))) == 22


@given(YEARS, COUNTS)
def test_adding_and_counting_agree(day: date, count: int) -> None:
    there = CALENDAR.add_business_days(day, count)
    assert CALENDAR.business_days_between(day, there) == count
    assert count == 0 or CALENDAR.is_business_day(there)


@given(YEARS, COUNTS)
def test_there_and_back_again(day: date, count: int) -> None:
    start = CALENDAR.next_business_day(day)
    there = CALENDAR.add_business_days(start, count)
    assert CALENDAR.add_business_days(there, -count) == start


@given(YEARS)
def test_nothing_lies_between_a_day_and_the_next_business_day(day: date) -> None:
    following = CALENDAR.next_business_day(day)
    assert CALENDAR.business_days(day + timedelta(days=1), following) == [following]
    assert following - day <= timedelta(days=11)

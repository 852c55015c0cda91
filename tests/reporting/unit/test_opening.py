"""How many counter minutes a site has planned, and whom it accepts."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.opening import accepts, planned_minutes
from shared.calendar import BusinessCalendar
from shared.contracts.base import Procedure
from shared.contracts.place import Acceptance, HoursException, SiteState, Staffing, Weekday
from shared.ids import WardCode
from tests.contracts.samples import SITE, WARD

CALENDAR = BusinessCalendar()
MONDAY, HOLIDAY = date(2025, 7, 14), date(2025, 7, 21)
SATURDAYS = {date(2025, 7, 5): 0, date(2025, 7, 12): 4 * 60 * 5, date(2025, 7, 26): 4 * 60 * 5}
NOBODY_TOLD = SITE.model_copy(update={"staff": ()})


def test_the_least_of_counters_terminals_and_staff_counts() -> None:
    planned = planned_minutes(SITE, MONDAY, CALENDAR)
    assert planned == {8: 30 * 4, **dict.fromkeys(range(9, 17), 60 * 4)}
    assert sum(planned_minutes(NOBODY_TOLD, MONDAY, CALENDAR).values()) == 510 * 5


def test_staff_that_leave_earlier_take_their_counters_along() -> None:
    half = Staffing(weekday=Weekday.MONDAY, starts=time(8, 30), ends=time(12, 45), people=2)
    site = SITE.model_copy(update={"staff": (half,)})
    planned = planned_minutes(site, MONDAY, CALENDAR)
    assert (planned[11], planned[12], planned[13]) == (120, 90, 0)


@pytest.mark.parametrize(("day", "minutes"), SATURDAYS.items())
def test_some_saturdays_only(day: date, minutes: int) -> None:
    assert sum(planned_minutes(NOBODY_TOLD, day, CALENDAR).values()) == minutes


def test_holidays_exceptions_and_the_period() -> None:
    assert not planned_minutes(NOBODY_TOLD, HOLIDAY, CALENDAR)
    on_holidays = NOBODY_TOLD.model_copy(update={"open_on_holidays": True})
    assert sum(planned_minutes(on_holidays, HOLIDAY, CALENDAR).values()) == 510 * 5
    assert sum(planned_minutes(NOBODY_TOLD, date(2025, 7, 20), CALENDAR).values()) == 180 * 5
    closed = HoursException(business_date=MONDAY)
    site = NOBODY_TOLD.model_copy(update={"exceptions": (closed,)})
    assert not planned_minutes(site, MONDAY, CALENDAR)
    assert not planned_minutes(NOBODY_TOLD, date(2025, 3, 31), CALENDAR)
    assert not planned_minutes(NOBODY_TOLD, date(2027, 4, 5), CALENDAR)


@given(st.sampled_from([SiteState.PLANNED, SiteState.PREPARING, SiteState.CLOSED]))
def test_a_site_that_does_not_serve_plans_nothing(state: SiteState) -> None:
    assert not planned_minutes(SITE.model_copy(update={"state": state}), MONDAY, CALENDAR)


def test_whom_it_accepts() -> None:
    card, other = Procedure.CARD_ISSUANCE, WardCode("141321")
    assert accepts(SITE, card, WARD, MONDAY)
    assert not accepts(SITE, card, other, MONDAY)
    assert not accepts(SITE, Procedure.CERTIFICATE_RENEWAL, WARD, MONDAY)
    assert not accepts(SITE, card, WARD, date(2026, 4, 1))
    every = SITE.model_copy(update={"acceptance": (Acceptance(procedure=card),)})
    assert accepts(every, card, other, date(2026, 4, 1))

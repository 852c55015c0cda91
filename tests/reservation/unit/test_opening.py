"""When sites are open, whom they accept, and what a description must be like."""

from datetime import UTC, date, time
from typing import Any

import pytest

from services.reservation.domain.opening import accepts, ever_accepts
from services.reservation.domain.site import (
    SiteIncomplete,
    SiteNotOpenable,
    SiteUnsound,
    check_sound,
    opened,
)
from shared.contracts.base import Procedure
from shared.contracts.place import (
    Acceptance,
    HoursException,
    OpeningHours,
    SiteState,
    Staffing,
    Weekday,
)
from shared.opening import hours_on
from tests.reservation.support import CALENDAR, OTHER_WARD, THURSDAY, WARD, make_site

MORNING = (time(9), time(12))
SATURDAYS = OpeningHours(
    weekday=Weekday.SATURDAY, opens=time(8, 30), closes=time(12, 30), occurrences=(2, 4)
)


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (date(2026, 4, 2), (MORNING,)),
        (date(2026, 3, 31), ()),  # before its first day
        (date(2026, 12, 28), ()),  # after its last day
        (date(2026, 4, 4), ()),  # the first Saturday
        (date(2026, 4, 11), ((time(8, 30), time(12, 30)),)),
        (date(2026, 4, 29), ()),  # 昭和の日
        (date(2026, 5, 7), ()),  # closed by exception
        (date(2026, 5, 6), (MORNING,)),  # opened by exception on a substitute holiday
    ],
)
def test_hours_of_a_day(day: date, hours: tuple[object, ...]) -> None:
    weekdays = make_site().hours
    site = make_site(
        closes_on=date(2026, 12, 27),
        hours=(*weekdays, SATURDAYS),
        exceptions=(
            HoursException(business_date=date(2026, 5, 7)),
            HoursException(business_date=date(2026, 5, 6), opens=time(9), closes=time(12)),
        ),
    )
    assert hours_on(site, day, CALENDAR) == hours


def test_the_new_year_is_a_holiday_of_the_city() -> None:
    for day in (date(2026, 12, 29), date(2027, 1, 1), date(2026, 12, 31)):
        assert hours_on(make_site(), day, CALENDAR) == ()
        assert hours_on(make_site(open_on_holidays=True), day, CALENDAR) == (MORNING,)


def test_hours_with_a_break_come_in_order() -> None:
    hours = tuple(
        OpeningHours(weekday=Weekday.THURSDAY, opens=opens, closes=closes)
        for opens, closes in ((time(13), time(17)), MORNING)
    )
    assert hours_on(make_site(hours=hours), THURSDAY, CALENDAR) == (
        MORNING,
        (time(13), time(17)),
    )


def test_acceptance_is_by_procedure_ward_and_period() -> None:
    site = make_site(
        acceptance=(
            Acceptance(procedure=Procedure.CARD_ISSUANCE, wards=(WARD,), until_date=THURSDAY),
            Acceptance(procedure=Procedure.CERTIFICATE_RENEWAL, from_date=THURSDAY),
        )
    )
    card, renewal = Procedure
    day_after, day_before = date(2026, 4, 3), date(2026, 4, 1)
    assert accepts(site, card, WARD, THURSDAY)
    assert not accepts(site, card, WARD, day_after)
    assert not accepts(site, card, OTHER_WARD, THURSDAY)
    assert accepts(site, renewal, OTHER_WARD, THURSDAY)
    assert not accepts(site, renewal, OTHER_WARD, day_before)
    assert ever_accepts(site, renewal, OTHER_WARD)
    assert not ever_accepts(site, card, OTHER_WARD)


def test_only_a_site_that_is_open_or_sells_to_its_end_accepts() -> None:
    for state in set(SiteState) - {SiteState.OPEN, SiteState.WINDING_DOWN}:
        assert not accepts(make_site(state=state), Procedure.CARD_ISSUANCE, WARD, THURSDAY)
    for selling in (True, False):
        ends = make_site(state=SiteState.WINDING_DOWN, selling=selling)
        assert accepts(ends, Procedure.CARD_ISSUANCE, WARD, THURSDAY) is selling


def test_no_certificate_work_on_the_sunday_after_the_third_saturday() -> None:
    site = make_site(acceptance=tuple(Acceptance(procedure=p) for p in Procedure))
    sunday = date(2026, 4, 19)
    assert not accepts(site, Procedure.CERTIFICATE_RENEWAL, WARD, sunday)
    assert accepts(site, Procedure.CARD_ISSUANCE, WARD, sunday)
    assert accepts(site, Procedure.CERTIFICATE_RENEWAL, WARD, date(2026, 4, 12))
    # March 2026 begins on a Sunday: the Sunday after the third Saturday is the fourth.
    assert not accepts(site, Procedure.CERTIFICATE_RENEWAL, WARD, date(2026, 3, 22))


def hours(opens: time, closes: time, **values: Any) -> OpeningHours:
    """Hours on Thursdays."""
    return OpeningHours(**{"weekday": Weekday.THURSDAY, "opens": opens, "closes": closes, **values})


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"hours": (hours(time(12), time(9)),)}, "hours.0"),
        ({"hours": (hours(time(9, 5), time(12)),)}, "hours.0"),
        ({"hours": (hours(time(9, tzinfo=UTC), time(12)),)}, "hours.0"),
        ({"hours": (hours(*MORNING), hours(time(11), time(13)))}, "hours.1"),
        ({"hours": (hours(*MORNING), hours(*MORNING, occurrences=(2,)))}, "hours.1"),
        ({"exceptions": (HoursException(business_date=THURSDAY, opens=time(9)),)}, "exceptions.0"),
        (
            {
                "exceptions": (
                    HoursException(business_date=THURSDAY, opens=time(9), closes=time(8)),
                )
            },
            "exceptions.0",
        ),
        (
            {"staff": (Staffing(weekday=Weekday.MONDAY, starts=time(9), ends=time(9), people=1),)},
            "staff.0",
        ),
        ({"closes_on": date(2026, 3, 31)}, "closes_on"),
        (
            {
                "acceptance": (
                    Acceptance(
                        procedure=Procedure.CARD_ISSUANCE,
                        from_date=THURSDAY,
                        until_date=date(2026, 4, 1),
                    ),
                )
            },
            "acceptance.0.until_date",
        ),
    ],
)
def test_a_description_that_contradicts_itself_names_the_field(
    values: dict[str, Any], field: str
) -> None:
    with pytest.raises(SiteUnsound) as refused:
        check_sound(make_site(**values), 10)
    assert [error.field for error in refused.value.errors] == [field]


def test_hours_may_share_a_weekday_and_not_a_time() -> None:
    check_sound(make_site(hours=(hours(*MORNING), hours(time(12), time(13)))), 10)
    odd, even = hours(*MORNING, occurrences=(1, 3)), hours(*MORNING, occurrences=(2, 4))
    check_sound(make_site(hours=(odd, even)), 10)


def test_opening_needs_hours_places_and_acceptance() -> None:
    bare = make_site(state=SiteState.PLANNED, hours=(), counters=0, terminals=0, acceptance=())
    with pytest.raises(SiteIncomplete) as refused:
        opened(bare)
    assert [error.field for error in refused.value.errors] == [
        "hours",
        "counters",
        "terminals",
        "acceptance",
    ]


def test_a_site_opens_once_and_not_after_its_end() -> None:
    assert opened(make_site(state=SiteState.PLANNED)) == make_site()
    assert opened(make_site()) == make_site()
    for state in (SiteState.WINDING_DOWN, SiteState.CLOSED):
        with pytest.raises(SiteNotOpenable):
            opened(make_site(state=state))

"""When a case may be booked, and for which days."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reservation.domain.case import (
    CaseEnded,
    CaseFacts,
    CaseHeld,
    NotInvitedYet,
    OutsideWindow,
    TooSoonAfterMiss,
    bookable_from,
    check_bookable,
    check_day,
    window,
)
from shared.ids import SiteId
from tests.reservation.support import (
    CALENDAR,
    MORNING,
    OTHER_SITE,
    RULES,
    SITE,
    THURSDAY,
    TODAY,
    WARD,
    case,
)

READY = CaseFacts(
    case_id=case("ready"),
    ward=WARD,
    notice_seq=1,
    pickup_deadline=date(2026, 7, 1),
    card_expires_on=date(2036, 1, 1),
    card_site_id=SITE,
)
DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        (replace(READY, notice_seq=0), NotInvitedYet),
        (replace(READY, held=True), CaseHeld),
        (replace(READY, voided_at=MORNING), CaseEnded),
        (replace(READY, done_at=MORNING), CaseEnded),
        (replace(READY, disposal_due_at=MORNING), CaseEnded),
        (replace(READY, notice_seq=0, voided_at=MORNING), CaseEnded),
        (replace(READY, may_book_from=THURSDAY), TooSoonAfterMiss),
    ],
)
def test_what_stands_in_the_way(facts: CaseFacts, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        check_bookable(facts, TODAY)
    check_bookable(READY, TODAY)


def test_from_the_day_after_a_miss_one_may_book_again() -> None:
    check_bookable(replace(READY, may_book_from=TODAY), TODAY)
    missed_today = replace(READY, may_book_from=THURSDAY)
    assert bookable_from(missed_today, TODAY, RULES) == date(2026, 4, 3)


@pytest.mark.parametrize(
    ("today", "first"),
    [
        (date(2026, 4, 1), date(2026, 4, 2)),
        (date(2026, 4, 3), date(2026, 4, 6)),  # Friday: Monday
        (date(2026, 4, 28), date(2026, 4, 30)),  # 昭和の日 lies between
        (date(2026, 12, 28), date(2027, 1, 4)),
    ],
)
def test_the_first_day_is_the_next_business_day(today: date, first: date) -> None:
    facts = replace(READY, pickup_deadline=date(2027, 12, 31))
    assert window(facts, SITE, today, RULES).first == first


def test_a_card_elsewhere_travels_two_business_days() -> None:
    assert window(READY, OTHER_SITE, TODAY, RULES).first == date(2026, 4, 3)
    friday = date(2026, 4, 3)
    assert window(READY, OTHER_SITE, friday, RULES).first == date(2026, 4, 7)


def test_a_card_under_way_is_there_when_due_and_travels_on_from_there() -> None:
    facts = replace(READY, card_site_id=OTHER_SITE, card_there_on=date(2026, 4, 9))
    assert window(facts, OTHER_SITE, TODAY, RULES).first == date(2026, 4, 9)
    assert window(facts, SITE, TODAY, RULES).first == date(2026, 4, 13)
    overdue = replace(facts, card_there_on=date(2026, 3, 1))
    assert window(overdue, OTHER_SITE, TODAY, RULES).first == THURSDAY


def test_the_last_day_is_the_earliest_of_three() -> None:
    horizon = TODAY + timedelta(days=60)
    assert window(READY, SITE, TODAY, RULES).last == horizon
    for facts in (
        replace(READY, pickup_deadline=THURSDAY),
        replace(READY, card_expires_on=THURSDAY),
    ):
        assert window(facts, SITE, TODAY, RULES).last == THURSDAY


@given(DAYS, DAYS, DAYS, st.sampled_from([SITE, OTHER_SITE]), st.none() | DAYS)
def test_every_day_of_the_window_and_no_other_is_accepted(
    today: date, day: date, deadline: date, site: SiteId, there_on: date | None
) -> None:
    facts = replace(READY, pickup_deadline=deadline, card_there_on=there_on)
    days = window(facts, site, today, RULES)
    if days.first <= day <= days.last:
        check_day(facts, day, days)
        assert today < day <= min(deadline, today + timedelta(days=60))
    else:
        with pytest.raises(OutsideWindow):
            check_day(facts, day, days)


@given(DAYS, st.none() | DAYS)
def test_a_transfer_never_makes_an_earlier_day(today: date, there_on: date | None) -> None:
    facts = replace(READY, card_there_on=there_on)
    here = window(facts, SITE, today, RULES).first
    there = window(facts, OTHER_SITE, today, RULES).first
    assert there >= here
    assert CALENDAR.business_days_between(today, there) >= RULES.transfer_business_days


@given(DAYS)
def test_nothing_is_bookable_once_the_deadline_has_passed(today: date) -> None:
    facts = replace(READY, pickup_deadline=today)
    assert bookable_from(facts, today, RULES) is None


def test_what_cannot_be_booked_has_no_first_day() -> None:
    for facts in (
        replace(READY, held=True),
        replace(READY, notice_seq=0),
        replace(READY, voided_at=MORNING),
        replace(READY, card_site_id=None),
    ):
        assert bookable_from(facts, TODAY, RULES) is None
    assert bookable_from(READY, TODAY, RULES) == THURSDAY

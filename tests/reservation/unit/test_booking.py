"""Until when a booking may be cancelled, by whom, and what a party may be."""

from datetime import date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reservation.domain.booking import (
    Booking,
    BookingEnded,
    BookingState,
    ChangeTooLate,
    PartyRefused,
    check_cancellable,
    check_party,
)
from services.reservation.domain.rules import Rules
from services.reservation.settings import ReservationSettings
from shared.contracts.base import Procedure
from shared.ids import BookingId, PartyId, derived_id
from tests.reservation.support import CALENDAR, RULES, SITE, THURSDAY, case, tokyo

NINE = tokyo(THURSDAY, 9)
FIVE_THE_DAY_BEFORE = tokyo(date(2026, 4, 1), 17)
NEXT_DAY = tokyo(date(2026, 4, 3), 0)


def booking(state: BookingState = BookingState.ACTIVE) -> Booking:
    """A booking at nine on Thursday."""
    return Booking(
        booking_id=BookingId(derived_id("booking")),
        case_id=case("mine"),
        party_id=PartyId(derived_id("party")),
        site_id=SITE,
        starts_at=NINE,
        minutes=20,
        procedure=Procedure.CARD_ISSUANCE,
        card_site_id=SITE,
        state=state,
        reason=None,
        version=1,
    )


@given(st.timedeltas(timedelta(days=-3), timedelta(days=2)))
def test_citizens_cancel_before_the_deadline_staff_before_the_visit_and_both_the_day_after(
    by: timedelta,
) -> None:
    now = NINE + by
    for by_staff, until, refusal in (
        (False, FIVE_THE_DAY_BEFORE, ChangeTooLate),
        (True, NINE, BookingEnded),
    ):
        if now < until or now >= NEXT_DAY:
            check_cancellable(booking(), by_staff=by_staff, now=now, rules=RULES)
        else:
            with pytest.raises(refusal):
                check_cancellable(booking(), by_staff=by_staff, now=now, rules=RULES)


@pytest.mark.parametrize("state", [BookingState.MISSED, BookingState.FULFILLED])
@pytest.mark.parametrize("by_staff", [True, False])
def test_what_has_ended_is_not_cancelled(state: BookingState, *, by_staff: bool) -> None:
    with pytest.raises(BookingEnded):
        check_cancellable(
            booking(state), by_staff=by_staff, now=NINE - timedelta(days=9), rules=RULES
        )


@given(st.lists(st.integers(0, 5), min_size=1, max_size=8))
def test_a_party_is_of_different_cases_up_to_the_limit(names: list[int]) -> None:
    cases = [case(name) for name in names]
    if len(set(names)) == len(names) <= RULES.party_limit:
        check_party(cases, RULES)
    else:
        with pytest.raises(PartyRefused) as refused:
            check_party(cases, RULES)
        assert refused.value.errors[0].remedy.ja


def test_settings_without_any_environment_are_the_rules_defaults() -> None:
    assert ReservationSettings().rules(CALENDAR) == Rules(calendar=CALENDAR)


def test_a_procedure_takes_as_many_cells_as_it_needs() -> None:
    settings = ReservationSettings(card_issuance_minutes=25, cell_minutes=10, change_until=time(16))
    rules = settings.rules(CALENDAR)
    assert rules.cells(Procedure.CARD_ISSUANCE) == 3
    assert rules.cells(Procedure.CERTIFICATE_RENEWAL) == 2
    assert rules.change_deadline(THURSDAY) == tokyo(date(2026, 4, 1), 16)

"""Steps at the counter, as a machine that tries them in any order."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.issuance.domain.booking import (
    Booking,
    BookingState,
    arrival,
    require_expected,
)
from services.issuance.domain.case_file import AlreadyDone
from services.issuance.domain.checklist import Step
from services.issuance.domain.day import DayNotOver, end_of_unfinished, require_over
from services.issuance.domain.visit import (
    CaseClosed,
    CaseNotInVisit,
    CaseState,
    StepMissing,
    Visit,
    VisitCase,
    VisitEnded,
    VisitState,
    WrongProcedure,
    next_step,
    open_case,
    require_running,
    require_step,
)
from shared.contracts.base import CaseKind, Procedure
from shared.contracts.issuance import AbandonReason, Arrival, DeferReason
from shared.errors import Conflict
from shared.ids import BookingId, CaseId, PartyId, SiteId, VisitId, WardCode, new_id

NOW = datetime(2026, 7, 14, 1, 0, tzinfo=UTC)
TODAY = date(2026, 7, 14)
HERE = SiteId("here")
GRACE = timedelta(minutes=10)


def a_case(procedure: Procedure = Procedure.CARD_ISSUANCE) -> VisitCase:
    """A case nobody has served yet."""
    return VisitCase(
        case_id=CaseId(new_id()),
        booking_id=None,
        procedure=procedure,
        kind=CaseKind.NEW,
        ward=WardCode("141313"),
        shelf_position="A-01",
        state=CaseState.OPEN,
        reason=None,
        documents=(),
        identified_at=None,
        pin_set_at=None,
        closed_at=None,
    )


def a_visit(*cases: VisitCase, state: VisitState = VisitState.WAITING) -> Visit:
    """A visit at ten o'clock."""
    return Visit(
        visit_id=VisitId(new_id()),
        site_id=HERE,
        business_date=TODAY,
        arrival=Arrival.BOOKED,
        state=state,
        counter=None,
        checked_in_at=NOW,
        called_at=None,
        ended_at=None,
        version=1,
        cases=cases,
    )


def a_booking(starts_at: datetime = NOW) -> Booking:
    """An active booking here."""
    return Booking(
        booking_id=BookingId(new_id()),
        case_id=CaseId(new_id()),
        party_id=PartyId(new_id()),
        site_id=HERE,
        starts_at=starts_at,
        minutes=20,
        procedure=Procedure.CARD_ISSUANCE,
        state=BookingState.ACTIVE,
    )


class AtTheCounter(RuleBasedStateMachine):
    """Any step at any time, of either procedure: the domain lets only the right ones through."""

    def __init__(self) -> None:
        super().__init__()
        self.case = a_case()
        self.visit = a_visit(self.case)
        self.done: list[Step] = []

    def _allowed(self, step: Step) -> bool:
        try:
            case = open_case(self.visit, self.case.case_id)
            require_step(self.visit, case, step)
        except Conflict:
            return False
        self.done.append(step)
        return True

    def _change(self, **changes: Any) -> None:
        self.case = replace(self.case, **changes)
        self.visit = replace(self.visit, cases=(self.case,))

    @rule()
    def call(self) -> None:
        """Call the party."""
        if self.visit.state is not VisitState.ENDED:
            self.visit = replace(self.visit, state=VisitState.CALLED)

    @rule()
    def identity(self) -> None:
        """Look at documents."""
        if self._allowed(Step.IDENTITY):
            self._change(identified_at=NOW)

    @rule()
    def pin(self) -> None:
        """Let the PIN be set."""
        if self._allowed(Step.PIN_SET):
            self._change(pin_set_at=NOW)

    @rule()
    def issue(self) -> None:
        """Hand the card over."""
        if self._allowed(Step.ISSUE):
            self._change(state=CaseState.DONE, closed_at=NOW)

    @rule()
    def renew(self) -> None:
        """Try the other procedure's step."""
        assert not self._allowed(Step.RENEW)

    @invariant()
    def no_card_without_every_step_before_it(self) -> None:
        """The card leaves last, once, and after all the rest."""
        assert self.done.count(Step.ISSUE) <= 1
        if self.case.state is CaseState.DONE:
            assert self.done[-1] is Step.ISSUE
            assert self.done.index(Step.IDENTITY) < self.done.index(Step.PIN_SET)
            assert self.visit.state is VisitState.CALLED
            assert next_step(self.visit, self.case) is None


TestAtTheCounter = AtTheCounter.TestCase


def test_a_renewal_goes_from_call_to_pin_to_renew() -> None:
    case = a_case(Procedure.CERTIFICATE_RENEWAL)
    visit = a_visit(case, state=VisitState.CALLED)
    assert next_step(visit, case) is Step.PIN_SET
    with pytest.raises(WrongProcedure):
        require_step(visit, case, Step.IDENTITY)
    with pytest.raises(StepMissing):
        require_step(visit, case, Step.RENEW)
    require_step(visit, replace(case, pin_set_at=NOW), Step.RENEW)


def test_closed_cases_stay_closed() -> None:
    done = replace(a_case(), state=CaseState.DONE)
    deferred = replace(a_case(), state=CaseState.DEFERRED)
    visit = a_visit(done, deferred)
    with pytest.raises(AlreadyDone):
        open_case(visit, done.case_id)
    with pytest.raises(CaseClosed):
        open_case(visit, deferred.case_id)
    with pytest.raises(CaseNotInVisit):
        open_case(visit, CaseId(new_id()))
    with pytest.raises(VisitEnded):
        require_running(replace(visit, state=VisitState.ENDED))


@given(st.integers(-3600, 3600))
def test_in_time_until_the_grace_is_over(seconds: int) -> None:
    came = arrival([a_booking(NOW)], NOW + timedelta(seconds=seconds), GRACE)
    assert came is (Arrival.BOOKED if seconds <= 600 else Arrival.LATE)


def test_the_site_s_own_patience_counts_and_of_a_party_the_longest() -> None:
    patient = replace(a_booking(NOW), lateness=timedelta(minutes=30))
    strict = replace(a_booking(NOW), lateness=timedelta())
    later = replace(patient, starts_at=NOW + timedelta(minutes=20))
    at = NOW + timedelta(minutes=25)
    assert arrival([strict, patient], at, GRACE) is Arrival.BOOKED
    assert arrival([strict, later], at, GRACE) is Arrival.LATE
    assert arrival([strict], NOW + timedelta(seconds=1), GRACE) is Arrival.LATE
    assert arrival([], at, GRACE) is Arrival.WALK_IN


def test_the_day_of_a_booking_is_the_day_in_japan() -> None:
    just_after_midnight = datetime(2026, 7, 13, 15, 0, tzinfo=UTC)
    require_expected(a_booking(just_after_midnight), HERE, TODAY)


@given(st.lists(st.integers(-600, 600), max_size=5), st.integers(-600, 600))
def test_a_day_is_over_when_nobody_can_be_in_time(minutes: list[int], now: int) -> None:
    unseen = [a_booking(NOW + timedelta(minutes=minute)) for minute in minutes]
    at = NOW + timedelta(minutes=now)
    if any(at <= booking.starts_at + GRACE for booking in unseen):
        with pytest.raises(DayNotOver):
            require_over(TODAY, TODAY, unseen, at, GRACE)
    else:
        require_over(TODAY, TODAY, unseen, at, GRACE)


def test_a_day_to_come_is_not_over() -> None:
    with pytest.raises(DayNotOver):
        require_over(TODAY + timedelta(days=1), TODAY, [], NOW, GRACE)


def test_how_what_is_left_open_ends() -> None:
    case, begun = a_case(), replace(a_case(), identified_at=NOW)
    called = a_visit(case, begun, state=VisitState.CALLED)
    assert end_of_unfinished(a_visit(case), case) is AbandonReason.DAY_ENDED
    assert end_of_unfinished(called, case) is AbandonReason.DAY_ENDED
    assert end_of_unfinished(called, begun) is DeferReason.OTHER

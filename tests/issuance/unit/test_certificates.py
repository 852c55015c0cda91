"""The renewal as a machine that anybody may push anywhere: what must never be, never is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.issuance.domain.certificates import (
    WRONG_PINS,
    CertificateLocked,
    CertificateState,
    LetterState,
    NotLocked,
    Renewal,
    StatesMissing,
    Status,
    Task,
    TwoVisitsNeeded,
    answered,
    entered,
    failed,
    letter_asked,
    may_serve,
    next_task,
    pin_reset,
    require_writable,
    wrong_pin,
    wrote,
)
from services.issuance.handlers.certificates import is_switch_offered
from shared.contracts.base import Certificate
from shared.contracts.issuance import CertificateFailure
from shared.errors import Conflict

SIGNING, USER = Certificate.SIGNING, Certificate.USER_AUTHENTICATION
BOTH = frozenset(Certificate)
states = st.fixed_dictionaries({which: st.sampled_from(CertificateState) for which in Certificate})
which_ones = st.sampled_from(Certificate)
some = st.frozensets(which_ones, min_size=1)


def known(state: CertificateState, **more: Any) -> Renewal:
    """Both certificates in the same state."""
    return replace(entered(Renewal(), dict.fromkeys(Certificate, state)), **more)


class AtTheTerminal(RuleBasedStateMachine):
    """A renewal through any number of visits, in person or by a proxy."""

    renewal = Renewal()
    wrong: dict[Certificate, int]
    reset_allowed = True

    @initialize(by_proxy=st.booleans(), sealed=st.booleans())
    def come(self, by_proxy: bool, sealed: bool) -> None:
        """Somebody comes."""
        self.renewal = Renewal(by_proxy=by_proxy, sealed_reply=sealed and by_proxy)
        self.wrong = dict.fromkeys(Certificate, 0)

    def _try(self, verb: Callable[..., Renewal], *told: object) -> bool:
        try:
            self.renewal = verb(self.renewal, *told)
        except Conflict:
            return False
        return True

    @rule(seen=states)
    def look(self, seen: dict[Certificate, CertificateState]) -> None:
        """Read the states."""
        self.renewal = entered(self.renewal, seen)
        self.wrong = dict.fromkeys(Certificate, 0)

    @rule(which=which_ones)
    def mistype(self, which: Certificate) -> None:
        """A wrong PIN."""
        before = self.renewal.statuses.get(which)
        if self._try(wrong_pin, which):
            assert before is not None
            assert before.state is not CertificateState.LOCKED
            self.wrong[which] += 1
            locked = self.renewal.statuses[which].state is CertificateState.LOCKED
            assert locked == (self.wrong[which] >= WRONG_PINS[which])

    @rule(which=which_ones)
    def reset(self, which: Certificate) -> None:
        """Set the PIN anew."""
        if self._try(pin_reset, which):
            self.wrong[which] = 0
            assert not self.renewal.by_proxy or self.renewal.is_answered

    @rule(which=some, reason=st.sampled_from(CertificateFailure), done=st.frozensets(which_ones))
    def break_off(
        self,
        which: frozenset[Certificate],
        reason: CertificateFailure,
        done: frozenset[Certificate],
    ) -> None:
        """Writing breaks off."""
        before = self.renewal.written
        self.renewal = failed(self.renewal, which, reason, done)
        assert before <= self.renewal.written
        if reason is CertificateFailure.PIN_LOCKED:
            self.wrong |= {one: WRONG_PINS[one] for one in which - self.renewal.written}

    @rule(which=some)
    def write(self, which: frozenset[Certificate]) -> None:
        """Write what can be written."""
        before = self.renewal
        if self._try(wrote, which):
            assert not before.locked
            assert may_serve(before)
            assert before.written | which == self.renewal.written
            assert self.renewal.failed is None

    @rule()
    def ask(self) -> None:
        """Ask for a letter."""
        if self._try(letter_asked):
            assert self.renewal.by_proxy

    @rule()
    def mail(self) -> None:
        """The city mails it."""
        if self.renewal.letter is LetterState.TO_MAIL:
            self.renewal = replace(self.renewal, letter=LetterState.MAILED)

    @rule(sealed=st.booleans())
    def come_again(self, sealed: bool) -> None:
        """Another visit: the states of the first count no more."""
        by_proxy = self.renewal.by_proxy
        again = replace(self.renewal, statuses={}, sealed_reply=sealed and by_proxy)
        self.renewal = answered(again)

    @invariant()
    def an_unmailed_letter_never_comes_back(self) -> None:
        """Nothing is answered that was not asked."""
        if self.renewal.is_answered:
            assert self.renewal.by_proxy

    @invariant()
    def there_is_always_a_way_on(self) -> None:
        """Whatever happened, something comes next, and it can be done."""
        task, now = next_task(self.renewal), self.renewal
        match task:
            case Task.STATES:
                assert not now.statuses
            case Task.RESET_PIN:
                assert pin_reset(now, min(now.locked))
            case Task.CONFIRM_PIN | Task.WRITE:
                require_writable(now)
            case Task.ASK_LETTER:
                assert letter_asked(now).letter is LetterState.TO_MAIL
            case Task.AWAIT_LETTER:
                assert now.letter in (LetterState.TO_MAIL, LetterState.MAILED)
            case Task.DONE:
                assert now.written == BOTH


TestAtTheTerminal = AtTheTerminal.TestCase


@pytest.mark.parametrize(("which", "limit"), [(SIGNING, 5), (USER, 3)])
def test_wrong_pins_lock_at_the_limit_of_the_certificate(which: Certificate, limit: int) -> None:
    renewal = known(CertificateState.VALID)
    for _ in range(limit - 1):
        renewal = wrong_pin(renewal, which)
    assert renewal.locked == frozenset()
    renewal = wrong_pin(renewal, which)
    assert renewal.locked == {which}
    with pytest.raises(CertificateLocked):
        wrong_pin(renewal, which)
    with pytest.raises(CertificateLocked):
        require_writable(renewal)
    assert pin_reset(renewal, which).statuses[which] == Status(CertificateState.VALID)
    other = next(iter(BOTH - {which}))
    with pytest.raises(NotLocked):
        pin_reset(renewal, other)


@given(states, st.booleans(), st.booleans(), st.sampled_from(LetterState))
def test_who_is_served_the_same_day(
    seen: dict[Certificate, CertificateState], by_proxy: bool, sealed: bool, letter: LetterState
) -> None:
    renewal = replace(
        entered(Renewal(), seen), by_proxy=by_proxy, sealed_reply=sealed, letter=letter
    )
    holds = all(s in (CertificateState.VALID, CertificateState.RENEWABLE) for s in seen.values())
    expected = not by_proxy or letter is LetterState.RETURNED or (sealed and holds)
    assert may_serve(renewal) == expected
    if not expected:
        with pytest.raises(TwoVisitsNeeded):
            require_writable(renewal)


def test_a_proxy_needs_states_and_a_citizen_in_person_does_not() -> None:
    require_writable(Renewal())
    with pytest.raises(StatesMissing):
        require_writable(Renewal(by_proxy=True, sealed_reply=True))
    with pytest.raises(StatesMissing):
        wrong_pin(Renewal(), SIGNING)


def test_what_was_written_before_a_failure_stays_written() -> None:
    half = failed(
        known(CertificateState.VALID),
        frozenset({USER}),
        CertificateFailure.NATIONAL_SYSTEM,
        frozenset({SIGNING}),
    )
    assert half.written == {SIGNING}
    assert half.failed is CertificateFailure.NATIONAL_SYSTEM
    assert wrote(half, frozenset({USER})).written == BOTH
    locked = failed(half, BOTH, CertificateFailure.PIN_LOCKED, frozenset())
    assert locked.locked == {USER}


def test_a_switch_is_offered_from_its_date_on() -> None:
    start = date(2028, 4, 1)
    assert not is_switch_offered(date(2028, 3, 31), start)
    assert is_switch_offered(start, start)
    assert not is_switch_offered(date(2099, 1, 1), None)

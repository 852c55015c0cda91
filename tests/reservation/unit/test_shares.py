"""Shares of a cell, what a site decides otherwise, and who cannot wait."""

from dataclasses import replace
from datetime import date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reservation.domain.case import CaseFacts, urgent, window
from services.reservation.domain.rules import Audience
from services.reservation.domain.site_rules import NONE, Overrides, SiteRules, under
from shared.contracts.base import Procedure
from tests.reservation.support import MORNING, RULES, SITE, THURSDAY, TODAY, WARD, case, tokyo

CARDS = Procedure.CARD_ISSUANCE
SHARED = replace(
    RULES,
    kept_call_centre=2,
    call_centre_released_days=3,
    kept_walk_in=1,
    walk_in_released_days=1,
)
READY = CaseFacts(case_id=case("ready"), ward=WARD, notice_seq=1, card_site_id=SITE)
RENEWAL = CaseFacts(case_id=case("renewal"), procedure=Procedure.CERTIFICATE_RENEWAL, ward=WARD)


@pytest.mark.parametrize(
    ("ahead", "citizen", "staff"), [(10, 3, 1), (4, 3, 1), (3, 1, 1), (2, 1, 1), (1, 0, 0)]
)
def test_shares_are_released_as_the_day_comes_nearer(ahead: int, citizen: int, staff: int) -> None:
    day = TODAY + timedelta(days=ahead)
    assert SHARED.kept(day, TODAY, Audience.CITIZEN) == citizen
    assert SHARED.kept(day, TODAY, Audience.STAFF) == staff
    assert SHARED.kept(day, TODAY, Audience.URGENT) == 0


@given(first=st.integers(0, 60), second=st.integers(0, 60))
def test_no_share_ever_grows_as_the_day_comes_nearer(first: int, second: int) -> None:
    near, far = sorted((first, second))
    for audience in Audience:
        kept = [SHARED.kept(TODAY + timedelta(days=n), TODAY, audience) for n in (near, far)]
        assert kept == sorted(kept)


def test_what_a_site_leaves_out_is_the_citys() -> None:
    assert under(RULES, CARDS, NONE) == RULES
    own = under(RULES, CARDS, Overrides(minutes=30, hold_minutes=5))
    assert own.minutes == {**RULES.minutes, CARDS: 30}
    assert own.hold_for == timedelta(minutes=5)
    assert own.offer_for == RULES.offer_for


def test_a_site_decides_for_one_procedure_alone() -> None:
    own = SiteRules(RULES, {CARDS: Overrides(horizon_days=10)}, MORNING)
    assert own.of(CARDS).horizon_days == 10
    assert own.of(Procedure.CERTIFICATE_RENEWAL).horizon_days == RULES.horizon_days


def test_the_last_day_opens_at_its_hour() -> None:
    overrides = {CARDS: Overrides(released_at=time(9, 30))}
    before = SiteRules(RULES, overrides, tokyo(TODAY, 9, 29)).of(CARDS)
    after = SiteRules(RULES, overrides, tokyo(TODAY, 9, 30)).of(CARDS)
    assert before.last_day(TODAY) == after.last_day(TODAY) - timedelta(days=1)


@pytest.mark.parametrize(
    ("facts", "cannot_wait"),
    [
        (READY, False),
        (replace(READY, pickup_deadline=TODAY + timedelta(days=14)), True),
        (replace(READY, pickup_deadline=TODAY + timedelta(days=15)), False),
        (replace(READY, card_expires_on=TODAY), True),
        (replace(RENEWAL, certificate_expires_on=TODAY + timedelta(days=3)), True),
        (replace(RENEWAL, certificate_expires_on=TODAY - timedelta(days=1)), False),
    ],
)
def test_who_cannot_wait(facts: CaseFacts, *, cannot_wait: bool) -> None:
    assert urgent(facts, TODAY, RULES) is cannot_wait


def test_only_staff_book_for_today_and_only_who_cannot_wait() -> None:
    soon = replace(READY, card_expires_on=TODAY + timedelta(days=3))
    assert window(soon, SITE, TODAY, RULES, by_staff=True).first == TODAY
    assert window(soon, SITE, TODAY, RULES).first == THURSDAY
    assert window(READY, SITE, TODAY, RULES, by_staff=True).first == THURSDAY


def test_a_renewal_is_served_from_three_months_before_its_certificates_end() -> None:
    known = replace(RENEWAL, certificate_expires_on=date(2026, 7, 20))
    assert window(known, SITE, TODAY, RULES).first == date(2026, 4, 20)
    assert window(RENEWAL, SITE, TODAY, RULES).first == THURSDAY

"""Notice numbers and deadlines."""

import re
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.preparation.domain.notices import derive_number, notify, pickup_deadline
from services.preparation.domain.refusals import Outcome
from services.preparation.domain.stages import Stage
from shared.ids import CaseId
from shared.security.blind_index import normal_notice_number

FORM = re.compile(r"[0-9A-HJ-NP-Z]{3}-[0-9]{6}")
days = st.dates(date(2016, 1, 1), date(2060, 12, 31))
FAR = date(2099, 1, 1)


@given(st.binary(min_size=32, max_size=32), st.uuids(), st.integers(1, 2), st.integers(0, 9))
def test_a_number_has_its_form_and_is_the_same_each_time(
    secret: bytes, case: UUID, seq: int, attempt: int
) -> None:
    number = derive_number(secret, CaseId(case), seq, attempt)
    assert FORM.fullmatch(number)
    assert normal_notice_number(number) == number.replace("-", "")
    assert number == derive_number(secret, CaseId(case), seq, attempt)


@given(st.uuids())
def test_secret_sequence_and_attempt_each_change_the_number(case: UUID) -> None:
    drawn = {
        derive_number(secret, CaseId(case), seq, attempt)
        for secret in (b"a" * 32, b"b" * 32)
        for seq in (1, 2)
        for attempt in (0, 1)
    }
    assert len(drawn) == 8


@given(days, st.integers(1, 12))
def test_the_deadline_is_the_same_day_months_later_or_the_months_last(
    day: date, months: int
) -> None:
    deadline = pickup_deadline(day, months, FAR)
    passed = (deadline.year - day.year) * 12 + deadline.month - day.month
    assert passed == months
    assert deadline.day == day.day or (
        (deadline + timedelta(1)).day == 1 and deadline.day < day.day
    )


@pytest.mark.parametrize(
    ("day", "deadline"),
    [
        (date(2026, 4, 14), date(2026, 7, 14)),
        (date(2026, 11, 30), date(2027, 2, 28)),
        (date(2027, 11, 29), date(2028, 2, 29)),
        (date(2026, 12, 31), date(2027, 3, 31)),
    ],
)
def test_known_deadlines(day: date, deadline: date) -> None:
    assert pickup_deadline(day, 3, FAR) == deadline


@given(days, days)
def test_no_deadline_lies_past_the_card(day: date, expires: date) -> None:
    assert pickup_deadline(day, 3, expires) <= expires


@given(st.sampled_from(list(Stage)), days, days)
def test_a_notice_needs_the_shelf_and_a_valid_card(stage: Stage, expires: date, day: date) -> None:
    outcome = notify(stage, expires, day).outcome
    assert (outcome is Outcome.DONE) == (stage is Stage.SHELVED and day <= expires)
    if stage.rank < Stage.PRESET.rank:
        assert outcome is Outcome.REFUSED

"""What is shown at the door, and who may collect a card without a booking."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.issuance.domain.case_file import CaseFile
from services.issuance.domain.code import read_code
from services.issuance.domain.out_of_reservation import expires_soon
from shared.errors import RejectedValueError
from shared.ids import BookingId
from tests.issuance.support import TODAY, new_case

FORMS = (
    "{}",
    " {} ",
    "https://yoyaku.example.jp/v/{}",
    "https://yoyaku.example.jp/v?code={}",
    "https://yoyaku.example.jp/v#{}",
    "https://yoyaku.example.jp/v?lang=ja#code={}",
)


@given(st.uuids(), st.sampled_from(FORMS))
def test_a_booking_code_is_read_from_any_form(code: UUID, form: str) -> None:
    assert read_code(form.format(code)) == BookingId(code)


@given(st.from_regex(r"[0-9A-Z]{3}-?[0-9]{6}", fullmatch=True), st.sampled_from(FORMS))
def test_a_notice_number_is_read_from_any_form(number: str, form: str) -> None:
    assert read_code(form.format(number)) == number.replace("-", "")


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=8))
def test_what_is_too_short_for_either_is_refused(text: str) -> None:
    with pytest.raises(RejectedValueError):
        read_code(text)


@pytest.mark.parametrize("text", ["", "A1B", "https://[", "918273", "123456789018"])
def test_refused(text: str) -> None:
    with pytest.raises(RejectedValueError):
        read_code(text)


@pytest.mark.parametrize(
    ("what", "days", "soon"),
    [
        ("old_card_expires_on", 30, True),
        ("old_card_expires_on", 31, False),
        ("old_card_expires_on", -300, True),
        ("pickup_deadline", 0, True),
        ("card_expires_on", 29, True),
        ("card_expires_on", 3000, False),
    ],
)
def test_what_expires_soon_needs_no_booking(what: str, days: int, soon: bool) -> None:
    ends: dict[str, Any] = {what: TODAY + timedelta(days=days)}
    assert expires_soon(CaseFile(new_case(), **ends), TODAY, 30) is soon


def test_of_whose_ends_nothing_was_heard_needs_a_booking() -> None:
    assert not expires_soon(CaseFile(new_case()), TODAY, 30)

"""Municipal codes, and what a citizen is told."""

import csv
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.preparation.domain.municipality import is_municipal_code
from services.preparation.domain.progress import Progress, progress
from services.preparation.domain.stages import Stage

WARDS = Path(__file__).parents[3] / "simulation" / "data" / "wards.csv"
TODAY = date(2026, 7, 15)


def test_the_codes_of_the_wards_hold() -> None:
    with WARDS.open(encoding="utf-8-sig") as lines:
        codes = [line["code"] for line in csv.DictReader(lines)]
    assert len(codes) == 7
    assert all(map(is_municipal_code, codes))


@given(st.text(alphabet="0123456789", min_size=5, max_size=5))
def test_one_check_digit_of_ten_fits(five: str) -> None:
    assert sum(is_municipal_code(five + digit) for digit in "0123456789") == 1


@pytest.mark.parametrize("code", ["", "14131", "1413130", "14131３", "abcdef"])
def test_other_texts_are_no_codes(code: str) -> None:
    assert not is_municipal_code(code)


@pytest.mark.parametrize(
    ("stage", "booked", "deadline", "expected"),
    [
        (Stage.RECEIVED, False, None, Progress.PREPARING),
        (Stage.SHELVED, False, None, Progress.PREPARING),
        (Stage.NOTIFIED, False, TODAY, Progress.BOOKABLE),
        (Stage.NOTIFIED, True, TODAY, Progress.BOOKED),
        (Stage.NOTIFIED, False, date(2026, 7, 14), Progress.OVERDUE),
        (Stage.ISSUED, True, date(2026, 7, 14), Progress.HANDED_OVER),
        (Stage.REJECTED, False, None, Progress.PREPARING),
        (Stage.VOIDED, True, TODAY, Progress.ENDED),
    ],
)
def test_progress(stage: Stage, booked: bool, deadline: date | None, expected: Progress) -> None:
    assert progress(stage, booked=booked, deadline=deadline, today=TODAY) is expected


def test_a_held_card_is_not_bookable_and_its_reason_is_not_told() -> None:
    held = progress(Stage.NOTIFIED, booked=True, deadline=TODAY, today=TODAY, held=True)
    assert held is Progress.ON_HOLD


@pytest.mark.parametrize("where", list(Progress))
def test_each_progress_has_words_in_both_languages(where: Progress) -> None:
    for text in (where.headline, where.next_step):
        assert text.en
        assert text.ja
        assert text.en != text.ja

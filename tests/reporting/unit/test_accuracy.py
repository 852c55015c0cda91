"""Errors of a forecast, by hand and by their laws."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.accuracy import (
    accuracies,
    accuracy,
    leaves_band,
    months_before,
    naive_error,
    series,
)
from tests.reporting.histories import CARD, RENEWAL

MONTHS = [date(2026, month, 1) for month in range(1, 13)]
SERIES = st.dictionaries(st.sampled_from(MONTHS), st.integers(1, 50_000), min_size=1)


def test_by_hand() -> None:
    expected = {MONTHS[0]: 110, MONTHS[1]: 90, MONTHS[2]: 500}
    came = {MONTHS[0]: 100, MONTHS[1]: 100}
    known = {date(2025, 11, 1): 80, date(2025, 12, 1): 120}
    found = accuracy(CARD, expected, came, known)
    assert found is not None
    assert (found.months, found.mae, found.bias) == (2, 10, 0)
    assert found.mape == pytest.approx(0.1)
    assert found.mase == pytest.approx(10 / 40)


def test_the_naive_forecast_looks_back_a_year_where_it_can() -> None:
    year = {months_before(date(2026, 1, 1), lag): 100 + lag for lag in range(1, 14)}
    assert naive_error(year) == 12
    assert naive_error({MONTHS[0]: 5}) is None
    assert naive_error({MONTHS[0]: 5, MONTHS[1]: 5}) is None


def test_both_together_need_both() -> None:
    counts = {(MONTHS[0], CARD): 1, (MONTHS[0], RENEWAL): 2, (MONTHS[1], CARD): 4}
    assert series(counts, None) == {MONTHS[0]: 3}
    assert series(counts, CARD) == {MONTHS[0]: 1, MONTHS[1]: 4}


def test_nothing_is_judged_before_a_month_is_over() -> None:
    assert accuracies({(MONTHS[0], CARD): 1}, {}, {}) == []
    assert accuracy(CARD, {MONTHS[0]: 1}, {MONTHS[1]: 1}, {}) is None


def test_months_in_which_nothing_came_have_no_share() -> None:
    found = accuracy(CARD, {MONTHS[0]: 10}, {MONTHS[0]: 0}, {})
    assert found is not None
    assert (found.mape, found.mase, found.mae) == (None, None, 10)


@given(SERIES, SERIES)
def test_the_laws_of_errors(expected: dict[date, int], came: dict[date, int]) -> None:
    found = accuracy(None, expected, came, {})
    if found is None:
        assert not set(expected) & set(came)
        return
    assert abs(found.bias) <= found.mae
    assert accuracy(None, came, came, {}).mae == 0  # type: ignore[union-attr]
    other = accuracy(None, came, expected, {})
    assert other is not None
    assert other.mae == pytest.approx(found.mae)
    assert other.bias == pytest.approx(-found.bias)


def test_the_band() -> None:
    assert not leaves_band(100, 115, 0.15)
    assert leaves_band(100, 116, 0.15)
    assert leaves_band(100, 84, 0.15)
    assert leaves_band(0, 1, 0.15)

"""Rows of a forecast file: what is taken, and which column is named where it is not."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.forecasts import Basis, Forecast, Value, value_of
from shared.errors import FieldError
from tests.reporting.histories import CARD

GOOD = {"month": "2026-04", "service": "card_issuance", "basis": "forecast", "count": "12556"}


def test_a_row() -> None:
    assert value_of(GOOD) == Value(date(2026, 4, 1), CARD, Basis.FORECAST, 12_556)


def test_what_a_file_calls_actual_is_published_not_counted_here() -> None:
    row = value_of(GOOD | {"basis": "actual"})
    assert isinstance(row, Value)
    assert Forecast.of([row]) == Forecast({}, {(date(2026, 4, 1), CARD): 12_556})


@pytest.mark.parametrize(
    ("field", "cell"),
    [
        ("month", "2026-13"),
        ("month", "2026-4"),
        ("month", "2026/04"),
        ("month", "1926-04"),
        ("month", ""),
        ("service", "passport"),
        ("basis", "hope"),
        ("basis", "published"),
        ("count", "-1"),
        ("count", "1.5"),
        ("count", "１２"),
        ("count", "99999999999"),
    ],
)
def test_a_wrong_cell_is_named_and_not_quoted(field: str, cell: str) -> None:
    found = value_of(GOOD | {field: cell})
    assert isinstance(found, FieldError)
    assert found.field == field
    assert not cell or cell not in found.message.en + found.message.ja


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), st.text(max_size=12)))
def test_any_cells_are_a_row_or_an_error(cells: dict[str, str]) -> None:
    assert isinstance(value_of(GOOD | cells), Value | FieldError)

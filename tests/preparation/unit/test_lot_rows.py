"""Rows: every row becomes a card or a reason; a My Number is found anywhere and kept nowhere."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.preparation.domain.lot_file import COLUMNS
from services.preparation.domain.lot_rows import CardRow, RefusedRow, read_row, read_rows
from services.preparation.domain.row_faults import RowCode
from shared.security.my_number import check_digit
from tests.preparation.support import row

digits = st.lists(st.integers(0, 9), min_size=11, max_size=11)
columns = st.integers(0, len(COLUMNS) - 1)


def cells(**replaced: object) -> list[str]:
    """The cells of a good row, some replaced."""
    return list(row(1, **replaced).values())


def my_number(first_eleven: list[int]) -> str:
    """A number with the right check digit."""
    return "".join(map(str, [*first_eleven, check_digit(first_eleven)]))


def test_a_good_row_becomes_a_card() -> None:
    card = read_row(2, cells())
    assert isinstance(card, CardRow)
    assert (card.line, card.row, card.lot_id) == (2, 1, "L2026-0412")
    assert "1950" not in repr(card)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("lot", "", RowCode.REQUIRED),
        ("lot", "=cmd()", RowCode.MALFORMED),
        ("row", "0", RowCode.MALFORMED),
        ("row", "１", RowCode.MALFORMED),
        ("card_reference", "@SUM(A1)", RowCode.MALFORMED),
        ("card_reference", "KC 26", RowCode.MALFORMED),
        ("ward", "141312", RowCode.MALFORMED),
        ("ward", "14131", RowCode.MALFORMED),
        ("kind", "更新", RowCode.MALFORMED),
        ("applied_on", "2026/03/02", RowCode.MALFORMED),
        ("applied_on", "2026-02-30", RowCode.MALFORMED),
        ("shipped_on", "20260410", RowCode.MALFORMED),
        ("shipped_on", "2026-03-01", RowCode.DATE_ORDER),
        ("card_expires_on", "2026-04-10", RowCode.DATE_ORDER),
        ("birth_date", "2026-03-03", RowCode.DATE_ORDER),
        ("birth_date", "  ", RowCode.REQUIRED),
    ],
)
def test_a_bad_cell_is_named_with_its_code(field: str, value: str, code: RowCode) -> None:
    refused = read_row(2, cells(**{field: value}))
    assert isinstance(refused, RefusedRow)
    assert (refused.fault.code, refused.fault.field) == (code, field)
    assert refused.fault.message.ja
    assert refused.fault.remedy.en
    if len(value.strip()) > 1:
        assert value not in repr(refused.fault.message)


@given(st.lists(st.text(max_size=20), max_size=12))
def test_any_cells_become_a_card_or_a_reason(texts: list[str]) -> None:
    assert isinstance(read_row(2, texts), CardRow | RefusedRow)


@given(digits, columns, st.sampled_from(["{}", "x{}x", " {} ", "番号{}", "{}-9"]))
def test_a_my_number_in_any_cell_sets_the_row_aside(
    number: list[int], column: int, form: str
) -> None:
    value = my_number(number)
    texts = cells()
    texts[column] = form.format(value)
    refused = read_row(2, texts)
    assert isinstance(refused, RefusedRow)
    assert (refused.fault.code, refused.fault.field) == (RowCode.MY_NUMBER, COLUMNS[column])
    assert value not in repr(refused)


@given(digits)
def test_a_my_number_beyond_the_last_column_is_found_too(number: list[int]) -> None:
    refused = read_row(2, [*cells(), my_number(number)])
    assert isinstance(refused, RefusedRow)
    assert (refused.fault.code, refused.fault.field) == (RowCode.MY_NUMBER, "cell 10")


@given(digits, st.integers(1, 9))
def test_twelve_digits_with_a_wrong_check_digit_are_no_my_number(
    number: list[int], off: int
) -> None:
    value = my_number(number)
    wrong = value[:-1] + str((int(value[-1]) + off) % 10)
    assert isinstance(read_row(2, cells(card_reference=wrong)), CardRow)


def test_a_card_or_a_place_is_taken_once_per_file() -> None:
    lines = [
        (2, cells()),
        (3, cells(row=2)),
        (4, cells(card_reference="KC26-000009")),
        (5, cells(row=3, card_reference="KC26-000003")),
    ]
    codes = [
        (found.fault.code, found.fault.field) if isinstance(found, RefusedRow) else None
        for found in read_rows(lines)
    ]
    twice = RowCode.DUPLICATE_IN_FILE
    assert codes == [None, (twice, "card_reference"), (twice, "row"), None]


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)))
def test_dates_are_read_as_written(day: date) -> None:
    found = read_row(2, cells(birth_date=day.isoformat()))
    if day <= date(2026, 3, 2):
        assert isinstance(found, CardRow)
        assert found.birth_date == day
    else:
        assert isinstance(found, RefusedRow)

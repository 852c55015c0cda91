"""Lot files as they come: encodings, columns, and what an error may not say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.preparation.domain.lot_file import (
    COLUMNS,
    FileUnreadable,
    WrongColumns,
    decode,
    read_lines,
)
from services.preparation.domain.lot_rows import CardRow, read_file
from tests.preparation.support import lot_csv, row

HEADER = ",".join(COLUMNS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_a_file_reads_the_same_in_each_encoding(encoding: str) -> None:
    text = lot_csv([row(1), row(2, kind="更新")]).decode()
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_only_the_bom_of_utf_8_is_known(encoding: str) -> None:
    body = lot_csv([row(1)]).decode().encode(encoding)
    if encoding == "utf-8-sig":
        assert isinstance(read_file(body).rows[0], CardRow)
    else:
        with pytest.raises(FileUnreadable):
            read_file(body)


def test_columns_may_stand_in_any_order() -> None:
    body = lot_csv([row(1)], columns=COLUMNS[::-1])
    (card,) = read_file(body).cards
    assert (card.card_reference, card.row) == ("KC26-000001", 1)


def test_missing_and_unknown_columns_are_named() -> None:
    names = [*COLUMNS[:-1], "birthday"]
    with pytest.raises(WrongColumns) as refused:
        list(read_lines(",".join(names)))
    assert [error.field for error in refused.value.errors] == ["birth_date", "birthday"]


def test_a_column_that_comes_twice_is_named() -> None:
    with pytest.raises(WrongColumns) as refused:
        list(read_lines(HEADER + ",lot"))
    assert [error.field for error in refused.value.errors] == ["lot"]


def test_a_file_without_header_does_not_put_its_first_citizen_into_the_error() -> None:
    body = "\n".join(lot_csv([row(1)]).decode().splitlines()[1:])
    with pytest.raises(WrongColumns) as refused:
        list(read_lines(body))
    said = f"{refused.value.detail}{refused.value.errors}{refused.value.extras}"
    assert not any(cell in said for cell in row(1).values() if len(cell) > 3)


def test_an_unknown_column_that_may_be_data_is_named_by_its_place() -> None:
    with pytest.raises(WrongColumns) as refused:
        list(read_lines(HEADER + ",川崎 花子"))
    assert [error.field for error in refused.value.errors] == ["column 10"]


@pytest.mark.parametrize("body", [b"", b"\n", b"\0" * 40, b"lot\0"])
def test_what_is_no_lot_file_is_refused(body: bytes) -> None:
    with pytest.raises((FileUnreadable, WrongColumns)):
        read_file(body)


def test_an_open_quote_is_told_with_its_line() -> None:
    body = lot_csv([row(1)]) + b'"L2026'
    with pytest.raises(FileUnreadable) as refused:
        read_file(body)
    assert "Line 3" in refused.value.detail.en


def test_a_file_without_rows_is_refused() -> None:
    with pytest.raises(FileUnreadable, match="no rows"):
        read_file(lot_csv([]))


@given(st.binary(max_size=400))
def test_any_bytes_end_in_rows_or_a_problem(garbage: bytes) -> None:
    for body in (garbage, HEADER.encode() + b"\n" + garbage):
        try:
            read_file(body)
        except (FileUnreadable, WrongColumns):
            continue

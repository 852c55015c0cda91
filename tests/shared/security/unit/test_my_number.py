"""The check digit by its rule, and every way of writing a number is found.

The numbers here are built from the rule, digit by digit; none is anybody's.
"""

from unicodedata import normalize
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.errors import Problem
from shared.security.my_number import (
    MyNumberRefused,
    cell_with_my_number,
    check_digit,
    contains_my_number,
    is_my_number,
    mask_my_numbers,
    refuse_my_number,
)

ELEVEN = st.lists(st.integers(0, 9), min_size=11, max_size=11)
WIDE = str.maketrans("0123456789-", "０１２３４５６７８９－")


def numbered(eleven: list[int]) -> str:
    """By the ministry's own formula, term by term, so that the weights are checked too."""
    total = 0
    for n in range(1, 12):
        weight = n + 1 if n <= 6 else n - 5
        total += eleven[11 - n] * weight
    remainder = total % 11
    return "".join(map(str, eleven)) + str(0 if remainder <= 1 else 11 - remainder)


def written_as(form: str, number: str) -> str:
    """``number`` in another way; in circles a sign may stand for two digits of it, so that a cell
    shorter than a number holds one.
    """
    if form == "wide":
        return number.translate(WIDE)
    if form == "zero-width":
        return "\u200b".join(number)
    if form == "circled":
        pairs = (number[at : at + 2] for at in range(0, len(number), 2))
        return "".join(CIRCLED.get(pair, pair) for pair in pairs)
    return number


CIRCLED = {normalize("NFKC", sign): sign for sign in map(chr, range(0x2469, 0x2474))} | {
    normalize("NFKC", sign): sign for sign in map(chr, range(0x3251, 0x3260))
}
FORMS = st.sampled_from(["plain", "wide", "zero-width", "circled"])
SHORT = st.text(st.characters(codec="ascii"), max_size=11)
CELL = st.one_of(
    SHORT,
    st.text(max_size=20),
    st.from_regex(r"[0-9]{10,14}", fullmatch=True),
    st.builds(written_as, FORMS, ELEVEN.map(numbered)),
)


@given(ELEVEN)
def test_check_digit_follows_the_rule(eleven: list[int]) -> None:
    number = numbered(eleven)
    assert check_digit(eleven) == int(number[-1])
    assert is_my_number(number)


@given(ELEVEN, st.integers(1, 9))
def test_another_check_digit_is_no_my_number(eleven: list[int], by: int) -> None:
    number = numbered(eleven)
    wrong = number[:-1] + str((int(number[-1]) + by) % 10)
    assert not is_my_number(wrong)
    assert not contains_my_number(wrong)


@given(
    ELEVEN,
    st.sampled_from(["", "-", " ", "　", "－", "‐", "ー", "・", " - ", "\u200b"]),
    st.booleans(),
    st.sampled_from(["{}", "番号は{}です", "No.{}", "x{}y", "({})", "電話 044-200-0000、{}"]),
)
def test_every_way_of_writing_is_found(
    eleven: list[int], between: str, wide: bool, around: str
) -> None:
    number = numbered(eleven)
    written = between.join((number[:4], number[4:8], number[8:]))
    assert contains_my_number(around.format(written.translate(WIDE) if wide else written))


@given(st.lists(CELL, max_size=12))
def test_of_a_row_the_first_cell_with_one_is_told(cells: list[str]) -> None:
    found = [number for number, cell in enumerate(cells) if contains_my_number(cell)]
    assert cell_with_my_number(cells) == (found[0] if found else None)


@given(ELEVEN, FORMS, st.lists(SHORT, max_size=3), st.lists(CELL, max_size=3))
@example([1, 1, 1, 2, 1, 3, 1, 4, 1, 5, 1], "circled", [""], [])  # in six signs
def test_a_number_is_found_between_other_cells(
    eleven: list[int], form: str, before: list[str], after: list[str]
) -> None:
    cell = written_as(form, numbered(eleven))
    assert cell_with_my_number([*before, cell, *after]) == len(before)


@given(ELEVEN, ELEVEN)
def test_a_row_of_groups_is_searched_at_every_place(one: list[int], two: list[int]) -> None:
    digits = "0000" + numbered(one) + numbered(two)
    assert contains_my_number(" ".join(digits[at : at + 4] for at in range(0, len(digits), 4)))


@given(ELEVEN, st.integers(0, 9), st.booleans())
def test_digits_of_a_longer_number_are_not_one(eleven: list[int], more: int, front: bool) -> None:
    number = numbered(eleven)
    assert not contains_my_number(f"{more}{number}" if front else f"{number}{more}")


@given(ELEVEN)
def test_identifiers_of_machines_pass(eleven: list[int]) -> None:
    number = numbered(eleven)
    assert not contains_my_number(f"case 0193a7b2-1234-7abc-8def-{number}")
    assert not contains_my_number("ab" * 20 + number + "cd" * 6)


@given(st.uuids())
def test_no_uuid_is_refused(identifier: UUID) -> None:
    refuse_my_number("case_id", str(identifier))


@given(st.text())
def test_any_text_can_be_searched(text: str) -> None:
    assert contains_my_number(text) in (True, False)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("{}", "body"),
        ({"a": [{"note": "x {}"}]}, "body.a.0.note"),
        ({"a": (1, {"b": 0})}, "body.a.1.b"),
        ({"{}": 1}, "body (a field name)"),
    ],
)
def test_the_field_is_named_and_the_value_is_not(value: object, path: str) -> None:
    number = numbered([9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 9])
    with pytest.raises(MyNumberRefused) as raised:
        refuse_my_number("body", _filled(value, number))
    assert [error.field for error in raised.value.errors] == [path]
    assert number not in repr(_everything(raised.value))


def test_what_holds_none_passes() -> None:
    refuse_my_number("body", {"a": ["000000000001", 12, None, True, 1.5, b"123456789018"]})


@given(ELEVEN)
def test_a_text_with_one_is_withheld_whole(eleven: list[int]) -> None:
    number = numbered(eleven)
    assert number not in mask_my_numbers(f"row 3: {number}")
    assert mask_my_numbers("row 3") == "row 3"


def _filled(value: object, number: str) -> object:
    if isinstance(value, str):
        return value.format(number)
    if isinstance(value, dict):
        return {_filled(name, number): _filled(inner, number) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(inner, number) for inner in value]
    return int(number) if value == 0 else value


def _everything(problem: Problem) -> tuple[object, ...]:
    return (problem.args, problem.detail, problem.extras, problem.errors, problem.__dict__)

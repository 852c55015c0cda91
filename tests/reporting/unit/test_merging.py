"""However a stream is cut into batches: merged among themselves, then into what is known, all the
same."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.store.merging import Batch, Piece, Rule, Table

EARLIEST = Piece(Rule.LEAST, (("a", "int"), ("b", "int")))
GREATEST = Piece(Rule.GREATEST, (("c", "int"),))
LAST = Piece(Rule.GREATEST, (("at", "int"), ("number", "int"), ("word", "text")), told_by=2)
FACTS = Table("fact", (("id", "int"),), EARLIEST, GREATEST, LAST)

Told = tuple[int, Piece, dict[str, Any]]
Rows = Mapping[tuple[Any, ...], Mapping[str, Any]]
numbers = st.integers(0, 3)


@st.composite
def tellings(draw: st.DrawFn) -> Told:
    """A piece of one of two rows; who tells at the same time by the same number tells the same."""
    key = draw(st.integers(1, 2))
    piece = draw(st.sampled_from(FACTS.pieces))
    if piece is LAST:
        at, number = draw(numbers), draw(numbers)
        return key, piece, {"at": at, "number": number, "word": f"{at}/{number}"}
    return key, piece, {name: draw(st.none() | numbers) for name in piece.names}


def merged(stream: list[Told], into: Rows | None = None) -> Rows:
    """What a batch knows after ``stream``, begun where another ended."""
    batch = Batch(FACTS)
    for key, row in (into or {}).items():
        for piece in FACTS.pieces:
            values = {name: row[name] for name in piece.names if name in row}
            if values:
                batch.tell(key, piece, values)
    for number, piece, values in stream:
        batch.tell((number,), piece, values)
    return batch.rows


@given(st.lists(tellings(), max_size=30), st.data())
def test_any_order_repetition_and_split_gives_the_same(stream: list[Told], data: Any) -> None:
    again = data.draw(st.permutations(stream + stream[: len(stream) // 2]))
    cut = data.draw(st.integers(0, len(again)))
    expected = {key: row for key, row in merged(stream).items() if row}
    found = merged(again[cut:], into=merged(again[:cut]))
    assert {key: row for key, row in found.items() if row} == expected


@given(st.lists(tellings(), min_size=1, max_size=30))
def test_each_column_is_what_its_rule_says(stream: list[Told]) -> None:
    for key, row in merged(stream).items():
        mine = [(piece, values) for number, piece, values in stream if (number,) == key]
        told = {
            name: [v[name] for _, v in mine if v.get(name) is not None]
            for name in ("a", "b", "c", "at")
        }
        for name, rule in (("a", min), ("b", min), ("c", max), ("at", max)):
            assert row.get(name) == (rule(told[name]) if told[name] else None)
        last = [(v["at"], v["number"]) for piece, v in mine if piece is LAST]
        if last:
            assert row["word"] == "{}/{}".format(*max(last))

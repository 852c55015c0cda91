"""Facts told in pieces, merged twice by the same rules: those of one batch with each other here,
and what comes of it with what is known, by one statement for each table. So a row is written once
for a batch, however many events told of it.

Each rule gives the same in any order and however often something is told; so do both merges
together, wherever a stream is cut into batches. Rows are written in the order of their keys, so two
batches never wait for each other in a circle.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import cache
from operator import gt, lt
from typing import Any

from shared.db import Connection

Columns = tuple[tuple[str, str], ...]
"""Names and types."""


class Rule(Enum):
    """Which of two values, or of two tellings, counts."""

    LEAST = "<"
    GREATEST = ">"


class Piece:
    """Columns that follow one rule: each by itself, or, where the first ``told_by`` of them say
    when a piece was told, all of them together by these."""

    def __init__(self, rule: Rule, columns: Columns, *, told_by: int = 0) -> None:
        self.rule = rule
        self.columns = columns
        self.names = tuple(name for name, _ in columns)
        self.told_by = self.names[:told_by]
        self.counts = {Rule.LEAST: lt, Rule.GREATEST: gt}[rule]


class Table:
    """A table of facts: its key, and the pieces a row is made of."""

    def __init__(self, name: str, key: Columns, *pieces: Piece) -> None:
        self.name, self.key, self.pieces = name, key, pieces


class Batch:
    """What a batch tells of the rows of one table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._rows: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._told: set[Piece] = set()

    def tell(self, key: tuple[Any, ...], piece: Piece, values: Mapping[str, Any]) -> None:
        """Take in a piece; of one that goes by each column, those that are told and not None."""
        self._told.add(piece)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = {}
        if piece.told_by:
            first = piece.told_by[0]
            if first not in row or piece.counts(
                [values[name] for name in piece.told_by], [row[name] for name in piece.told_by]
            ):
                row.update(values)
            return
        for name, value in values.items():
            if value is not None and (name not in row or piece.counts(value, row[name])):
                row[name] = value

    @property
    def rows(self) -> Mapping[tuple[Any, ...], Mapping[str, Any]]:
        """What was told of each row, by its key."""
        return self._rows

    async def keep(self, conn: Connection) -> None:
        """Merge all of it into what is known; nothing to be done where nothing was told."""
        if not self._rows:
            return
        told = tuple(piece for piece in self._table.pieces if piece in self._told)
        keys = [list(column) for column in zip(*self._rows, strict=True)]
        names = [name for piece in told for name in piece.names]
        rows = self._rows.values()
        await conn.execute(
            _statement(self._table, told), *keys, *([row.get(n) for row in rows] for n in names)
        )


@cache
def _statement(table: Table, told: tuple[Piece, ...]) -> str:
    """The upsert of rows of which these pieces are told."""
    columns = [*table.key, *(column for piece in told for column in piece.columns)]
    names = ", ".join(name for name, _ in columns)
    key = ", ".join(name for name, _ in table.key)
    given = ", ".join(f"${n}::{kind}[]" for n, (_, kind) in enumerate(columns, start=1))
    merged = ",\n    ".join(f"{name} = {to}" for piece in told for name, to in _merged(piece))
    return f"""
INSERT INTO {table.name} AS known ({names})
SELECT * FROM unnest({given}) AS told ({names})
ORDER BY {key}
ON CONFLICT ({key}) DO UPDATE SET
    {merged}
"""  # noqa: S608  only names that the tables of facts give


def _merged(piece: Piece) -> Iterator[tuple[str, str]]:
    """Each column, and what it is after a telling; ``excluded`` is null where nothing was told."""
    if not piece.told_by:
        of = piece.rule.name.lower()
        for name in piece.names:
            yield name, f"{of}(known.{name}, excluded.{name})"
        return
    new, old = (_row(source, piece.told_by) for source in ("excluded", "known"))
    newer = f"known.{piece.told_by[0]} IS NULL OR {new} {piece.rule.value} {old}"
    for name in piece.names:
        yield name, f"CASE WHEN {newer} THEN excluded.{name} ELSE known.{name} END"


def _row(source: str, names: Sequence[str]) -> str:
    return f"({', '.join(f'{source}.{name}' for name in names)})"

"""A long file in slices: judged as a whole, then written down in pieces that are taken one by one.

Each slice is small and holds no row's My Number: what was set aside has only its fault left.
"""

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Final

from pydantic import Field, TypeAdapter

from services.preparation.domain.lot_file import LOT, Form, TooManyRows, open_lines
from services.preparation.domain.lot_rows import CardRow, RefusedRow, no_rows, read_rows

ROWS: Final = 4_000
"""Rows of one slice: a transaction of about half a second."""

# Most rows are cards: what is one is not tried as anything else.
_KIND: Final = TypeAdapter(list[Annotated[CardRow | RefusedRow, Field(union_mode="left_to_right")]])


@dataclass(frozen=True, slots=True)
class Sliced:
    """A file in slices, each packed."""

    digest: bytes
    row_count: int
    slices: Sequence[bytes]


def cut(body: bytes, most: int, form: Form = LOT) -> Sliced:
    """Judge a file and cut it; no more than one slice is unpacked at a time.

    Raises ``FileUnreadable``, ``WrongColumns`` and ``TooManyRows``.
    """
    count, slices = 0, []
    for rows in _batches(body, form):
        count += len(rows)
        if count > most:
            raise TooManyRows(most)
        slices.append(zlib.compress(_KIND.dump_json(rows, exclude_defaults=True), 1))
    if not count:
        raise no_rows()
    return Sliced(hashlib.sha256(body).digest(), count, slices)


def unpack(data: bytes) -> list[CardRow | RefusedRow]:
    """The rows of a slice."""
    return _KIND.validate_json(zlib.decompress(data))


def _batches(body: bytes, form: Form) -> Iterator[list[CardRow | RefusedRow]]:
    rows = read_rows(open_lines(body, form), form)
    while batch := list(islice(rows, ROWS)):
        yield batch

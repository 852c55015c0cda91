"""Files that are taken whole or not at all, with a result for each of their rows."""

from collections.abc import Callable, Hashable, Sequence
from enum import StrEnum
from typing import Generic, TypeVar

from pydantic import BaseModel, Field

from shared import csv_file
from shared.csv_file import Form, Line
from shared.errors import FieldError, Language
from shared.http import row_results
from shared.http.row_results import Refusal

R = TypeVar("R")


class RowOutcome(StrEnum):
    """What became of a row."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


class FileOutcome(StrEnum):
    """What became of a file: all of it, or nothing."""

    IMPORTED = "imported"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    DRY_RUN = "dry_run"


class RowResult(BaseModel):
    """What became of one row."""

    line: int = Field(description="Line in the file; the header is 1.")
    outcome: RowOutcome
    refusal: Refusal | None


class WholeFile(Generic[R]):
    """The rows of a file: each a value, or the reason why it is none."""

    def __init__(
        self,
        body: bytes,
        form: Form,
        most: int,
        *,
        row_of: Callable[[dict[str, str]], R | FieldError],
        key: Callable[[R], Hashable],
        twice: Callable[[], FieldError],
    ) -> None:
        """Raises ``FileUnreadable``, ``WrongColumns`` and ``TooManyRows``."""
        self.rows: list[R] = []
        self._read: list[tuple[Line, FieldError | None]] = []
        seen: set[Hashable] = set()
        for line in csv_file.read(body, form, most):
            found = line.fault or row_of(dict(line.cells))
            if not isinstance(found, FieldError):
                known = key(found) in seen
                seen.add(key(found))
                if not known:
                    self.rows.append(found)
                    self._read.append((line, None))
                    continue
                found = twice()
            self._read.append((line, found))

    @property
    def count(self) -> int:
        """Rows in all."""
        return len(self._read)

    @property
    def refused(self) -> int:
        """How many of them cannot be taken; with any, the file is not."""
        return self.count - len(self.rows)

    def results(self, language: Language) -> Sequence[RowResult]:
        """What became of each row, in words of ``language``."""
        return [
            RowResult(
                line=line.number,
                outcome=RowOutcome.REFUSED if fault else RowOutcome.ACCEPTED,
                refusal=row_results.of_fields([fault], language) if fault else None,
            )
            for line, fault in self._read
        ]

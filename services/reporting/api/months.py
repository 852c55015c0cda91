"""Which months a series is asked for, as query parameters."""

from datetime import date
from typing import Annotated

from fastapi import Depends, Query

from shared.errors import BadRequest, FieldError, Text

_PATTERN = r"^2\d{3}-(0[1-9]|1[0-2])$"
FIRST, LAST = date(2000, 1, 1), date(2999, 12, 1)
FromMonth = Annotated[
    str | None,
    Query(alias="from", pattern=_PATTERN, description="First month.", examples=["2026-04"]),
]
ToMonth = Annotated[
    str | None,
    Query(alias="to", pattern=_PATTERN, description="Last month.", examples=["2027-03"]),
]


class MonthsRefused(BadRequest):
    """The last month is before the first."""

    slug = "months-refused"
    title = Text("These months are in the wrong order", "年月の順序が逆です")
    remedy = Text("Let `to` be no earlier than `from`.", "to は from 以降の年月にしてください。")

    def __init__(self) -> None:
        message = Text("Is before from.", "from より前です。")
        super().__init__(errors=(FieldError("to", message, self.remedy),))


def _months(first: FromMonth = None, last: ToMonth = None) -> tuple[date, date]:
    """Raises ``MonthsRefused``."""
    begin = date.fromisoformat(f"{first}-01") if first else FIRST
    end = date.fromisoformat(f"{last}-01") if last else LAST
    if end < begin:
        raise MonthsRefused
    return begin, end


MonthsDep = Annotated[tuple[date, date], Depends(_months)]
"""For routes that take ``?from=&to=`` as months; without one, as far as anything is known."""

"""What an outlook is asked for: days, a ward, and the refusal of a period that cannot be shown."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Final

from fastapi import Depends, Query

from shared.calendar import business_date
from shared.contracts.base import WardRef
from shared.errors import BadRequest, FieldError, Text
from shared.http.call import CallDep
from shared.http.tables import in_files

LONGEST = 400
"""Days that one answer shows at most."""

_FIRST, _LAST = date(2000, 1, 1), date(2999, 12, 31)

WardQuery = Annotated[
    WardRef | None, Query(description="Ward of residence; without it, all.", examples=["141313"])
]

TABLE: Final = in_files("A table, by `format` or `Accept`.", {"schema": {"type": "object"}})
CHART: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The same as a picture.",
        "content": {"image/svg+xml": {"schema": {"type": "string"}}},
    }
}


class PeriodRefused(BadRequest):
    """The days cannot be shown."""

    slug = "period-refused"
    title = Text("This period cannot be shown", "この期間は表示できません")

    def __init__(self) -> None:
        message = Text(
            f"The period ends before it begins, or is longer than {LONGEST} days.",
            f"終了日が開始日より前か、期間が{LONGEST}日を超えています。",
        )
        remedy = Text(
            f"Send from and to with at most {LONGEST} days from one to the other.",
            f"from から to までを{LONGEST}日以内で指定してください。",
        )
        super().__init__(errors=(FieldError("to", message, remedy),))


@dataclass(frozen=True, slots=True)
class Period:
    """From a day to a day, both included."""

    first: date
    last: date


def _period(days: int) -> Callable[..., Period]:
    def period(
        call: CallDep,
        first: Annotated[
            date | None,
            Query(alias="from", ge=_FIRST, le=_LAST, description=f"Default: {days} days."),
        ] = None,
        last: Annotated[
            date | None, Query(alias="to", ge=_FIRST, le=_LAST, description="Default: today.")
        ] = None,
    ) -> Period:
        end = last or max(_FIRST, business_date(call.resources.units.clock.now()))
        start = first or max(_FIRST, end - timedelta(days=days - 1))
        if not 0 <= (end - start).days < LONGEST:
            raise PeriodRefused
        return Period(start, end)

    return period


FourWeeks = Annotated[Period, Depends(_period(28))]
QuarterYear = Annotated[Period, Depends(_period(91))]

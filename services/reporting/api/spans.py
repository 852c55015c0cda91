"""Which days a report of sites is asked for, as query parameters."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import Request

from services.reporting.api.filters import SiteFilter, today
from services.reporting.store.site_days import Days
from shared.calendar import BusinessCalendar
from shared.errors import BadRequest, FieldError, Text
from shared.http.call import CallDep

LONGEST = 366
"""Days of one answer."""
USUAL = 28
"""Days up to today that are shown where none are asked for."""

_FIRST, _LAST = date(2000, 1, 1), date(2999, 12, 31)
FromParam = Annotated[
    date | None,
    Query(
        alias="from",
        ge=_FIRST,
        le=_LAST,
        description=f"First business date; without it, {USUAL} days up to the last.",
        examples=["2026-07-01"],
    ),
]
ToParam = Annotated[
    date | None,
    Query(
        alias="to",
        ge=_FIRST,
        le=_LAST,
        description="Last business date; without it, today.",
        examples=["2026-07-31"],
    ),
]
DayParam = Annotated[
    date | None,
    Query(alias="date", ge=_FIRST, le=_LAST, description="The day; without it, today."),
]


class SpanRefused(BadRequest):
    """The days asked for are none, or too many."""

    slug = "span-refused"
    title = Text("These days cannot be reported together", "この期間では集計できません")
    remedy = Text(
        f"Let `to` be no earlier than `from`, and at most {LONGEST - 1} days later.",
        f"to は from 以降、{LONGEST - 1}日後までの日付にしてください。",
    )

    def __init__(self) -> None:
        message = Text(
            f"Not between from and {LONGEST - 1} days after it.",
            f"from から{LONGEST - 1}日後までの範囲にありません。",
        )
        super().__init__(errors=(FieldError("to", message, self.remedy),))


def _span(
    call: CallDep, first: FromParam = None, last: ToParam = None, site_id: SiteFilter = None
) -> Days:
    """Raises ``SpanRefused``."""
    end = last or max(today(call.resources.units.clock), first or _FIRST)
    start = first or end - timedelta(days=USUAL - 1)
    if not timedelta(0) <= end - start < timedelta(days=LONGEST):
        raise SpanRefused
    return Days(start, end, site_id)


SpanDep = Annotated[Days, Depends(_span)]
"""For routes that take ``?from=&to=&site_id=``."""


def _days(call: CallDep, first: FromParam = None, last: ToParam = None) -> Days:
    """Raises ``SpanRefused``."""
    return _span(call, first, last)


DaysDep = Annotated[Days, Depends(_days)]
"""The same for routes that are about no single site."""


def _calendar(request: Request) -> BusinessCalendar:
    calendar: BusinessCalendar = request.app.state.calendar
    return calendar


CalendarDep = Annotated[BusinessCalendar, Depends(_calendar)]
"""For routes that ask which days are business days."""

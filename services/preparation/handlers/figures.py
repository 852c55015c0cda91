"""The outlook's measured part: totals, backlog, lead times. Figures only, no case can be told."""

from collections.abc import Sequence
from datetime import date, timedelta

from services.preparation.domain.backlog import Backlog, backlog
from services.preparation.domain.lead_times import WeekOfLeg, weekly
from services.preparation.domain.totals import DayTotals, running
from services.preparation.domain.working_days import WorkingDays
from services.preparation.store import figures
from shared.calendar import BusinessCalendar, business_date
from shared.ids import WardCode
from shared.unit import Unit

_DAY = timedelta(days=1)


async def totals(
    unit: Unit, first: date, last: date, ward: WardCode | None = None
) -> Sequence[DayTotals]:
    """The four totals and the backlog at the end of each day, of a ward or of all and the city."""
    changes = await figures.changes(unit.conn, first, last, ward)
    days = [first + number * _DAY for number in range((last - first).days + 1)]
    return running(changes, days)


async def waiting(
    unit: Unit, calendar: BusinessCalendar, ward: WardCode | None = None
) -> Sequence[Backlog]:
    """What waits at each stage now, with its age."""
    found = await figures.waiting(unit.conn, ward)
    today = business_date(unit.now)
    days = [today, *(one.since for one in found)]
    working = WorkingDays(calendar, min(days), max(days))
    return backlog(found, today, working)


async def lead_times(
    unit: Unit,
    calendar: BusinessCalendar,
    first: date,
    last: date,
    ward: WardCode | None = None,
) -> Sequence[WeekOfLeg]:
    """How long the steps took that ended from ``first`` to ``last``, by week."""
    spans = await figures.spans(unit.conn, first, last, ward)
    earliest = min((span.began for span in spans), default=first)
    return weekly(spans, WorkingDays(calendar, min(earliest, first), last))

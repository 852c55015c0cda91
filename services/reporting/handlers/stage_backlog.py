"""Cards at each stage, how fast they leave it, and when nothing would wait there any more: the same
figures for the page and for the API."""

from dataclasses import dataclass
from datetime import date, datetime, time
from math import ceil

from services.reporting.store import stages
from services.reporting.store.stages import Standing, Waiting
from shared.calendar import TOKYO, BusinessCalendar, business_date
from shared.db import Connection

PACE_DAYS = 10
"""Full business days before today whose mean is the pace: what has left today is part of a day."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """The cards of a stage, since when the one waits that came first, how many left it on a
    business day (the mean of the last ``PACE_DAYS``), and in how many of them it is empty at that
    pace with nothing new.

    None where nothing waits, where nothing left, and of holds, which end when they end.
    """

    stage: Waiting
    cards: int
    oldest: date | None
    pace: float | None
    days: int | None


async def backlogs(conn: Connection, today: date, calendar: BusinessCalendar) -> list[Backlog]:
    """Every stage, in the order in which cards pass them; ``today`` is the day in Japan."""
    first = calendar.add_business_days(today, -PACE_DAYS)
    since, until = (datetime.combine(day, time.min, TOKYO) for day in (first, today))
    standing = await stages.standing(conn, since, until)
    return [_backlog(each) for each in standing]


def _backlog(each: Standing) -> Backlog:
    oldest = business_date(each.oldest) if each.oldest else None
    if each.stage is Waiting.HELD:
        return Backlog(each.stage, each.cards, oldest, None, None)
    days = ceil(each.cards * PACE_DAYS / each.left) if each.left else None
    return Backlog(each.stage, each.cards, oldest, each.left / PACE_DAYS, days if each.cards else 0)

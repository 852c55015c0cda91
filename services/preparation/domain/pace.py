"""How many notices go out: no more than those invited can find free seats for."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from shared.contracts.base import BusinessDate
from shared.errors import Conflict, Text

POST_DAYS: Final = 2
"""Days until a postcard is read; seats before that are of no use to who is invited today."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What people set for a site.

    ``share`` is the part of the free seats, in percent, that may be invited; more than 100 where
    not everybody comes. ``window_days`` is how far ahead seats count, in calendar days.
    """

    share: int = 100
    window_days: int = 28
    daily_limit: int | None = None
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class Demand:
    """What stands against it: free seats of the window, citizens who were invited and have not
    booked, and notices of today.
    """

    free_seats: int
    invited: int
    sent_today: int


class PaceReached(Conflict):
    """As many citizens are invited as there are seats for."""

    slug = "notice-pace-reached"
    title = Text("No more notices fit the free seats now", "空き枠に対して通知の上限に達しています")
    remedy = Text(
        "Wait for seats or bookings, or change the pace (PUT /v1/notices/paces/{site_id}).",
        "空き枠か予約の増加を待つか、送付ペースを変更してください"
        "（PUT /v1/notices/paces/{site_id}）。",
    )


def allowance(pace: Pace, demand: Demand) -> int:
    """How many notices may go out now; never so many that who is invited finds no seat."""
    room = demand.free_seats * pace.share // 100 - demand.invited
    if pace.daily_limit is not None:
        room = min(room, pace.daily_limit - demand.sent_today)
    return max(0, room)


def window(pace: Pace, today: date) -> tuple[BusinessDate, BusinessDate]:
    """The first and the last day whose free seats count."""
    first = today + timedelta(days=POST_DAYS)
    return first, max(first, today + timedelta(days=pace.window_days))

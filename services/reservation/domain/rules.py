"""The reservation rules of a city: numbers that are settings, never constants of the code.

Source of the defaults: the brief's reservation rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import assert_never

from shared.calendar import TOKYO, BusinessCalendar
from shared.contracts.base import Procedure


class Audience(StrEnum):
    """Who books, as far as the shares of a cell are concerned."""

    CITIZEN = "citizen"
    STAFF = "staff"
    """The call centre and clerks, on behalf."""
    URGENT = "urgent"
    """Anybody, for a case that cannot wait: the out-of-reservation path."""


def _twenty_minutes_each() -> Mapping[Procedure, int]:
    return dict.fromkeys(Procedure, 20)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the verbs of this room ask when a city could decide otherwise."""

    calendar: BusinessCalendar
    horizon_days: int = 60
    """How far ahead one may book, in days from today."""
    transfer_business_days: int = 2
    """How long a card travels to another site, in business days."""
    change_until: time = time(17)
    """When the last change is possible on the day before; local time (Asia/Tokyo)."""
    party_limit: int = 4
    """The most cases that come together."""
    cell_minutes: int = 10
    """Length of one cell of the time grid."""
    minutes: Mapping[Procedure, int] = field(default_factory=_twenty_minutes_each)
    """Time planned for one case, by procedure."""
    return_within: timedelta = timedelta(minutes=15)
    """A seat given back returns after a random delay no longer than this."""
    made_ahead_days: int = 30
    """How far beyond the horizon cells are made, so that making them stays rare."""
    released_at: time = time(0)
    """When the last day of the horizon opens for booking; local time (Asia/Tokyo)."""
    hold_for: timedelta = timedelta(minutes=10)
    """How long a seat is held while the citizen fills the form."""
    offer_for: timedelta = timedelta(hours=2)
    """How long a freed seat is kept for one party of the waiting list."""
    kept_call_centre: int = 0
    """Seats of each cell that only staff may book."""
    call_centre_released_days: int = 3
    """So many days ahead everybody may book the call centre's share."""
    kept_walk_in: int = 0
    """Seats of each cell that are not booked, but for cards about to expire."""
    walk_in_released_days: int = 0
    """So many days ahead the walk-in share may be booked like any other seat."""
    urgent_days: int = 14
    """A case is urgent when it can be served for no longer than so many days."""
    lateness: timedelta = timedelta(minutes=10)
    """How late a party may come without losing its turn."""

    answer_days: int = 5
    """How many days a citizen has to answer when a booking is displaced."""
    kilometres_per_day: float = 2.0
    """How much farther an alternative may lie to be a day nearer to the date that was booked."""
    suspension_lookahead: timedelta = timedelta(hours=24)
    """How long a suspension without an end counts as lasting, from now on."""
    national_system_stops_at: time = time(20)
    """When the national system stops each day; local time (Asia/Tokyo)."""

    def cells(self, procedure: Procedure) -> int:
        """How many consecutive cells one case takes."""
        return -(-self.minutes[procedure] // self.cell_minutes)

    def last_day(self, today: date) -> date:
        """The last day on which a visit may lie."""
        return today + timedelta(days=self.horizon_days)

    def made_until(self, today: date) -> date:
        """The last day whose cells are made when cells are made today."""
        return self.last_day(today) + timedelta(days=self.made_ahead_days)

    def kept(self, day: date, today: date, audience: Audience) -> int:
        """Seats of each cell on ``day`` that ``audience`` leaves to others."""
        ahead = (day - today).days
        call = self.kept_call_centre if ahead > self.call_centre_released_days else 0
        walk_in = self.kept_walk_in if ahead > self.walk_in_released_days else 0
        match audience:
            case Audience.CITIZEN:
                return call + walk_in
            case Audience.STAFF:
                return walk_in
            case Audience.URGENT:
                return 0
        assert_never(audience)

    def change_deadline(self, day: date) -> datetime:
        """Until when a citizen may change or cancel a visit on ``day``."""
        return datetime.combine(day - timedelta(days=1), self.change_until, TOKYO)

"""What reservation tells about sites: every change of a site carries the whole of it."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shared.contracts.base import BusinessDate, Event, Instant, Procedure, SiteEvent, Value
from shared.contracts.place import (
    Acceptance,
    Count,
    HoursException,
    OpeningHours,
    Site,
    SiteKind,
    SiteName,
    SiteState,
    Staffing,
    Weekday,
)
from shared.ids import SiteId, SuspensionId

__all__ = [
    "Acceptance",
    "CapacityPublished",
    "DayCapacity",
    "DayClosed",
    "HoursException",
    "Lateness",
    "NationalSystemResumed",
    "NationalSystemSuspended",
    "OpeningHours",
    "Site",
    "SiteChanged",
    "SiteClosed",
    "SiteKind",
    "SiteName",
    "SiteOpened",
    "SitePlanned",
    "SiteSnapshot",
    "SiteState",
    "SiteWindDownStarted",
    "Staffing",
    "SuspensionReason",
    "Weekday",
]

Procedures = Annotated[tuple[Procedure, ...], Field(min_length=1)]


class SuspensionReason(StrEnum):
    """Why the national system does not answer."""

    SCHEDULED = "scheduled"
    OUTAGE = "outage"
    EMERGENCY = "emergency"


class Lateness(Value):
    """How late a party may come to a site without losing its turn."""

    procedure: Procedure
    """What it comes for."""

    minutes: Annotated[int, Field(ge=0, le=120)]
    """After the booked time."""


class SiteSnapshot(Event):
    """A change of a site, with the whole site as it is from now on."""

    topic = "site.events"

    site: Site
    """The whole site."""

    lateness: tuple[Lateness, ...] = ()
    """Where the site decides otherwise than the city; the city's rule holds for the rest."""

    @property
    def site_id(self) -> SiteId:
        """The site's id."""
        return self.site.site_id

    @property
    def subject(self) -> str:
        """The site: all that happens to it keeps its order."""
        return self.site.site_id


class SitePlanned(SiteSnapshot):
    """A site is planned."""

    type = "site.planned.v1"


class SiteOpened(SiteSnapshot):
    """A site serves citizens from its first day on."""

    type = "site.opened.v1"


class SiteChanged(SiteSnapshot):
    """Something about a site is different now: hours, counters, staff, acceptance or state."""

    type = "site.changed.v1"


class SiteWindDownStarted(SiteSnapshot):
    """A site is to close: nothing is sold beyond its last day, and its cards have to leave."""

    type = "site.wind_down_started.v1"

    last_day: BusinessDate
    """The last day on which it serves."""


class SiteClosed(SiteSnapshot):
    """A site serves no more, and no booking is left at it."""

    type = "site.closed.v1"


class DayCapacity(Value):
    """The seats of one day, each as long as the procedure takes."""

    business_date: BusinessDate
    """The day."""

    total: Count
    """Seats that can be booked at all."""

    free: Count
    """Of these, how many a citizen may book now: not those taken, kept for others, or suspended."""

    first_hour: Annotated[int, Field(ge=0, le=23)] | None = None
    """The hour of the day, in Japan, in which the first seat lies; none without a seat, and where
    it was told before this was."""

    minutes_by_hour: tuple[Count, ...] = ()
    """Minutes of all seats in that hour and in each that follows, free or not."""


class CapacityPublished(SiteEvent):
    """How many seats a site has on the days ahead; it replaces what was said of these days."""

    type = "capacity.published.v1"

    procedure: Procedure
    """What the seats are for."""

    minutes: Annotated[int, Field(ge=1, le=24 * 60)] | None = None
    """Length of a seat; none where it was told before this was."""

    days: tuple[DayCapacity, ...]
    """The days, in order."""


class DayClosed(SiteEvent):
    """A business date has ended at a site; nothing about a case is decided from it alone."""

    type = "day.closed.v1"

    business_date: BusinessDate
    """The day that has ended."""


class NationalSystemSuspended(SiteEvent):
    """A site cannot use the national system; one event per site that is affected."""

    type = "national_system.suspended.v1"

    suspension_id: SuspensionId
    """The interruption; the same at each of its sites."""

    procedures: Procedures
    """What cannot be done."""

    starts_at: Instant
    """From when."""

    ends_at: Instant | None = None
    """Until when; none while nobody knows."""

    reason: SuspensionReason
    """Why."""


class NationalSystemResumed(SiteEvent):
    """A site can use the national system again; one event per site that was affected."""

    type = "national_system.resumed.v1"

    suspension_id: SuspensionId
    """The interruption that is over."""

    procedures: Procedures
    """What can be done again."""

    resumed_at: Instant
    """From when."""

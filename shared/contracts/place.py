"""A site as its events carry it: place, hours, counters, staff, and whom it serves with what."""

from datetime import date, time
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shared.contracts.base import BusinessDate, Procedure, SiteRef, Value, WardRef

Count = Annotated[int, Field(ge=0)]


class SiteKind(StrEnum):
    """What sort of place a site is."""

    WARD_OFFICE = "ward_office"
    CENTER = "center"
    SATELLITE = "satellite"
    TEMPORARY_WINDOW = "temporary_window"


class SiteState(StrEnum):
    """Where a site stands in its life."""

    PLANNED = "planned"
    PREPARING = "preparing"
    OPEN = "open"
    WINDING_DOWN = "winding_down"
    CLOSED = "closed"


class Weekday(StrEnum):
    """A day of the week, Monday first."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"

    @classmethod
    def of(cls, day: date) -> "Weekday":
        """The weekday of ``day``."""
        return tuple(cls)[day.weekday()]


class SiteName(Value):
    """The name of a site."""

    ja: str
    """In Japanese."""

    en: str
    """In English."""


class OpeningHours(Value):
    """When a site is open on a weekday; local time (Asia/Tokyo)."""

    weekday: Weekday
    """The day of the week."""

    opens: time
    """When the first citizen can be served."""

    closes: time
    """When the last has to be done."""

    occurrences: tuple[Annotated[int, Field(ge=1, le=5)], ...] = ()
    """Which of the month's such weekdays, as 2 and 4 for Saturdays; empty means each."""


class HoursException(Value):
    """Other hours on one day, instead of those of its weekday; local time (Asia/Tokyo)."""

    business_date: BusinessDate
    """The day."""

    opens: time | None = None
    """When it opens; none on a day when it stays closed."""

    closes: time | None = None
    """When it closes; none on a day when it stays closed."""


class Staffing(Value):
    """How many serve at counters on a weekday; local time (Asia/Tokyo)."""

    weekday: Weekday
    """The day of the week."""

    starts: time
    """From when."""

    ends: time
    """Until when."""

    people: Count
    """How many."""


class Acceptance(Value):
    """Whom a site serves with what, and in which period."""

    procedure: Procedure
    """What it does."""

    wards: tuple[WardRef, ...] | None = None
    """For residents of these wards; none means every ward."""

    from_date: BusinessDate | None = None
    """First day; none means the site's own first day."""

    until_date: BusinessDate | None = None
    """Last day; none means the site's own last day."""


class Site(Value):
    """A place where citizens are served."""

    site_id: SiteRef
    """Its id."""

    name: SiteName
    """What it is called."""

    kind: SiteKind
    """What sort of place it is."""

    state: SiteState
    """Where it stands in its life."""

    ward: WardRef
    """The ward it stands in."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    """Degrees north (WGS 84)."""

    longitude: Annotated[float, Field(ge=-180, le=180)]
    """Degrees east (WGS 84)."""

    opens_on: BusinessDate
    """First day of operation."""

    closes_on: BusinessDate | None = None
    """Last day of operation; none where no end is set."""

    selling: bool = True
    """Whether seats of a site that winds down are sold until its last day."""

    open_on_holidays: bool = False
    """Whether its hours hold on public holidays and from 29 December to 3 January too."""

    hours: tuple[OpeningHours, ...] = ()
    """Weekly hours."""

    exceptions: tuple[HoursException, ...] = ()
    """Days with other hours."""

    counters: Count
    """Counters."""

    terminals: Count
    """Terminals of the national system."""

    staff: tuple[Staffing, ...] = ()
    """Staff at counters through the week."""

    acceptance: tuple[Acceptance, ...] = ()
    """Whom it serves with what."""

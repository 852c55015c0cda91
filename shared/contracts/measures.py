"""How a quarter of an hour went at a site, in figures: the one event of issuance about no case."""

from enum import StrEnum

from shared.contracts.base import BusinessDate, Event, Instant, SiteRef, Value
from shared.contracts.place import Count


class Service(StrEnum):
    """What a counter's time goes to."""

    CARD_ISSUANCE = "card_issuance"
    CERTIFICATE_RENEWAL = "certificate_renewal"
    QUESTION = "question"


class ServiceStep(StrEnum):
    """A part of serving a case; each lasts from the end of the one before."""

    IDENTITY = "identity"
    PIN_SET = "pin_set"
    FINISH = "finish"


class ServiceTime(Value):
    """How long something took at counters, summed."""

    service: Service
    """What was served."""

    step: ServiceStep | None = None
    """The part of it; none for the whole."""

    count: Count
    """How often it was done."""

    seconds: Count
    """Seconds in all."""


class ServiceMeasured(Event):
    """A quarter of an hour at a site, in figures; told for a whole day at its sign-off."""

    type = "service.measured.v1"
    topic = "issuance.events"

    site_id: SiteRef
    """The site."""

    business_date: BusinessDate
    """The day."""

    starts_at: Instant
    """When the quarter of an hour begins."""

    booked: Count
    """Parties that came in booked time."""

    late: Count
    """Parties that came late."""

    walk_in: Count
    """Parties that came without a booking."""

    called: Count
    """Parties whose waiting ended."""

    waited_seconds: Count
    """Seconds that these had waited, in all."""

    longest_wait_seconds: Count
    """The longest of these waits."""

    service_times: tuple[ServiceTime, ...] = ()
    """What was served in this quarter, as a whole and step by step."""

    open_seconds: Count
    """Seconds that counters were open, in all."""

    busy_seconds: Count
    """Seconds that a party was at a counter, in all."""

    abandoned: Count
    """Cases given up."""

    deferred: Count
    """Cases that could not be finished."""

    expected: Count
    """Booked cases whose time begins in this quarter."""

    missed: Count
    """How many of these did not come."""

    @property
    def subject(self) -> str:
        """The site: its quarters keep their order."""
        return self.site_id

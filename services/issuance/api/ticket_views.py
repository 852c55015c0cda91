"""Tickets, counters and boards as callers see them."""

from datetime import date, datetime

from services.issuance.api.views import View, VisitView
from services.issuance.domain.counter import Counter, CounterState
from services.issuance.domain.ticket import Need, Purpose, Standing, Ticket
from services.issuance.domain.visit import VisitState
from shared.contracts.issuance import Arrival
from shared.ids import SiteId, VisitId


class TicketView(View):
    """A place in the queue."""

    visit_id: VisitId
    ticket: str
    """What is called, as ``A012``."""
    number: int
    site_id: SiteId
    business_date: date
    purposes: tuple[Purpose, ...]
    need: Need | None
    arrival: Arrival
    state: VisitState
    counter: str | None
    """Where it was called to."""
    only_counter: str | None
    """The one counter it waits for, if it was sent there."""
    starts_at: datetime | None
    """The booked time."""
    checked_in_at: datetime
    called_at: datetime | None
    ended_at: datetime | None
    calls: int
    """How often it was called."""
    skips: int
    """How often nobody came."""

    @classmethod
    def of(cls, ticket: Ticket, standing: Standing) -> "TicketView":
        """The view of ``ticket``."""
        return cls(
            visit_id=ticket.visit_id,
            ticket=ticket.label,
            number=ticket.number,
            site_id=ticket.site_id,
            business_date=ticket.business_date,
            purposes=ticket.purposes,
            need=ticket.need,
            arrival=standing.arrival,
            state=standing.state,
            counter=standing.counter,
            only_counter=ticket.only_counter,
            starts_at=ticket.starts_at,
            checked_in_at=standing.checked_in_at,
            called_at=standing.called_at,
            ended_at=standing.ended_at,
            calls=ticket.calls,
            skips=ticket.skips,
        )


class CounterView(View):
    """A counter and what it does."""

    site_id: SiteId
    counter: str
    purposes: tuple[Purpose, ...]
    state: CounterState
    changed_at: datetime
    visit_id: VisitId | None
    """The party that is at it."""

    @classmethod
    def of(cls, counter: Counter) -> "CounterView":
        """The view of ``counter``."""
        return cls.model_validate(counter)


class NextView(View):
    """Who was called; nobody where nobody waits whom this counter serves."""

    counter: str
    visit: VisitView | None


class CallView(View):
    """A ticket at a counter."""

    ticket: str
    counter: str
    calls: int
    """More than before: it was called again."""


class PlaceView(View):
    """A ticket that waits."""

    ticket: str
    minutes: int | None
    """Expected wait in minutes; none where no open counter serves it, or it is paused."""
    is_paused: bool
    """It is not called while the national system stops; staff say whether to wait or come again."""


class BoardView(View):
    """What a waiting room sees. Sent as the data of each event ``board``."""

    site_id: SiteId
    date: date
    called: tuple[CallView, ...]
    """The newest call first."""
    waiting: tuple[PlaceView, ...]
    """The next first."""
    expected: dict[Purpose, int]
    """Minutes that a party without a booking would wait if it came now."""
    counters_open: int
    stopped: tuple[Purpose, ...]
    """What nobody is called for while the national system stops."""
    stopped_until: dict[Purpose, datetime]
    """Until when, as far as that is known; nothing for what stands still by the calendar."""

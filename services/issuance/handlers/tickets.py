"""What a clerk looks at: tickets and counters. Every look is audited."""

from collections.abc import Sequence
from datetime import date

from services.issuance.domain.counter import Counter
from services.issuance.domain.ticket import Standing, Ticket
from services.issuance.handlers.counters import read as read_known
from services.issuance.handlers.queue import read_ticket
from services.issuance.handlers.reading import read_visit
from services.issuance.store import counters, tickets
from shared.ids import SiteId, VisitId
from shared.unit import Unit


async def list_day(
    unit: Unit, site_id: SiteId, day: date, after: int, limit: int
) -> list[tuple[Ticket, Standing]]:
    """The tickets of a day after number ``after``, each with its visit's state."""
    unit.audit("ticket.list", subject=site_id, site_id=site_id, day=day.isoformat())
    return await tickets.page(unit.conn, site_id, day, after, limit)


async def read(unit: Unit, visit_id: VisitId) -> tuple[Ticket, Standing]:
    """A ticket with its visit's state.

    Raises ``VisitUnknown``, ``Forbidden`` (site) and ``TicketUnknown``.
    """
    visit = await read_visit(unit, visit_id)
    ticket = await read_ticket(unit, visit_id)
    return ticket, Standing(
        arrival=visit.arrival,
        state=visit.state,
        counter=visit.counter,
        checked_in_at=visit.checked_in_at,
        called_at=visit.called_at,
        ended_at=visit.ended_at,
        version=visit.version,
    )


async def list_counters(unit: Unit, site_id: SiteId, after: str, limit: int) -> Sequence[Counter]:
    """The counters of a site after the one named ``after``."""
    return await counters.page(unit.conn, site_id, after, limit)


async def read_counter(unit: Unit, site_id: SiteId, counter: str) -> Counter:
    """One counter. Raises ``CounterUnknown``."""
    return await read_known(unit, site_id, counter)

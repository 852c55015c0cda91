"""The queue: the next party, and what else can become of a party that was called.

Two clerks who call in the same moment get two parties: each takes the row of the visit it calls,
waiting for whoever has it in hand, and goes on to the next where that one was called meanwhile.
"""

from dataclasses import dataclass

from services.issuance.domain.counter import CounterState, require_open
from services.issuance.domain.queue import Priorities, callable_at, in_order, is_paused
from services.issuance.domain.ticket import (
    Purpose,
    Ticket,
    TicketUnknown,
    require_absent,
    require_called,
    require_nothing_open,
)
from services.issuance.domain.visit import CaseState, Visit, VisitCase, require_running
from services.issuance.handlers import counters as counter_handlers
from services.issuance.handlers.counter import called, locked, record, reread, tell_completed
from services.issuance.handlers.deferring import abandonment
from services.issuance.store import counters, tickets, turns, visits
from shared.calendar import business_date
from shared.contracts.issuance import AbandonReason
from shared.ids import SiteId, VisitId
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class QueueRules:
    """Who goes first, and after how many unanswered calls a party has left."""

    priorities: Priorities
    skips_allowed: int


async def call_next(
    unit: Unit,
    site_id: SiteId,
    counter: str,
    rules: QueueRules,
    stopped: frozenset[Purpose] = frozenset(),
) -> Visit | None:
    """Call the next party to the counter; None where nobody waits whom it can serve.

    Who came only for what is ``stopped`` keeps waiting.

    While a party is at the counter it is the answer: a second click calls nobody else. Raises
    ``CounterUnknown`` and ``CounterNotOpen``.
    """
    known = await counter_handlers.locked(unit, site_id, counter)
    if known.visit_id is not None:
        return await reread(unit, known.visit_id)
    require_open(known)
    day = business_date(unit.now)
    waiting = await tickets.waiting(unit.conn, site_id, day)
    attended = await _attended(unit, site_id)
    going_on = [one for one in waiting if not is_paused(one.purposes, stopped)]
    queue = in_order(going_on, rules.priorities)
    for party in callable_at(queue, counter, frozenset(known.purposes), attended):
        if await tickets.take(unit.conn, party.visit_id):
            return await called(unit, await reread(unit, party.visit_id), counter)
    return None


async def recall(unit: Unit, visit_id: VisitId) -> Visit:
    """Show the call once more.

    Raises ``VisitUnknown``, ``Forbidden`` (site), ``VisitEnded``, ``NotCalled``.
    """
    visit = await locked(unit, visit_id)
    require_running(visit)
    require_called(visit)
    await tickets.called_again(unit.conn, visit_id)
    return await reread(unit, visit_id)


async def skip(unit: Unit, visit_id: VisitId, rules: QueueRules) -> Visit:
    """Nobody came to the call: the party waits again, behind; after too many it has left.

    Raises ``VisitUnknown``, ``Forbidden`` (site), ``VisitEnded``, ``NotCalled``,
    ``BeingServed`` and ``TicketUnknown``.
    """
    visit = await locked(unit, visit_id)
    require_running(visit)
    require_absent(visit)
    ticket = await read_ticket(unit, visit_id)
    await turns.end(unit.conn, visit_id, unit.now, "skipped")
    await tickets.skipped(unit.conn, visit_id, unit.now)
    _record(unit, "visit.skip", visit)
    if ticket.skips >= rules.skips_allowed:
        return await _left(unit, visit)
    return await reread(unit, visit_id)


async def transfer(unit: Unit, visit_id: VisitId, counter: str | None) -> Visit:
    """Send a party that was called to another counter, or back to wait for any.

    Raises ``VisitUnknown``, ``Forbidden`` (site), ``VisitEnded``, ``NotCalled``,
    ``TicketUnknown``, and ``CounterUnknown`` or ``CounterNotOpen`` where that counter is closed.
    """
    visit = await locked(unit, visit_id)
    require_running(visit)
    require_called(visit)
    await read_ticket(unit, visit_id)
    if counter is not None:
        target = await counter_handlers.read(unit, visit.site_id, counter)
        if target.state is CounterState.CLOSED:
            require_open(target)
    await turns.end(unit.conn, visit_id, unit.now, "moved")
    await tickets.moved(unit.conn, visit_id, counter, unit.now)
    _record(unit, "visit.transfer", visit)
    return await reread(unit, visit_id)


async def leave(unit: Unit, visit_id: VisitId) -> Visit:
    """The party has left: what is open is abandoned.

    Raises ``VisitUnknown``, ``Forbidden`` (site) and ``VisitEnded``.
    """
    visit = await locked(unit, visit_id)
    require_running(visit)
    return await _left(unit, visit)


async def done(unit: Unit, visit_id: VisitId) -> Visit:
    """A question was answered: end a visit that has no open case.

    Raises ``VisitUnknown``, ``Forbidden`` (site), ``VisitEnded``, ``NotCalled``, ``CasesOpen``.
    """
    visit = await locked(unit, visit_id)
    require_running(visit)
    require_called(visit)
    require_nothing_open(visit)
    await visits.end(unit.conn, visit_id, unit.now)
    _record(unit, "visit.done", visit)
    return await reread(unit, visit_id)


async def read_ticket(unit: Unit, visit_id: VisitId) -> Ticket:
    """The ticket of a visit. Raises ``TicketUnknown``."""
    ticket = await tickets.find(unit.conn, visit_id)
    if ticket is None:
        raise TicketUnknown
    return ticket


async def _attended(unit: Unit, site_id: SiteId) -> frozenset[str]:
    known = await counters.of_site(unit.conn, site_id)
    return frozenset(one.counter for one in known if one.state is not CounterState.CLOSED)


async def _left(unit: Unit, visit: Visit) -> Visit:
    for case in visit.cases:
        if case.state is CaseState.OPEN:
            await _abandon(unit, visit, case)
    await visits.end(unit.conn, visit.visit_id, unit.now)
    ended = await reread(unit, visit.visit_id)
    tell_completed(unit, ended)
    _record(unit, "visit.leave", visit)
    return ended


async def _abandon(unit: Unit, visit: Visit, case: VisitCase) -> None:
    reason = AbandonReason.LEFT
    await visits.close_case(
        unit.conn,
        visit.visit_id,
        case.case_id,
        CaseState.ABANDONED,
        at=unit.now,
        reason=reason,
    )
    unit.emit(abandonment(visit, case, reason))
    record(unit, "case.abandon", visit, case)


def _record(unit: Unit, action: str, visit: Visit) -> None:
    unit.audit(action, subject=str(visit.visit_id), site_id=visit.site_id)

"""The board of a site: read whole, from the same tables that the queue is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.issuance.domain.board import Board, Call, called_first, minutes, places
from services.issuance.domain.counter import Counter, CounterState
from services.issuance.domain.estimate import OpenCounter, ServiceTimes, duration, waits
from services.issuance.domain.national_system import NationalRules
from services.issuance.domain.queue import Priorities, Waiting, in_order, is_paused
from services.issuance.domain.ticket import Purpose, label
from services.issuance.handlers import national_system
from services.issuance.store import board, counters, tickets
from shared.calendar import business_date
from shared.contracts.issuance import Arrival
from shared.db import Connection
from shared.ids import SiteId, VisitId, new_id


@dataclass(frozen=True, slots=True)
class Outlook:
    """What estimates are made with: the order of the queue, and times while none were measured."""

    priorities: Priorities
    default_times: Mapping[Purpose, timedelta]
    national: NationalRules


async def read_board(conn: Connection, site_id: SiteId, now: datetime, outlook: Outlook) -> Board:
    """The board of a site as it is at ``now``."""
    day = business_date(now)
    queue = in_order(await tickets.waiting(conn, site_id, day), outlook.priorities)
    calls = await board.calls(conn, site_id, day)
    known = await counters.of_site(conn, site_id)
    times = {**outlook.default_times, **await board.times(conn, site_id)}
    serving = _open(known, calls, times, now)
    standing = await national_system.read(conn, site_id, now, outlook.national)
    stopped = standing.purposes
    # Nobody can say when who came only for what stops will be called.
    paused = {party.visit_id for party in queue if is_paused(party.purposes, stopped)}
    going_on = [party for party in queue if party.visit_id not in paused]
    expected = waits(going_on, serving, times, now)
    labels = [(party.visit_id, label(party.purposes, party.number)) for party in queue]
    return Board(
        site_id=site_id,
        date=day,
        called=called_first((at, call) for at, call, _ in calls),
        waiting=places(labels, expected, paused),
        expected=_if_coming_now(going_on, serving, times, now, but=stopped),
        counters_open=len(serving),
        stopped=tuple(purpose for purpose in Purpose if purpose in stopped),
        stopped_until=standing.goes_on,
    )


def _open(
    known: list[Counter],
    calls: list[tuple[datetime, Call, frozenset[Purpose]]],
    times: ServiceTimes,
    now: datetime,
) -> list[OpenCounter]:
    """The open counters, each free when its party has had its time."""
    done = {call.counter: at + duration(purposes, times) for at, call, purposes in calls}
    return [
        OpenCounter(one.counter, frozenset(one.purposes), done.get(one.counter, now))
        for one in known
        if one.state is CounterState.OPEN
    ]


def _if_coming_now(
    queue: list[Waiting],
    serving: list[OpenCounter],
    times: ServiceTimes,
    now: datetime,
    *,
    but: frozenset[Purpose],
) -> dict[Purpose, int]:
    """For each purpose, the minutes that a walk-in at the end of the queue would wait."""
    found = {}
    for purpose in (one for one in Purpose if one not in but):
        last = Waiting(VisitId(new_id()), 0, frozenset({purpose}), Arrival.WALK_IN, now)
        wait = waits([*queue, last], serving, times, now).get(last.visit_id)
        if wait is not None:
            found[purpose] = minutes(wait)
    return found

"""What sites' days go through, in any order, and what must be known of it: the oracle.

``seats_of``, ``visits_of`` and ``transfers_of`` read a history in plain Python, by the rules of the
room's README.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from services.reporting.domain.told import Told
from shared.contracts.base import CaseEvent, Event, Procedure
from shared.contracts.issuance import (
    Arrival,
    VisitAbandoned,
    VisitCalled,
    VisitCheckedIn,
    VisitCompleted,
    VisitDeferred,
)
from shared.contracts.preparation import CardArrived, CardDispatched, CardTransferFailed
from shared.contracts.reservation import (
    BookingCancelled,
    BookingConfirmed,
    BookingFulfilled,
    BookingMissed,
    BookingMoved,
)
from shared.ids import derived_id
from tests.contracts.samples import SAMPLES
from tests.reporting.histories import SITES, Happening, case_of, tokyo, told
from tests.reporting.strategies import batches_of

Row = dict[str, Any]
KINDS: tuple[type[CaseEvent], ...] = (
    *(BookingConfirmed, BookingMoved, BookingCancelled, BookingMissed, BookingFulfilled),
    *(VisitCheckedIn, VisitCalled, VisitCompleted, VisitDeferred, VisitAbandoned),
    *(CardDispatched, CardArrived, CardTransferFailed),
)
MOMENTS = st.integers(0, 30).map(lambda n: tokyo(2026, 4, 1, 20) + timedelta(minutes=20 * n))
VARIED: dict[str, st.SearchStrategy[Any]] = {
    "site_id": st.sampled_from(SITES),
    "from_site_id": st.sampled_from(SITES),
    "to_site_id": st.sampled_from(SITES),
    "procedure": st.sampled_from(Procedure),
    "arrival": st.sampled_from(Arrival),
    "counter": st.sampled_from(("1", "2", "9")),
    "minutes": st.sampled_from((20, 40)),
    "starts_at": MOMENTS,
    "due_on": st.integers(0, 3).map(lambda n: date(2026, 4, 1) + timedelta(days=n)),
}
_ENDS: dict[type[Event], str] = {
    BookingCancelled: "cancelled",
    BookingMissed: "missed",
    BookingFulfilled: "fulfilled",
}
_VISIT_ENDS: dict[type[Event], str] = {
    VisitCompleted: "completed",
    VisitDeferred: "deferred",
    VisitAbandoned: "abandoned",
}


@st.composite
def happenings(draw: st.DrawFn) -> tuple[CaseEvent, datetime, str]:
    """Something that happened to the booking, visit or transfer of one of two cases."""
    kind = draw(st.sampled_from(KINDS))
    sample = SAMPLES[kind.type]
    values = {name: draw(VARIED[name]) for name in kind.model_fields if name in VARIED}
    case_id = case_of(draw(st.integers(1, 2)))
    own = {name: derived_id(case_id, name) for name in ("booking_id", "visit_id", "batch_id")}
    values |= {name: value for name, value in own.items() if name in kind.model_fields}
    event = sample.model_copy(update={"case_id": case_id} | values)
    assert isinstance(event, CaseEvent)
    return event, draw(MOMENTS), kind.topic


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Happening], list[list[Happening]]]:
    """A history, and batches in which all of it comes: in any order, some of it more than once."""
    history = told(draw(st.lists(happenings(), max_size=20)))
    return history, draw(batches_of(history))


def seats_of(history: Sequence[Happening]) -> dict[UUID, Row]:
    """What is known of each booking."""
    known: dict[UUID, Row] = {}
    for one in _ordered(history):
        event = one.event
        if isinstance(event, BookingConfirmed | BookingMoved):
            row = known.setdefault(event.booking_id, {})
            row.setdefault("booked_at", one.at)
            row |= event.model_dump(include={"site_id", "starts_at", "minutes", "procedure"})
        elif isinstance(event, BookingCancelled | BookingMissed | BookingFulfilled):
            row = known.setdefault(event.booking_id, {})
            row.setdefault(f"{_ENDS[type(event)]}_at", one.at)
    return known


def visits_of(history: Sequence[Happening]) -> dict[UUID, Row]:
    """What is known of each visit (here of one case)."""
    known: dict[UUID, Row] = {}
    for one in _ordered(history):
        event = one.event
        if isinstance(event, VisitCheckedIn):
            row = _at_site(known, event)
            first = (one.at, str(event.procedure), str(event.arrival))
            row["checked_in"] = min(row.get("checked_in", first), first)
        elif isinstance(event, VisitCalled):
            row = _at_site(known, event)
            row.setdefault("first_called_at", one.at)
            row |= {"last_called_at": one.at, "counter": event.counter}
        elif isinstance(event, VisitCompleted | VisitDeferred | VisitAbandoned):
            _at_site(known, event).setdefault(f"{_VISIT_ENDS[type(event)]}_at", one.at)
    return known


def transfers_of(history: Sequence[Happening]) -> dict[UUID, Row]:
    """What is known of each card under way."""
    known: dict[UUID, Row] = {}
    for one in _ordered(history):
        event = one.event
        if isinstance(event, CardDispatched):
            row = known.setdefault(event.batch_id, {})
            first = (one.at, event.from_site_id, event.to_site_id, event.due_on)
            row["dispatched"] = min(row.get("dispatched", first), first)
        elif isinstance(event, CardArrived | CardTransferFailed) and event.batch_id:
            end = "arrived_at" if isinstance(event, CardArrived) else "failed_at"
            known.setdefault(event.batch_id, {}).setdefault(end, one.at)
    return known


def _ordered(history: Sequence[Happening]) -> list[Happening]:
    return sorted(set(history), key=lambda h: Told(h.at, h.sequence, h.id))


def _at_site(known: dict[UUID, Row], event: Any) -> Row:
    row = known.setdefault(event.visit_id, {"site_id": event.site_id})
    row["site_id"] = min(row["site_id"], event.site_id)
    return row

"""Histories of a few cases, and the ways in which Kafka may deliver them."""

import itertools
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from shared.contracts import issuance, preparation, reservation
from shared.contracts.base import CaseEvent, CaseKind, CaseOpened, Procedure
from tests.contracts.samples import BOOKING, SAMPLES
from tests.reporting.histories import SITES, WARDS, Happening, case_of, tokyo, told

MOMENTS = st.one_of(
    st.sampled_from(
        [
            tokyo(2026, 3, 31, 23, 59, second=59),
            tokyo(2026, 4, 1),
            tokyo(2026, 4, 30, 23, 59, second=59),
            tokyo(2026, 5, 1),
        ]
    ),
    st.integers(0, 400).map(lambda hours: tokyo(2026, 4, 1) + timedelta(hours=hours)),
)
DAYS = st.integers(0, 60).map(lambda days: date(2026, 3, 1) + timedelta(days=days))
KINDS: tuple[type[CaseEvent], ...] = (
    CaseOpened,
    preparation.CardApplied,
    preparation.CardShipped,
    preparation.CardReceived,
    preparation.CardHeld,
    preparation.CardReleased,
    preparation.CardPreset,
    preparation.CardNotified,
    preparation.CardVoided,
    reservation.BookingConfirmed,
    reservation.BookingCancelled,
    issuance.VisitCheckedIn,
    issuance.CardIssued,
    issuance.CertificateRenewed,
)
VARIED: dict[str, st.SearchStrategy[Any]] = {
    "ward": st.sampled_from(WARDS),
    "site_id": st.sampled_from(SITES),
    "procedure": st.sampled_from(Procedure),
    "kind": st.sampled_from(CaseKind),
    "applied_on": DAYS,
    "shipped_on": DAYS,
    "pickup_deadline": DAYS,
    "card_expires_on": DAYS,
    "old_card_expires_on": st.none() | DAYS,
    "booking_id": st.none() | st.just(BOOKING),
}
NEEDS_ITS_BOOKING = (reservation.BookingConfirmed, reservation.BookingCancelled)


@st.composite
def happenings(
    draw: st.DrawFn, kinds: tuple[type[CaseEvent], ...] = KINDS
) -> tuple[CaseEvent, datetime, str]:
    """Something that happened to one of three cases; the sample with other values."""
    kind = draw(st.sampled_from(kinds))
    sample = SAMPLES[kind.type]
    values = {name: draw(VARIED[name]) for name in kind.model_fields if name in VARIED}
    if kind in NEEDS_ITS_BOOKING:
        values["booking_id"] = BOOKING
    event = sample.model_copy(update={"case_id": case_of(draw(st.integers(1, 3)))} | values)
    assert isinstance(event, CaseEvent)
    topic = kind.topic or draw(st.sampled_from(["preparation.events", "issuance.events"]))
    return event, draw(MOMENTS), topic


@st.composite
def deliveries(
    draw: st.DrawFn, kinds: tuple[type[CaseEvent], ...] = KINDS
) -> tuple[list[Happening], list[list[Happening]]]:
    """A history, and batches in which all of it comes: in any order, some of it more than once."""
    history = told(draw(st.lists(happenings(kinds), max_size=24)))
    return history, draw(batches_of(history))


@st.composite
def batches_of(draw: st.DrawFn, history: list[Happening]) -> list[list[Happening]]:
    """``history`` as Kafka may deliver it."""
    again = draw(st.lists(st.sampled_from(history), max_size=8)) if history else []
    stream = draw(st.permutations(history + again))
    cuts = sorted(draw(st.sets(st.integers(0, len(stream)), max_size=4)))
    edges = [0, *cuts, len(stream)]
    batches = [list(stream[a:b]) for a, b in itertools.pairwise(edges)]
    return [batch for batch in batches if batch]

"""Bookings and their seats: of a seat the latest telling counts, of an end the earliest.

An end that is told before its booking waits in its row for the seat (merged as ``store.merging``
says).
"""

from datetime import datetime
from enum import StrEnum

from services.reporting.domain.told import Told
from services.reporting.store.merging import Batch, Piece, Rule, Table
from shared.contracts.reservation import Seated
from shared.ids import BookingId, CaseId

NO_SHOW = "missed_at IS NOT NULL AND fulfilled_at IS NULL AND cancelled_at IS NULL"
"""Nobody came for the booking. Who was served late, or came in vain after giving it up, did come,
whatever is told first; another booking of the same case changes nothing (decision 0024)."""


class Ending(StrEnum):
    """How a booking ended; the values are the columns."""

    CANCELLED = "cancelled_at"
    MISSED = "missed_at"
    FULFILLED = "fulfilled_at"


_CASE = Piece(Rule.LEAST, (("case_id", "uuid"),))
_SEAT = Piece(
    Rule.GREATEST,
    (
        ("told_at", "timestamptz"),
        ("told_sequence", "bigint"),
        ("told_event", "uuid"),
        ("site_id", "text"),
        ("starts_at", "timestamptz"),
        ("minutes", "int"),
        ("procedure", "text"),
    ),
    told_by=3,
)
_TIMES = Piece(
    Rule.LEAST, tuple((name, "timestamptz") for name in ("booked_at", *(each for each in Ending)))
)
_FACTS = Table("booking_fact", (("booking_id", "uuid"),), _CASE, _SEAT, _TIMES)


def batch() -> Batch:
    """An empty batch of facts about bookings."""
    return Batch(_FACTS)


def seat(facts: Batch, told: Told, event: Seated) -> None:
    """Where and when a booking has its seat."""
    key = (event.booking_id,)
    facts.tell(key, _CASE, {"case_id": event.case_id})
    facts.tell(
        key,
        _SEAT,
        {
            "told_at": told.at,
            "told_sequence": told.sequence,
            "told_event": told.event,
            "site_id": event.site_id,
            "starts_at": event.starts_at,
            "minutes": event.minutes,
            "procedure": event.procedure,
        },
    )
    facts.tell(key, _TIMES, {"booked_at": told.at})


def end(facts: Batch, ending: Ending, booking_id: BookingId, case_id: CaseId, at: datetime) -> None:
    """When the booking was given up, missed or used."""
    facts.tell((booking_id,), _CASE, {"case_id": case_id})
    facts.tell((booking_id,), _TIMES, {ending.value: at})

"""Facts about cases, one row each, and how two tellings of a fact become one.

A ``Batch`` of them is merged and written as ``store.merging`` says: the same row in any order and
however often.
"""

from datetime import date, datetime

from services.reporting.domain.milestones import Milestone
from services.reporting.domain.told import Told
from services.reporting.store.merging import Batch, Piece, Rule, Table
from shared.contracts.base import CaseOpened
from shared.contracts.issuance import ProcedureEnded
from shared.contracts.preparation import CardNotified
from shared.ids import CaseId, WardCode

_OPENED = Piece(
    Rule.LEAST,
    (
        ("opened_at", "timestamptz"),
        ("opened_event", "uuid"),
        ("procedure", "text"),
        ("kind", "text"),
    ),
    told_by=2,
)
_WARD = Piece(
    Rule.GREATEST,
    (
        ("ward_at", "timestamptz"),
        ("ward_sequence", "bigint"),
        ("ward_event", "uuid"),
        ("ward", "text"),
    ),
    told_by=3,
)
_DAYS = Piece(Rule.LEAST, (("applied_on", "date"), ("shipped_on", "date")))
_VALIDITY = Piece(Rule.GREATEST, (("card_expires_on", "date"), ("old_card_expires_on", "date")))
_NOTICE = Piece(
    Rule.GREATEST,
    (
        ("notice_at", "timestamptz"),
        ("notice_sequence", "bigint"),
        ("notice_event", "uuid"),
        ("notice_site", "text"),
        ("notice_deadline", "date"),
    ),
    told_by=3,
)
_COMPLETED = Piece(
    Rule.LEAST,
    (
        ("completed_at", "timestamptz"),
        ("completed_event", "uuid"),
        ("completed_procedure", "text"),
        ("completed_kind", "text"),
        ("completed_ward", "text"),
        ("completed_site", "text"),
        ("completed_booked", "boolean"),
    ),
    told_by=2,
)


def _times(*milestones: Milestone) -> Piece:
    return Piece(Rule.LEAST, tuple((_column(each), "timestamptz") for each in milestones))


def _column(milestone: Milestone) -> str:
    return f"{milestone}_at"


# What comes on one day of a case is one piece, so that statements are few and name few columns in
# vain; what is rare is the last.
_PREPARED = _times(
    Milestone.RECEIVED,
    Milestone.INSPECTED,
    Milestone.REGISTRY_CHECKED,
    Milestone.PRESET,
    Milestone.SHELVED,
    Milestone.NOTIFIED,
)
_SERVED = _times(
    Milestone.BOOKED,
    Milestone.CHECKED_IN,
    Milestone.CALLED,
    Milestone.SERVED,
    Milestone.BOOKING_FULFILLED,
)
_OFTEN = {name for piece in (_PREPARED, _SERVED) for name in piece.names}
_RARE = _times(*(each for each in Milestone if _column(each) not in _OFTEN))
_TIME_OF = {
    each: next(
        (piece, _column(each))
        for piece in (_PREPARED, _SERVED, _RARE)
        if _column(each) in piece.names
    )
    for each in Milestone
}

_FACTS = Table(
    "case_fact",
    (("case_id", "uuid"),),
    *(_OPENED, _WARD, _DAYS, _VALIDITY, _NOTICE, _COMPLETED, _PREPARED, _SERVED, _RARE),
)


def batch() -> Batch:
    """An empty batch of facts about cases."""
    return Batch(_FACTS)


def open_(facts: Batch, told: Told, event: CaseOpened) -> None:
    """Procedure and kind; the earliest telling counts."""
    facts.tell(
        (event.case_id,),
        _OPENED,
        {
            "opened_at": told.at,
            "opened_event": told.event,
            "procedure": event.procedure,
            "kind": event.kind,
        },
    )


def reside(facts: Batch, told: Told, case_id: CaseId, ward: WardCode) -> None:
    """The ward of residence; the latest telling counts."""
    facts.tell(
        (case_id,),
        _WARD,
        {
            "ward_at": told.at,
            "ward_sequence": told.sequence,
            "ward_event": told.event,
            "ward": ward,
        },
    )


def apply(facts: Batch, case_id: CaseId, day: date) -> None:
    """The day of the application; the earliest counts."""
    facts.tell((case_id,), _DAYS, {"applied_on": day})


def ship(facts: Batch, case_id: CaseId, day: date) -> None:
    """The day of shipment; the earliest counts."""
    facts.tell((case_id,), _DAYS, {"shipped_on": day})


def reach(facts: Batch, case_id: CaseId, milestone: Milestone, at: datetime) -> None:
    """When a milestone was reached; the earliest counts."""
    piece, column = _TIME_OF[milestone]
    facts.tell((case_id,), piece, {column: at})


def expire(facts: Batch, case_id: CaseId, card: date, old_card: date | None = None) -> None:
    """Last days of validity of the card and of the one it replaces; the latest day counts."""
    days = {"card_expires_on": card, "old_card_expires_on": old_card}
    facts.tell((case_id,), _VALIDITY, days)


def notify(facts: Batch, told: Told, event: CardNotified) -> None:
    """Where the card lies and until when it can be collected; the latest telling counts."""
    facts.tell(
        (event.case_id,),
        _NOTICE,
        {
            "notice_at": told.at,
            "notice_sequence": told.sequence,
            "notice_event": told.event,
            "notice_site": event.site_id,
            "notice_deadline": event.pickup_deadline,
        },
    )


def complete(facts: Batch, told: Told, event: ProcedureEnded) -> None:
    """The completion with all it is counted by; the earliest counts, so a case counts once."""
    facts.tell(
        (event.case_id,),
        _COMPLETED,
        {
            "completed_at": told.at,
            "completed_event": told.event,
            "completed_procedure": event.procedure,
            "completed_kind": event.kind,
            "completed_ward": event.ward,
            "completed_site": event.site_id,
            "completed_booked": event.booking_id is not None,
        },
    )

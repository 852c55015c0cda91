"""Cases in visits: each moment is the earliest that was told, only a call the latest too (merged as
``store.merging`` says).
"""

from datetime import datetime
from enum import StrEnum

from services.reporting.store.merging import Batch, Piece, Rule, Table
from shared.contracts.base import Procedure
from shared.contracts.issuance import Arrival, VisitEvent


class Ending(StrEnum):
    """How a visit ended for a case; the values are the columns."""

    COMPLETED = "completed_at"
    DEFERRED = "deferred_at"
    ABANDONED = "abandoned_at"


_SITE = Piece(Rule.LEAST, (("site_id", "text"),))
_CHECK_IN = Piece(
    Rule.LEAST,
    (("checked_in_at", "timestamptz"), ("procedure", "text"), ("arrival", "text")),
    told_by=3,
)
_LAST_CALL = Piece(
    Rule.GREATEST,
    (("last_called_at", "timestamptz"), ("last_called_seq", "bigint"), ("counter", "text")),
    told_by=2,
)
_TIMES = Piece(
    Rule.LEAST, tuple((name, "timestamptz") for name in ("first_called_at", *(e for e in Ending)))
)
_FACTS = Table(
    "visit_fact",
    (("visit_id", "uuid"), ("case_id", "uuid")),
    *(_SITE, _CHECK_IN, _LAST_CALL, _TIMES),
)


def batch() -> Batch:
    """An empty batch of facts about visits."""
    return Batch(_FACTS)


def check_in(
    facts: Batch, event: VisitEvent, at: datetime, procedure: Procedure, arrival: Arrival
) -> None:
    """The citizen is here: what for, and whether expected."""
    came = {"checked_in_at": at, "procedure": procedure, "arrival": arrival}
    facts.tell(_place(facts, event), _CHECK_IN, came)


def call(facts: Batch, event: VisitEvent, at: datetime, counter: str, sequence: int) -> None:
    """The citizen was called to a counter; ``sequence`` orders calls of the same time."""
    key = _place(facts, event)
    last = {"last_called_at": at, "last_called_seq": sequence, "counter": counter}
    facts.tell(key, _LAST_CALL, last)
    facts.tell(key, _TIMES, {"first_called_at": at})


def end(facts: Batch, ending: Ending, event: VisitEvent, at: datetime) -> None:
    """The case was served, has to come again, or was given up."""
    facts.tell(_place(facts, event), _TIMES, {ending.value: at})


def _place(facts: Batch, event: VisitEvent) -> tuple[object, object]:
    """The row of the visit, which lies at a site whatever is told of it first."""
    key = (event.visit_id, event.case_id)
    facts.tell(key, _SITE, {"site_id": event.site_id})
    return key

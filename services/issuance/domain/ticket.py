"""A ticket is a visit's place in the queue: a number of its site and day that says nothing of who
holds it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from services.issuance.domain.visit import CaseState, Visit, VisitState
from shared.contracts.base import Procedure
from shared.contracts.issuance import Arrival
from shared.errors import Conflict, NotFound, Text
from shared.ids import SiteId, VisitId


class Purpose(StrEnum):
    """What a party came for."""

    CARD_ISSUANCE = "card_issuance"
    CERTIFICATE_RENEWAL = "certificate_renewal"
    QUESTION = "question"


class Need(StrEnum):
    """Why a party is served sooner; shown to staff alone."""

    WHEELCHAIR = "wheelchair"
    PARENT = "parent"


@dataclass(frozen=True, slots=True)
class Ticket:
    """The place of a visit. ``skips`` counts calls that nobody answered, ``calls`` all calls."""

    visit_id: VisitId
    site_id: SiteId
    business_date: date
    number: int
    purposes: tuple[Purpose, ...]
    need: Need | None
    starts_at: datetime | None
    skips: int = 0
    skipped_at: datetime | None = None
    only_counter: str | None = None
    transferred_at: datetime | None = None
    calls: int = 0
    first_called_at: datetime | None = None

    @property
    def label(self) -> str:
        """As it is printed and called."""
        return label(self.purposes, self.number)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the visit of a ticket stands; ``version`` is the visit's."""

    arrival: Arrival
    state: VisitState
    counter: str | None
    checked_in_at: datetime
    called_at: datetime | None
    ended_at: datetime | None
    version: int


_LETTERS = {Purpose.CARD_ISSUANCE: "A", Purpose.CERTIFICATE_RENEWAL: "B", Purpose.QUESTION: "C"}


def label(purposes: Iterable[Purpose], number: int) -> str:
    """``A012``: a letter for what the party came for first, and its number of the day."""
    return f"{_LETTERS[min(purposes, key=list(Purpose).index)]}{number:03d}"


def purposes_of(procedures: Iterable[Procedure]) -> tuple[Purpose, ...]:
    """What a party with these procedures came for; with none, a question."""
    wanted = {Purpose(procedure.value) for procedure in procedures} or {Purpose.QUESTION}
    return tuple(purpose for purpose in Purpose if purpose in wanted)


class TicketUnknown(NotFound):
    """The visit has no ticket."""

    slug = "ticket-not-known"
    title = Text("There is no such ticket", "該当する受付番号がありません")


class NotCalled(Conflict):
    """Only a party that was called can be called again, skipped or sent on."""

    slug = "not-called"
    title = Text("This ticket has not been called", "この番号はまだ呼び出されていません")
    remedy = Text("Call it first.", "先に呼び出してください。")


class BeingServed(Conflict):
    """The party is at the counter: it cannot have missed its call."""

    slug = "being-served"
    title = Text("This party is being served", "この方は対応中です")
    remedy = Text(
        "Finish, defer or send the party on instead.",
        "手続を進めるか、延期または別の窓口への案内をしてください。",
    )


class CasesOpen(Conflict):
    """A visit with open cases is not simply done."""

    slug = "cases-open"
    title = Text("Cases of this visit are still open", "この来庁には完了していない手続があります")
    remedy = Text(
        "Finish or defer each case, or say that the party has left.",
        "各手続を完了または延期するか、退庁として記録してください。",
    )


def require_called(visit: Visit) -> None:
    """Raise ``NotCalled`` unless the party was called and has not ended."""
    if visit.state is not VisitState.CALLED:
        raise NotCalled


def require_absent(visit: Visit) -> None:
    """Raise ``NotCalled``, or ``BeingServed`` once anything was done for the party."""
    require_called(visit)
    if any(case.is_begun for case in visit.cases):
        raise BeingServed
    if any(case.state is CaseState.DONE for case in visit.cases):
        raise BeingServed


def require_nothing_open(visit: Visit) -> None:
    """Raise ``CasesOpen`` while a case of the visit is open."""
    if any(case.state is CaseState.OPEN for case in visit.cases):
        raise CasesOpen

"""Rows of ``visits:batch`` that are single commands, each with the moment at which it happened."""

from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, model_validator

from services.issuance.api.bodies import Body, CounterName, ShownDocument
from services.issuance.api.renewal_rows import RenewalRow
from services.issuance.api.step_bodies import OldCardSeen, ProxyShown
from services.issuance.api.who import Who, one_of
from services.issuance.domain.counter import CounterState
from shared.contracts.base import BusinessDate, Certificate, Instant, SiteRef
from shared.contracts.issuance import DeferReason
from shared.ids import BookingId, CaseId, VisitId


class PartyCase(Body):
    """A case that was let in at a satellite."""

    case_id: CaseId
    """The case."""

    booking_id: BookingId | None = None
    """Its booking; none for a walk-in."""


class CheckInRow(Who):
    """As POST /v1/visits and POST /v1/tickets; with nobody named, a question."""

    verb: Literal["check_in"]

    occurred_at: Instant
    """When the party came."""

    party: Annotated[tuple[PartyCase, ...], Field(max_length=20)] = ()
    """In a satellite's journal: every case that was let in there."""

    @model_validator(mode="after")
    def _names_at_most_one(self) -> Self:
        if self.names > 1:
            raise one_of()
        return self


class _VisitRow(Body):
    visit_id: VisitId
    """The visit."""

    occurred_at: Instant
    """When it happened."""


class _CaseRow(_VisitRow):
    case_id: CaseId
    """The case of the visit."""


class CallRow(_VisitRow):
    """As POST /v1/visits/{visit_id}:call."""

    verb: Literal["call"]
    counter: CounterName
    """As its sign says."""


class IdentityRow(_CaseRow):
    """As POST …/identity."""

    verb: Literal["identity"]
    documents: Annotated[tuple[ShownDocument, ...], Field(min_length=1, max_length=8)]
    """All that were shown."""


class ProxyRow(_CaseRow, ProxyShown):
    """As POST …/proxy."""

    verb: Literal["proxy"]


class OldCardRow(_CaseRow, OldCardSeen):
    """As POST …/old-card."""

    verb: Literal["old_card"]


class ReceiptRow(_CaseRow):
    """As POST …/receipt."""

    verb: Literal["receipt"]


class PinSetRow(_CaseRow):
    """As POST …/pin-set."""

    verb: Literal["pin_set"]


class IssueRow(_CaseRow):
    """As POST …/issue."""

    verb: Literal["issue"]


class RenewRow(_CaseRow):
    """As POST …/renew."""

    verb: Literal["renew"]
    certificates: Annotated[tuple[Certificate, ...], Field(min_length=1, max_length=2)]
    """What was written."""


class DeferRow(_CaseRow):
    """As POST …/defer."""

    verb: Literal["defer"]
    reason: DeferReason
    """What is missing."""


class LeaveRow(_VisitRow):
    """As POST /v1/tickets/{visit_id}:leave."""

    verb: Literal["leave"]


class DoneRow(_VisitRow):
    """As POST /v1/tickets/{visit_id}:done."""

    verb: Literal["done"]


class _DayRow(Body):
    site_id: SiteRef
    """The site."""

    date: BusinessDate
    """The date in Japan."""

    occurred_at: Instant
    """When it happened."""


class CountRow(_DayRow):
    """In a satellite's journal: as POST …/day/cards:count."""

    verb: Literal["count"]
    back: Annotated[tuple[CaseId, ...], Field(max_length=500)] = ()
    """Cases whose cards lie on their shelf again."""

    missing: Annotated[tuple[CaseId, ...], Field(max_length=500)] = ()
    """Cases whose cards cannot be found."""


class SignOffRow(_DayRow):
    """In a satellite's journal: as POST …/day:sign-off."""

    verb: Literal["sign_off"]


class CounterRow(Body):
    """In a satellite's journal: a counter opened, paused or closed.

    Only how long it was open counts here, for the day's measures.
    """

    verb: Literal["counter"]

    site_id: SiteRef
    """The site."""

    counter: CounterName
    """As its sign says."""

    state: CounterState
    """What it became."""

    occurred_at: Instant
    """When it happened."""


class UnreadRow(Body):
    """In a satellite's journal: an entry that was refused as unreadable, told as it stands.

    It opens a conflict; recording that works it, once the release here has words for it.
    """

    verb: Literal["unread"]

    visit_id: VisitId | None = None
    """The visit that it names."""

    entry: Annotated[dict[str, JsonValue], Field(max_length=50)]
    """The row as the satellite wrote it."""


StepRow = (
    RenewalRow
    | UnreadRow
    | CheckInRow
    | CountRow
    | SignOffRow
    | CounterRow
    | CallRow
    | IdentityRow
    | ProxyRow
    | OldCardRow
    | ReceiptRow
    | PinSetRow
    | IssueRow
    | RenewRow
    | DeferRow
    | LeaveRow
    | DoneRow
)

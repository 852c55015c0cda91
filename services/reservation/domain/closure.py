"""A closure: a change of one site that takes booked seats away, and what becomes of the bookings.

Invariant: a displaced booking keeps its seat until another is its own or its citizen gives it up;
it ends as exactly one of moved, chosen, cancelled, phone list, or kept where the seat came back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NewType
from uuid import UUID

from services.reservation.domain.rules import Rules
from shared.calendar import business_date
from shared.contracts.base import Procedure
from shared.contracts.place import Site, SiteState
from shared.contracts.reservation import CancelReason, MoveReason
from shared.errors import Conflict, NotFound, Text, Unprocessable
from shared.ids import BookingId, CaseId, PartyId, SiteId, SuspensionId, derived_id

ClosureId = NewType("ClosureId", UUID)


class ClosureKind(StrEnum):
    """What takes the seats away."""

    WIND_DOWN = "wind_down"
    """The site closes for good after its last day."""
    CHANGE = "change"
    """The site goes on with fewer seats, other hours or another acceptance."""
    SUSPENSION = "suspension"
    """The national system cannot be used for a time."""

    @property
    def move_reason(self) -> MoveReason:
        """On whose account its bookings move."""
        if self is ClosureKind.SUSPENSION:
            return MoveReason.SUSPENSION
        return MoveReason.SITE_CHANGED

    @property
    def cancel_reason(self) -> CancelReason:
        """On whose account its bookings are cancelled."""
        if self is ClosureKind.SUSPENSION:
            return CancelReason.SUSPENSION
        return CancelReason.SITE_CHANGED


class ClosureState(StrEnum):
    """How far the work has come."""

    LISTING = "listing"
    """Nothing is sold any more; the bookings concerned are being listed."""
    OFFERING = "offering"
    """Alternatives are being held, and citizens told of them."""
    WAITING = "waiting"
    """Answers are being taken, until the last is in or its time is over."""
    DONE = "done"


class DisplacedState(StrEnum):
    """Where a displaced booking stands."""

    LISTED = "listed"
    """No alternative has been found for it yet."""
    HELD = "held"
    """A seat elsewhere is held for it; the citizen does not know yet."""
    TOLD = "told"
    """The citizen was told and may answer."""
    PHONE_LIST = "phone_list"
    """Somebody has to call: no address, or no answer in time."""
    MOVED = "moved"
    """The citizen took the alternative."""
    CHOSEN = "chosen"
    """The citizen chose another seat."""
    CANCELLED = "cancelled"
    """The citizen, or the end of the case, cancelled the booking."""
    KEPT = "kept"
    """The old seat came back in time."""


class Answer(StrEnum):
    """What a citizen may say to an alternative."""

    ACCEPT = "accept"
    CHOOSE = "choose"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Closure:
    """One closure; ``next_at`` is when there is something to do for it again."""

    closure_id: ClosureId
    site_id: SiteId
    kind: ClosureKind
    state: ClosureState
    last_day: date | None
    suspension_id: SuspensionId | None
    version: int
    started_at: datetime
    next_at: datetime
    ended_at: datetime | None
    listed_version: int | None = None
    """The site as it was when the closure last looked who has a seat."""
    withdrawn_at: datetime | None = None
    """When it was taken back: then who still has the old seat keeps it."""


@dataclass(frozen=True, slots=True)
class Displaced:
    """A booking that loses its seat (``site_id``, ``starts_at``), and what is held instead."""

    closure_id: ClosureId
    booking_id: BookingId
    case_id: CaseId
    party_id: PartyId
    procedure: Procedure
    minutes: int
    site_id: SiteId
    starts_at: datetime
    state: DisplacedState
    to_site_id: SiteId | None
    to_starts_at: datetime | None
    seat_held: bool
    listed_at: datetime
    answer_by: datetime | None
    ended_at: datetime | None

    @property
    def seat_id(self) -> UUID:
        """Under which the seats of its alternative are kept out of the grid."""
        return seat_id(self.closure_id, self.booking_id)


def seat_id(closure_id: ClosureId, booking_id: BookingId) -> UUID:
    """Under which the seats of an alternative are kept out of the grid."""
    return derived_id("alternative", closure_id, booking_id)


def check_last_day(site: Site, last_day: date, today: date) -> None:
    """Raise ``LastDayRefused`` unless an open site may serve for the last time on ``last_day``."""
    too_late = site.closes_on is not None and last_day > site.closes_on
    if last_day < max(today, site.opens_on) or too_late:
        raise LastDayRefused


def winding_down(site: Site, last_day: date, *, selling: bool = True) -> Site:
    """``site`` on its way to the end; ``selling`` its seats until then. Raises ``SiteNotOpen``."""
    if site.state is not SiteState.OPEN:
        raise SiteNotOpen
    way = {"state": SiteState.WINDING_DOWN, "closes_on": last_day, "selling": selling}
    return site.model_copy(update=way)


def answer_by(now: datetime, old: datetime, new: datetime, rules: Rules) -> datetime:
    """Until when a citizen may answer: some days, but before either visit.

    Where that leaves no time (a system that fails this morning), an hour at most. Whoever does
    not answer gets the alternative, so that nobody is left without a seat.
    """
    latest = rules.change_deadline(business_date(new))
    by = min(now + timedelta(days=rules.answer_days), old, latest)
    soonest = now + timedelta(hours=1)
    return by if by >= soonest else max(now, min(soonest, old, new))


@dataclass(frozen=True, slots=True)
class Progress:
    """A closure and how many of its bookings stand where; the counts add up to ``listed``."""

    closure: Closure
    counts: Mapping[DisplacedState, int]
    without_alternative: int
    open: int

    @property
    def total(self) -> int:
        """How many bookings lost their seats."""
        return sum(self.counts.values())


class NoSuchClosure(NotFound):
    """No closure has this id."""

    slug = "no-such-closure"
    title = Text("There is no such closure", "この閉鎖手続はありません")
    remedy = Text("Choose one of GET /v1/closures.", "GET /v1/closures の一覧から選んでください。")


class NotDisplaced(NotFound):
    """The booking is not among those of the closure."""

    slug = "not-displaced"
    title = Text("This booking is not affected", "この予約は対象ではありません")
    remedy = Text(
        "Choose one of GET /v1/closures/{closure_id}/bookings.",
        "GET /v1/closures/{closure_id}/bookings の一覧から選んでください。",
    )


class ClosureRunning(Conflict):
    """A site winds down or has another last day only when no closure is at work there."""

    slug = "closure-running"
    title = Text("The site is being closed or made smaller", "この窓口は閉鎖または縮小の手続中です")
    remedy = Text(
        "Wait until the closure named in closure_id is done, or take it back with"
        " POST /v1/closures/{closure_id}:withdraw.",
        "closure_id の手続の完了を待つか、"
        "POST /v1/closures/{closure_id}:withdraw で取り下げてください。",
    )

    def __init__(self, closure_id: ClosureId) -> None:
        super().__init__(extras={"closure_id": str(closure_id)})


class AlreadyAnswered(Conflict):
    """The citizen has answered, or the time for it is over."""

    slug = "already-answered"
    title = Text("This has been answered already", "すでに回答済みです")
    remedy = Text(
        "Change the booking itself at /v1/bookings.",
        "変更する場合は /v1/bookings で予約を変更してください。",
    )


class NothingOffered(Conflict):
    """There is no alternative to accept."""

    slug = "nothing-offered"
    title = Text("No alternative is held at the moment", "現在ご案内できる代わりの枠がありません")
    remedy = Text(
        "Choose a seat from GET /v1/availability, or wait to be told of one.",
        "GET /v1/availability から選ぶか、ご案内をお待ちください。",
    )


class ChoiceMissing(Unprocessable):
    """Who chooses another seat says which."""

    slug = "choice-missing"
    title = Text("Say which seat is chosen", "希望の日時を指定してください")
    remedy = Text(
        "Send chosen_site_id and chosen_starts_at of a seat from GET /v1/availability.",
        "GET /v1/availability の枠を chosen_site_id と chosen_starts_at に指定してください。",
    )


class LastDayRefused(Unprocessable):
    """The last day lies in the past, or before the site opens."""

    slug = "last-day-refused"
    title = Text("This cannot be the last day", "この日を最終日にはできません")
    remedy = Text(
        "Choose today or a later day within the site's period.",
        "開設期間内の本日以降の日を選んでください。",
    )


class SiteNotOpen(Conflict):
    """Closures concern open sites."""

    slug = "not-open"
    title = Text(
        "Only an open site can be closed or changed like this", "開設中の窓口ではありません"
    )
    remedy = Text(
        "Change a site that is not open with PUT /v1/sites/{site_id}.",
        "開設前の窓口は PUT /v1/sites/{site_id} で変更してください。",
    )

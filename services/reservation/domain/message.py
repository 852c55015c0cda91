"""What citizens are told, and what became of each telling.

A message is keyed by what it is about, so that the same news never makes two. It is written in
the unit of the change it tells of and sent after that has committed, never before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from shared.errors import Json
from shared.ids import BookingId, CaseId, SiteId, derived_id


class Kind(StrEnum):
    """What a message is about."""

    CONFIRMED = "confirmed"
    MOVED = "moved"
    CANCELLED = "cancelled"
    REMINDER = "reminder"
    ALTERNATIVE = "alternative"
    """The city cannot keep a booking and holds another seat."""
    SUSPENDED = "suspended"
    """The national system is not to be used at that time; the booking stands."""
    PAUSED = "paused"
    """The national system has stopped during the visit, which waits."""
    OFFERED = "offered"
    """A seat is free for somebody on the waiting list."""
    ADDRESS_CHECK = "address_check"
    """A code that proves an address to be the citizen's."""
    LOGIN_CODE = "login_code"

    @property
    def tells_of_a_seat(self) -> bool:
        """Whether it is wrong once the booking has changed again."""
        return self in (
            *(Kind.CONFIRMED, Kind.MOVED, Kind.REMINDER),
            *(Kind.SUSPENDED, Kind.PAUSED),
        )

    @property
    def is_called_about(self) -> bool:
        """Whether somebody calls where the mail came to nothing: a code is asked for anew, and who
        waits at a site was told there.
        """
        return not self.is_code and self is not Kind.PAUSED

    @property
    def is_code(self) -> bool:
        """Whether the citizen is waiting for it in front of a page."""
        return self in (Kind.ADDRESS_CHECK, Kind.LOGIN_CODE)


KEPT: Final = "kept"
"""Why somebody hears again of a booking that stands: the city had said otherwise."""
BROKEN_OFF: Final = "broken_off"
"""Why a visit that had begun came to nothing: the national system stopped."""


class MessageState(StrEnum):
    """What became of a message."""

    WAITING = "waiting"
    SENT = "sent"
    """The mail server of the city took it."""
    BOUNCED = "bounced"
    """A mail server refused it for good."""
    NOT_POSSIBLE = "not_possible"
    """No verified address, or every try failed."""
    SUPERSEDED = "superseded"
    """No longer true when its turn came."""


class CallReason(StrEnum):
    """Why somebody has to be called."""

    NO_CONTACT = "no_contact"
    BOUNCED = "bounced"
    NOT_POSSIBLE = "not_possible"
    NO_ANSWER = "no_answer"
    CARD_NOT_THERE = "card_not_there"
    """Preparation told that the card cannot be at the site in time."""
    NOTICE_RETURNED = "notice_returned"
    """The notice came back undelivered."""
    WARD_CHANGED = "ward_changed"
    """The citizen has moved to a ward that the site does not serve."""
    NOT_SIGNED_OFF = "not_signed_off"
    """The day of the visit is long over, and its site has not said who came."""


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to tell about one case.

    ``ref`` makes it unique beside ``kind`` and ``case_id``: a booking and its version, an offer.
    ``facts`` holds references and times, never personal data. ``by_city``: the citizen did not
    bring it about, so somebody calls where no mail can reach them.
    """

    kind: Kind
    case_id: CaseId
    ref: str
    at: datetime
    booking_id: BookingId | None = None
    site_id: SiteId | None = None
    facts: Mapping[str, Json] = field(default_factory=dict)
    by_city: bool = False

    @property
    def key(self) -> str:
        """What it is about: the same key is never told twice."""
        return f"{self.kind}:{self.case_id}:{self.ref}"

    @property
    def message_id(self) -> UUID:
        """The same for the same key."""
        return derived_id("message", self.key)


@dataclass(frozen=True, slots=True)
class PhoneCall:
    """Somebody to call. ``ref`` makes it unique beside the case."""

    case_id: CaseId
    ref: str
    about: str
    reason: CallReason
    at: datetime
    booking_id: BookingId | None = None
    site_id: SiteId | None = None
    facts: Mapping[str, Json] = field(default_factory=dict)

    @property
    def entry_id(self) -> UUID:
        """The same for the same case and ``ref``."""
        return derived_id("phone", self.case_id, self.ref)


Notes = Sequence[Note]

"""What every event has: a frozen body of references, never of names, birth dates or contacts.

Times are aware and kept in UTC; dates are business dates in Japan. A reader ignores fields it
does not know, so that a field can be added without a new version.
"""

from abc import abstractmethod
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints

from shared.ids import CaseId, LotId, SiteId, WardCode


def _to_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""A moment with an offset; a time without one is refused, because nobody can say when it is."""

BusinessDate = date
"""A calendar day in Japan (Asia/Tokyo)."""

SiteRef = Annotated[SiteId, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
"""The id of a site, as in ``kawasaki-ward-office``."""

WardRef = Annotated[WardCode, StringConstraints(pattern=r"^[0-9]{6}$")]
"""A municipal code of six digits; the last is its check digit."""

LotRef = Annotated[LotId, StringConstraints(min_length=1, max_length=64)]
"""The id of a lot, as J-LIS wrote it on the manifest."""

KeyedHash = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]
"""An HMAC-SHA256 in base64url without padding; it tells nothing without the key."""


class Value(BaseModel):
    """A part of an event: equal by content, never changed, silent about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class Event(Value):
    """Something that has happened, told in the past tense to whoever listens."""

    type: ClassVar[str]
    """Dotted, past tense, versioned: ``card.preset.v1``."""

    topic: ClassVar[str]
    """Where it is published; empty where the publishing room's own topic is meant."""

    @property
    @abstractmethod
    def subject(self) -> str:
        """What the event is about: its Kafka key and CloudEvents subject."""


class CaseEvent(Event):
    """Something that has happened to one case."""

    case_id: CaseId
    """The case, from first sight to its end."""

    @property
    def subject(self) -> str:
        """The case: all that happens to it keeps its order."""
        return str(self.case_id)


class SiteEvent(Event):
    """Something that has happened at one site."""

    topic = "site.events"

    site_id: SiteRef
    """The site."""

    @property
    def subject(self) -> str:
        """The site: all that happens to it keeps its order."""
        return self.site_id


class Procedure(StrEnum):
    """What a citizen comes for."""

    CARD_ISSUANCE = "card_issuance"
    CERTIFICATE_RENEWAL = "certificate_renewal"


class CaseKind(StrEnum):
    """Why the case exists; a certificate renewal is always ``renewal``."""

    NEW = "new"
    RENEWAL = "renewal"
    NEXT_GENERATION = "next_generation"


class Certificate(StrEnum):
    """One of the two electronic certificates on a card."""

    SIGNING = "signing"
    USER_AUTHENTICATION = "user_authentication"


class CaseOpened(CaseEvent):
    """A case was seen for the first time, by the room that publishes this and minted its id."""

    type = "case.opened.v1"
    topic = ""

    procedure: Procedure
    """What the citizen comes for."""

    kind: CaseKind
    """Why the case exists."""

    ward: WardRef
    """The ward of residence when the case was opened."""

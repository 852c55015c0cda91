"""What preparation tells: the way of a card from its application to the shelf, or to its end."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from shared.contracts.base import BusinessDate, CaseEvent, KeyedHash, LotRef, SiteRef, WardRef
from shared.ids import BatchId, DisposalId

ShelfPosition = Annotated[str, StringConstraints(min_length=1, max_length=32)]


class PreparationEvent(CaseEvent):
    """Something preparation has done with a card, or has learned about it."""

    topic = "preparation.events"


class RejectReason(StrEnum):
    """Why inspection sends a card back to J-LIS."""

    DAMAGED = "damaged"
    MISPRINTED = "misprinted"
    UNREADABLE = "unreadable"
    NOT_ON_MANIFEST = "not_on_manifest"


class HoldReason(StrEnum):
    """Why a card must wait."""

    MOVED_WITHIN_CITY = "moved_within_city"
    NAME_OR_ADDRESS_CHANGED = "name_or_address_changed"
    RESIDENCE_PERIOD = "residence_period"
    SUPPORT_MEASURES = "support_measures"
    REGISTRY_MISMATCH = "registry_mismatch"
    DISCREPANCY = "discrepancy"
    OTHER = "other"


class VoidReason(StrEnum):
    """Why a case ends without its card being handed over."""

    MOVED_OUT = "moved_out"
    DIED = "died"
    RESIDENCE_PERIOD_RENEWED = "residence_period_renewed"
    WITHDRAWN = "withdrawn"
    DEFECTIVE = "defective"
    OTHER = "other"


class TransferFailure(StrEnum):
    """Why a card cannot be at a site in time."""

    LATE = "late"
    MISSING = "missing"
    NOT_MOVABLE = "not_movable"


class DisposalReason(StrEnum):
    """Why a card may no longer be handed over."""

    UNCLAIMED = "unclaimed"
    EXPIRED = "expired"
    VOIDED = "voided"


class CardApplied(PreparationEvent):
    """The citizen's application was accepted (first official total, 申請受付)."""

    type = "card.applied.v1"

    applied_on: BusinessDate
    """The day of the application."""


class CardShipped(PreparationEvent):
    """J-LIS sent the card to the city (second official total, 発送)."""

    type = "card.shipped.v1"

    lot_id: LotRef
    """The lot it came in."""

    shipped_on: BusinessDate
    """The day it was sent."""


class CardReceived(PreparationEvent):
    """The city received the card with its lot."""

    type = "card.received.v1"

    lot_id: LotRef
    """The lot it came in."""

    card_expires_on: BusinessDate
    """The last day on which this card is valid."""

    old_card_expires_on: BusinessDate | None = None
    """The last day on which the card it replaces is valid, where there is one."""


class CardInspected(PreparationEvent):
    """The card was found to be sound and the one on the manifest."""

    type = "card.inspected.v1"


class CardRejected(PreparationEvent):
    """The card goes back to J-LIS."""

    type = "card.rejected.v1"

    reason: RejectReason
    """What was wrong with it."""


class CardRegistryChecked(PreparationEvent):
    """The card agrees with the resident registry."""

    type = "card.registry_checked.v1"


class CardHeld(PreparationEvent):
    """The card must wait and may not be handed over until it is released."""

    type = "card.held.v1"

    reason: HoldReason
    """Why it waits."""

    review_on: BusinessDate | None = None
    """The day somebody looks at it again, where one is set."""


class CardReleased(PreparationEvent):
    """The hold was cleared and the card goes on from where it stood."""

    type = "card.released.v1"

    ward: WardRef
    """The ward of residence from now on; it differs where the citizen moved within the city."""


class CardVoided(PreparationEvent):
    """The case has ended; its card is never handed over."""

    type = "card.voided.v1"

    reason: VoidReason
    """Why it ended."""


class CardPreset(PreparationEvent):
    """The card was made ready at the terminal (third official total, 交付前設定)."""

    type = "card.preset.v1"


class CardShelved(PreparationEvent):
    """The card lies at this place."""

    type = "card.shelved.v1"

    site_id: SiteRef
    """The site it lies at."""

    shelf_position: ShelfPosition
    """Where on the site's shelves."""


class CardNotified(PreparationEvent):
    """A notice invites the citizen; from now on a booking can be made."""

    type = "card.notified.v1"

    ward: WardRef
    """The ward of residence, which decides the sites that may serve the card."""

    site_id: SiteRef
    """The site the card lies at."""

    number_key: KeyedHash
    """HMAC of the notice number, under a key the three rooms share."""

    login_key: KeyedHash
    """HMAC of the notice number and the birth date, under the same key."""

    key_id: Annotated[str, StringConstraints(min_length=1, max_length=32)]
    """Which key of the ring made both."""

    notice_seq: Annotated[int, Field(ge=1)]
    """1 for the first notice, 2 for the second."""

    pickup_deadline: BusinessDate
    """The last day on which the card can be collected."""

    card_expires_on: BusinessDate
    """The last day on which the card is valid."""


class CardNoticeReturned(PreparationEvent):
    """The notice came back undelivered."""

    type = "card.notice_returned.v1"

    notice_seq: Annotated[int, Field(ge=1)]
    """Which notice came back."""


class CardDispatched(PreparationEvent):
    """The card left for another site."""

    type = "card.dispatched.v1"

    batch_id: BatchId
    """The sealed batch it travels in."""

    from_site_id: SiteRef
    """The site it left."""

    to_site_id: SiteRef
    """The site it is going to."""

    due_on: BusinessDate
    """The day by which it should be there."""


class CardArrived(PreparationEvent):
    """The card has come to another site; ``card.shelved`` tells its new place."""

    type = "card.arrived.v1"

    batch_id: BatchId
    """The sealed batch it came in."""

    site_id: SiteRef
    """The site it is at."""


class CardTransferFailed(PreparationEvent):
    """The card cannot be at the site in time; a booking there cannot be kept."""

    type = "card.transfer_failed.v1"

    batch_id: BatchId | None = None
    """The sealed batch, where the card had left."""

    to_site_id: SiteRef
    """The site it should have been at."""

    reason: TransferFailure
    """What happened."""


class CardDisposalDue(PreparationEvent):
    """The card may no longer be handed over and waits for its disposal."""

    type = "card.disposal_due.v1"

    reason: DisposalReason
    """Why."""


class CardDisposed(PreparationEvent):
    """The card was destroyed under the eyes of two operators."""

    type = "card.disposed.v1"

    disposal_id: DisposalId
    """The record of the disposal."""

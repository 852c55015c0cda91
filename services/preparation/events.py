"""What preparation tells and what it hears."""

from services.preparation.handlers import facts
from shared.contracts.base import CaseOpened, Event
from shared.contracts.issuance import CardIssued
from shared.contracts.preparation import (
    CardApplied,
    CardInspected,
    CardNotified,
    CardPreset,
    CardReceived,
    CardRegistryChecked,
    CardShelved,
    CardShipped,
)
from shared.contracts.reservation import (
    BookingCancelled,
    BookingConfirmed,
    BookingMissed,
    BookingMoved,
)
from shared.messaging.subscriptions import Subscription, on

PUBLISHES: tuple[type[Event], ...] = (
    CaseOpened,
    CardApplied,
    CardShipped,
    CardReceived,
    CardInspected,
    CardRegistryChecked,
    CardPreset,
    CardShelved,
    CardNotified,
)

SUBSCRIBES: tuple[Subscription, ...] = (
    on(BookingConfirmed, facts.seated),
    on(BookingMoved, facts.seated),
    on(BookingCancelled, facts.cancelled),
    on(BookingMissed, facts.missed),
    on(CardIssued, facts.issued),
)

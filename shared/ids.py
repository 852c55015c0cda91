"""Identifiers: UUIDv7 where something begins, derived ids where an event is handled.

A handler may see an event twice, so what it creates must have the same identity each time:
it derives ids from the event and never draws a new one.
"""

from typing import NewType
from uuid import UUID, uuid5

import uuid_utils.compat

CaseId = NewType("CaseId", UUID)
BookingId = NewType("BookingId", UUID)
PartyId = NewType("PartyId", UUID)
VisitId = NewType("VisitId", UUID)
SiteId = NewType("SiteId", str)
WardCode = NewType("WardCode", str)
LotId = NewType("LotId", str)
BatchId = NewType("BatchId", UUID)  # a sealed batch of cards under way between two sites
OfferId = NewType("OfferId", UUID)  # a freed seat offered to one party of the waiting list
DisposalId = NewType("DisposalId", UUID)  # the record of a card's disposal
SuspensionId = NewType("SuspensionId", UUID)  # one interruption of the national system

_NAMESPACE = UUID("6f7a5a4e-0b1f-5d0e-9a55-6d61646f6775")


def new_id() -> UUID:
    """A new UUIDv7: time-ordered, so that index pages fill from the right."""
    return uuid_utils.compat.uuid7()


def derived_id(*parts: object) -> UUID:
    """The UUIDv5 of ``parts``: the same parts always give the same id."""
    return uuid5(_NAMESPACE, "\x1f".join(str(part) for part in parts))

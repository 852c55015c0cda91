"""When something was told: of two tellings of a fact, the order decides which one counts.

The order is total and part of the events themselves, so it does not depend on when they come.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class Told(NamedTuple):
    """Business time, then the source's own sequence (time may stand still), then the event's id."""

    at: datetime
    sequence: int
    event: UUID

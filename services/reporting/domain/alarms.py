"""What at a site asks for somebody now; each alarm is a fact that stands in the same row."""

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum

PATIENCE = timedelta(minutes=30)
"""A longer wait is an alarm."""


class Alarm(StrEnum):
    """Why somebody should look."""

    SUSPENDED = "suspended"
    NOBODY_SERVES = "nobody_serves"
    LONG_WAIT = "long_wait"
    LATE_TRANSFER = "late_transfer"


def alarms(
    *, suspended: bool, waited: timedelta | None, counters: int, late_batches: int
) -> Iterator[Alarm]:
    """The alarms of a site; ``waited`` is the longest wait at this moment, none without one."""
    if suspended:
        yield Alarm.SUSPENDED
    if waited is not None and counters == 0:
        yield Alarm.NOBODY_SERVES
    if waited is not None and waited > PATIENCE:
        yield Alarm.LONG_WAIT
    if late_batches:
        yield Alarm.LATE_TRANSFER

"""Business time as an event: under a replayed clock the rooms know no other time."""

from shared.contracts.base import Event, Instant


class ClockAdvanced(Event):
    """Business time has moved on; what has come due by then is to be done."""

    type = "clock.advanced.v1"
    topic = "clock.events"

    now: Instant
    """Business time from this event on."""

    @property
    def subject(self) -> str:
        """There is one clock."""
        return "clock"

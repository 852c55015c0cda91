"""Whose turn it is: rules as data, applied by a pure function.

Every party has a *turn time*: a moment of its own, moved by minutes that the rules give to how it
came and what it needs. The earliest turn time goes first. Because the minutes are bounded and a
turn time never changes while a party waits, nobody waits for ever.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from services.issuance.domain.ticket import Need, Purpose
from shared.contracts.issuance import Arrival
from shared.ids import VisitId


@dataclass(frozen=True, slots=True)
class Waiting:
    """A party that waits. ``starts_at`` is the booked time; ``number`` its ticket's."""

    visit_id: VisitId
    number: int
    purposes: frozenset[Purpose]
    arrival: Arrival
    checked_in_at: datetime
    starts_at: datetime | None = None
    need: Need | None = None
    skipped_at: datetime | None = None
    only_counter: str | None = None
    transferred_at: datetime | None = None


class Claim(StrEnum):
    """What moves a turn time."""

    BOOKED = "booked"
    LATE = "late"
    WALK_IN = "walk_in"
    NEED = "need"
    TRANSFERRED = "transferred"
    SKIPPED = "skipped"


DEFAULT_MINUTES: Mapping[Claim, int] = {
    Claim.BOOKED: 20,
    Claim.LATE: 5,
    Claim.WALK_IN: 0,
    Claim.NEED: 15,
    Claim.TRANSFERRED: 60,
    Claim.SKIPPED: -10,
}


@dataclass(frozen=True, slots=True)
class Priorities:
    """Minutes by which each claim comes earlier; below zero, later."""

    minutes: Mapping[Claim, int] = field(default_factory=lambda: DEFAULT_MINUTES)

    def of(self, *claims: Claim) -> timedelta:
        """The sum of these claims."""
        return timedelta(minutes=sum(self.minutes[claim] for claim in claims))


def turn_time(party: Waiting, rules: Priorities) -> datetime:
    """The moment by which ``party`` is ordered.

    Who comes in booked time is ordered by that time, so that coming early takes nobody's turn; who
    comes late or without a booking, by the moment of coming; who was skipped, by the skip.
    """
    claim = Claim(party.arrival.value)
    need = (Claim.NEED,) if party.need else ()
    if party.transferred_at is not None:
        return party.transferred_at - rules.of(claim, Claim.TRANSFERRED, *need)
    if party.skipped_at is not None:
        own = _own_time(party) - rules.of(claim, *need)
        return max(own, party.skipped_at - rules.of(Claim.SKIPPED))
    return _own_time(party) - rules.of(claim, *need)


def in_order(parties: Iterable[Waiting], rules: Priorities) -> list[Waiting]:
    """The queue, the next first; two of the same turn time go by their numbers."""
    return sorted(parties, key=lambda party: (turn_time(party, rules), party.number))


def is_paused(purposes: frozenset[Purpose], stopped: frozenset[Purpose]) -> bool:
    """Whether a party is not called for now: nothing it came for can be done while it waits."""
    return bool(purposes) and purposes <= stopped


def callable_at(
    queue: Sequence[Waiting],
    counter: str,
    purposes: frozenset[Purpose],
    attended: frozenset[str],
) -> list[Waiting]:
    """Those of ``queue`` whom ``counter`` may call: it does all they came for.

    A party that was sent to one counter waits for it as long as somebody attends it
    (``attended``: the counters that are not closed).
    """
    return [
        party
        for party in queue
        if party.purposes <= purposes
        and (party.only_counter in (None, counter) or party.only_counter not in attended)
    ]


def _own_time(party: Waiting) -> datetime:
    if party.arrival is Arrival.BOOKED and party.starts_at is not None:
        return party.starts_at
    return party.checked_in_at

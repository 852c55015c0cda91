"""What a month's people do, before they become cases: parties with their appointments, and who of
them takes from the waiting list a seat that another gives up.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from simulation.replay.cases import End
from simulation.replay.chains import Chain, Chains
from simulation.replay.days import BusinessDays
from simulation.replay.seating import Party, Seated, Seating

_GIVEN_UP = (End.MOVED, End.CANCELLED)


@dataclass(frozen=True, slots=True)
class Draft:
    """Those who are served together, and their appointments."""

    party: Party
    chain: Chain
    shelf: str | None = None
    """Where the card lies, unless at the site of the visit."""
    waits: bool = False

    @property
    def first(self) -> Seated:
        """Of a family, any: they have one time."""
        return self.party[0]

    @property
    def is_plain(self) -> bool:
        """Whether it is one who comes by one booking, as booked."""
        chain = self.chain
        plain = not (chain.walk_in or chain.proxy or self.shelf)
        return plain and len(self.party) == len(chain.appointments) == 1


class Drafter:
    """Draws the appointments of one month."""

    def __init__(self, seating: Seating, days: BusinessDays, chains: Chains) -> None:
        self._seating = seating
        self._days = days
        self._chains = chains

    def all(self, parties: Sequence[Party]) -> list[Draft]:
        """A draft of each party, in their order."""
        drafts = [self._draft(party) for party in parties]
        return list(self._let_wait(drafts))

    def _draft(self, party: Party) -> Draft:
        who = party[0]
        if len(party) > 1:
            return Draft(party, self._chains.together(who.seat))
        another = partial(self._seating.another, who)
        chain = self._chains.served(who.procedure, who.seat, another)
        shelf = self._seating.elsewhere(who) if chain.travels else None
        return Draft(party, chain, shelf)

    def _let_wait(self, drafts: Sequence[Draft]) -> Iterable[Draft]:
        """Some get theirs on the day on which somebody gives up a seat of that site and day. Their
        own is kept all the same, for which seat the list offers them is not known.
        """
        rng, share = self._seating.rng, self._seating.behaviour.waitlisted
        given_up = _given_up(drafts)
        for draft in drafts:
            if draft.is_plain and rng.random() < share:
                seat = draft.first.seat
                days = given_up[seat.site_id, seat.day]
                if (
                    on := next((day for day in days if self._in_time(day, seat.day)), None)
                ) is not None:
                    days.remove(on)
                    yield replace(draft, chain=self._chains.waiting(on, seat), waits=True)
                    continue
            yield draft

    def _in_time(self, given_up_on: date, visit: date) -> bool:
        _, longest = self._seating.behaviour.booking_to_visit
        ahead = self._days.number(visit) - self._days.number(given_up_on)
        return ahead <= max(longest, 2)


def _given_up(drafts: Iterable[Draft]) -> dict[tuple[str, date], list[date]]:
    """By site and day, the days on which a seat of it is given up; each is one seat."""
    found: dict[tuple[str, date], list[date]] = defaultdict(list)
    for draft in drafts:
        first, *later = draft.chain.appointments
        if first.end in _GIVEN_UP:
            found[first.seat.site_id, first.seat.day].append(later[0].made_on)
    return found

"""Seats become cases: who the citizen is, how the card came, and what else is in the lots."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from math import ceil
from typing import Final

from shared.contracts.base import Procedure
from simulation.replay.cases import Appointment, Card, Case, Fate
from simulation.replay.chains import Chain, Chains
from simulation.replay.days import BusinessDays
from simulation.replay.drafts import Draft, Drafter
from simulation.replay.seating import Party, Seating

_PREFIX: Final = {Procedure.CARD_ISSUANCE: "C", Procedure.CERTIFICATE_RENEWAL: "R"}
_WITH_VISIT: Final = (Fate.COMPLETED, Fate.VOID_BOOKED)


class Writer:
    """Writes the cases of one month."""

    def __init__(self, seating: Seating, days: BusinessDays, month: date) -> None:
        self._seating = seating
        self._days = days
        self._month = month
        self._rng = seating.rng
        self._behaviour = seating.behaviour
        self._chains = Chains(days, seating.behaviour, seating.rng)
        self._written = 0
        self._stepwise = 0

    def completed(self, parties: Sequence[Party]) -> Iterator[Case]:
        """The cases that are completed at these seats; those of a family follow each other."""
        for draft in Drafter(self._seating, self._days, self._chains).all(parties):
            size = len(draft.party)
            stepwise, family = self._is_stepwise(size), self._key(draft) if size > 1 else ""
            for _ in draft.party:
                yield self._case(draft, Fate.COMPLETED, stepwise=stepwise, family=family)

    def others(self, cards: int) -> Iterator[Case]:
        """Cards that are never handed over, over and above ``cards`` that are."""
        shares = self._behaviour
        for fate, share in (
            (Fate.DEFECT, shares.defect),
            (Fate.VOID, shares.void),
            (Fate.VOID_BOOKED, shares.void_booked),
        ):
            for ward in self._seating.homes(round(cards * share)):
                if (who := self._seating.one(Procedure.CARD_ISSUANCE, ward)) is not None:
                    draft = Draft((who,), self._chains.ended(who.seat))
                    yield self._case(draft, fate, stepwise=self._is_stepwise(1))

    def _case(self, draft: Draft, fate: Fate, *, stepwise: bool, family: str = "") -> Case:
        who, chain = draft.first, draft.chain
        is_card = who.procedure is Procedure.CARD_ISSUANCE
        made, key = chain.appointments[0], self._key(draft)
        self._written += 1
        return Case(
            key=key,
            procedure=who.procedure,
            ward=who.ward.code,
            site_id=draft.shelf or who.seat.site_id,
            fate=fate,
            stepwise=stepwise,
            proxy=chain.proxy,
            walk_in=chain.walk_in,
            birth_date=self._birth_date(),
            certificate_ends_on=None if is_card else self._certificates_end(chain),
            appointments=chain.appointments if fate in _WITH_VISIT else (),
            card=self._card(made, may_be_held=fate is Fate.COMPLETED) if is_card else None,
            family=family,
            waits=draft.waits,
        )

    def _key(self, draft: Draft) -> str:
        """The key of the case that is written next."""
        prefix = _PREFIX[draft.first.procedure]
        return f"{prefix}{self._month:%Y%m}-{self._written + 1:06d}"

    def _is_stepwise(self, size: int) -> bool:
        """Whether the next ``size`` cases are; never fewer than the share, however few they are."""
        due = ceil((self._written + size) * self._behaviour.stepwise)
        if self._stepwise >= due:
            return False
        self._stepwise += size
        return True

    def _birth_date(self) -> date:
        child = self._rng.random() < self._behaviour.children
        years = self._rng.uniform(1, 17) if child else self._rng.triangular(18.5, 95, 48)
        return self._month - timedelta(days=round(years * 365.25))

    def _certificates_end(self, chain: Chain) -> date:
        """After the last visit, and no more than three months after the first."""
        first, last = chain.first.day, max(one.seat.day for one in chain.appointments)
        return max(last + timedelta(days=1), first + timedelta(days=self._rng.randint(20, 80)))

    def _card(self, made: Appointment, *, may_be_held: bool) -> Card:
        rng, how = self._rng, self._behaviour
        notice = self._days.number(made.made_on) - rng.randint(*how.notice_to_booking)
        held = rng.random() < how.held and may_be_held
        lot_day = self._days[notice - how.held_for if held else notice]
        shipped = self._days.before(lot_day, how.import_before + 1)
        return Card(
            kind=rng.choice(("new", "renewal")),
            applied_on=shipped - timedelta(days=rng.randint(14, 40)),
            shipped_on=shipped,
            lot_day=lot_day,
            notice_on=self._days[notice],
        )

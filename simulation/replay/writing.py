"""Seats become cases: who the citizen is, how the card came, and what else is in the lots."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import partial
from math import ceil
from typing import Final

from shared.contracts.base import Procedure
from simulation.replay.cases import Appointment, Card, Case, Fate
from simulation.replay.chains import Chain, Chains
from simulation.replay.days import BusinessDays
from simulation.replay.seating import Seated, Seating

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

    def completed(self, seated: Sequence[Seated]) -> Iterator[Case]:
        """The cases that are completed at these seats."""
        for who in seated:
            another = partial(self._seating.another, who)
            chain = self._chains.served(who.procedure, who.seat, another)
            yield self._case(who, chain, Fate.COMPLETED)

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
                    yield self._case(who, self._chains.ended(who.seat), fate)

    def _case(self, who: Seated, chain: Chain, fate: Fate) -> Case:
        self._written += 1
        is_card = who.procedure is Procedure.CARD_ISSUANCE
        made = chain.appointments[0]
        return Case(
            key=f"{_PREFIX[who.procedure]}{self._month:%Y%m}-{self._written:06d}",
            procedure=who.procedure,
            ward=who.ward.code,
            site_id=who.seat.site_id,
            fate=fate,
            stepwise=self._is_stepwise(),
            proxy=chain.proxy,
            walk_in=chain.walk_in,
            birth_date=self._birth_date(),
            certificate_ends_on=None if is_card else self._certificates_end(chain),
            appointments=chain.appointments if fate in _WITH_VISIT else (),
            card=self._card(made, may_be_held=fate is Fate.COMPLETED) if is_card else None,
        )

    def _is_stepwise(self) -> bool:
        # Never fewer than the share, however few the cases.
        share = self._behaviour.stepwise
        return ceil(self._written * share) > ceil((self._written - 1) * share)

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

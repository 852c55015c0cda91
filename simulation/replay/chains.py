"""The appointments of a case, backwards from its last seat: at most one of them goes wrong.

What goes wrong goes wrong within the month, early enough to be made good by the last seat.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from math import ceil
from random import Random

from shared.contracts.base import Procedure
from simulation.replay.cases import Appointment, End, Seat
from simulation.replay.days import BusinessDays
from simulation.replay.settings import Behaviour

Another = Callable[[], Seat | None]
_TRIES = 6
_LETTER_DAYS = 3
"""Business days until the inquiry letter has come back."""
_TRANSFER_DAYS = 3
"""Business days from the booking to the visit, so that a card can be sent on the day after it, is
there on the same evening, and has two (reservation's default) to travel.
"""


@dataclass(frozen=True, slots=True)
class Chain:
    """A case's appointments; ``first`` is the day from which it could have been served."""

    appointments: tuple[Appointment, ...]
    proxy: bool = False
    walk_in: bool = False
    travels: bool = False
    """There is time for the card to be sent to the site that was booked."""

    @property
    def first(self) -> Seat:
        """The earliest of the seats."""
        return min((one.seat for one in self.appointments), key=lambda seat: seat.minute)


class Chains:
    """Draws chains."""

    def __init__(self, days: BusinessDays, behaviour: Behaviour, rng: Random) -> None:
        self._days = days
        self._behaviour = behaviour
        self._rng = rng

    def served(self, procedure: Procedure, last: Seat, another: Another) -> Chain:
        """Appointments that end by being served at ``last``; ``another`` gives further seats."""
        renewal = procedure is Procedure.CERTIFICATE_RENEWAL
        if renewal and self._rng.random() < self._behaviour.walk_in:
            return Chain((Appointment(last.day, last, End.SERVED),), walk_in=True)
        how, proxy = self._how(procedure)
        if not renewal and not proxy and how is End.SERVED:
            return self._plain(last)
        match how:
            case End.MISSED | End.DEFERRED | End.LETTER:
                found = self._again(last, another, how)
            case End.MOVED | End.CANCELLED:
                found = self._changed(last, another, how)
            case _:
                found = None
        return Chain(found or (self._single(last, End.SERVED),), proxy)

    def together(self, seat: Seat) -> Chain:
        """The one appointment of a family, far enough ahead that every room has heard of all its
        bookings: who is not known to come with it would be served alone.
        """
        return Chain((self._single(seat, End.SERVED, least=2),))

    def waiting(self, given_up_on: date, seat: Seat) -> Chain:
        """The one appointment of who takes a seat on the day on which somebody gives it up."""
        return Chain((Appointment(given_up_on, seat, End.SERVED),))

    def ended(self, seat: Seat) -> Chain:
        """One appointment that the end of the case takes away."""
        return Chain((self._single(seat, End.VOID, least=3),))

    def _plain(self, seat: Seat) -> Chain:
        """A card's only appointment, at times early enough for the card to be sent there."""
        travels = self._rng.random() < self._behaviour.transferred
        least = max(2, ceil(_TRANSFER_DAYS / self._behaviour.acts_every)) if travels else 1
        return Chain((self._single(seat, End.SERVED, least),), travels=travels)

    def _how(self, procedure: Procedure) -> tuple[End, bool]:
        shares, drawn = self._behaviour, self._rng.random()
        for end, share in (
            (End.MISSED, shares.missed),
            (End.MOVED, shares.moved),
            (End.CANCELLED, shares.cancelled),
            (End.DEFERRED, shares.deferred),
            (End.LETTER, shares.proxy),
        ):
            if (drawn := drawn - share) < 0:
                if end is not End.LETTER:
                    return end, False
                # A card's proxy brings everything along; a renewal's has to wait for the letter.
                renewal = procedure is Procedure.CERTIFICATE_RENEWAL
                return (End.LETTER if renewal else End.SERVED), True
        return End.SERVED, False

    def _single(self, seat: Seat, end: End, least: int = 1) -> Appointment:
        shortest, longest = self._behaviour.booking_to_visit
        ahead = self._rng.randint(max(shortest, least), max(longest, least))
        return Appointment(self._days.before(seat.day, ahead), seat, end)

    def _again(self, last: Seat, another: Another, how: End) -> tuple[Appointment, ...] | None:
        """A visit in vain, and the last seat booked on the next business day."""
        wait = ceil(_LETTER_DAYS / self._behaviour.acts_every) if how is End.LETTER else 1
        until = self._days.number(last.day) - 1 - wait
        first = self._seat_until(until, another)
        if first is None:
            return None
        booked = self._days[self._days.number(first.day) + wait]
        return self._single(first, how), Appointment(booked, last, End.SERVED)

    def _changed(self, last: Seat, another: Another, how: End) -> tuple[Appointment, ...] | None:
        """Another seat that is given up for the last one, two business days ahead of both."""
        other = another()
        if other is None:
            return None
        soonest = min(self._days.number(other.day), self._days.number(last.day))
        made = self._single(min((other, last), key=lambda seat: seat.minute), how, least=3)
        changed = self._days[soonest - 2]
        return (
            Appointment(made.made_on, other, how),
            Appointment(changed, last, End.SERVED),
        )

    def _seat_until(self, number: int, another: Another) -> Seat | None:
        for _ in range(_TRIES):
            seat = another()
            if seat is None or self._days.number(seat.day) <= number:
                return seat
        return None

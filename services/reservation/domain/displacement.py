"""Which bookings lose their seats when there is room for fewer.

First come, first served: of those that do not all fit, whoever booked last has to leave. A party
stays together or leaves together.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from services.reservation.domain.booking import Booking
from services.reservation.domain.cells import party_cells
from shared.ids import WardCode


@dataclass(frozen=True, slots=True)
class Seated:
    """An active booking, the ward of its citizen, and when it was made.

    ``leaving``: it has lost its seat already, and only sits there until it has another.
    """

    booking: Booking
    ward: WardCode | None
    made_at: datetime
    leaving: bool = False


def without_room(
    seated: Iterable[Seated],
    room: Mapping[datetime, int],
    serves: Callable[[Seated], bool],
    cell_minutes: int,
) -> list[Booking]:
    """The bookings that lose their seats: not served any more, or not within ``room``.

    ``room`` is the capacity by cell (UTC); those leaving already take none of it.
    """
    left = dict(room)
    displaced: list[Booking] = []
    staying = sorted(
        (one for one in seated if not one.leaving),
        key=lambda one: (one.made_at, one.booking.party_id, one.booking.booking_id),
    )
    for _, group in groupby(staying, key=lambda one: one.booking.party_id):
        party = list(group)
        wanted = _wanted(party, cell_minutes)
        fits = all(left.get(at, 0) >= seats for at, seats in wanted.items())
        if fits and all(serves(one) for one in party):
            for at, seats in wanted.items():
                left[at] -= seats
        else:
            displaced += [one.booking for one in party]
    return displaced


def with_room(
    seated: Iterable[Seated],
    room: Mapping[datetime, int],
    serves: Callable[[Seated], bool],
    cell_minutes: int,
) -> list[Booking]:
    """Of those who are leaving, the parties for whom there is room again after all who stay."""
    everybody = list(seated)
    gone = {one.booking_id for one in without_room(everybody, room, serves, cell_minutes)}
    staying = [one for one in everybody if not one.leaving and one.booking.booking_id not in gone]
    left = dict(room)
    for at, seats in _wanted(staying, cell_minutes).items():
        left[at] = left.get(at, 0) - seats
    back = [replace(one, leaving=False) for one in everybody if one.leaving]
    lost = {one.booking_id for one in without_room(back, left, serves, cell_minutes)}
    return [one.booking for one in back if one.booking.booking_id not in lost]


def as_seated(seated: Iterable[Seated], cell_minutes: int) -> dict[datetime, int]:
    """Room for just those who sit there: then only what is no longer served has to leave."""
    room: dict[datetime, int] = {}
    for one in seated:
        for at, seats in _wanted([one], cell_minutes).items():
            room[at] = room.get(at, 0) + seats
    return room


def _wanted(party: Sequence[Seated], cell_minutes: int) -> dict[datetime, int]:
    wanted: dict[datetime, int] = {}
    for one in party:
        cells = party_cells(one.booking.starts_at, [one.booking.minutes], cell_minutes)
        for at, seats in cells.items():
            wanted[at] = wanted.get(at, 0) + seats
    return wanted

"""Who gets the seats that are left when several ask at once: whoever asked first.

A party gets all its seats or none; one that does not fit stands in nobody's way.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from shared.ids import SiteId

CellKey: TypeAlias = tuple[SiteId, datetime]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Seats by cell that a party asks for; ``kept`` seats of each it has to leave to others."""

    seats: Mapping[CellKey, int]
    kept: int = 0


def share_out(line: Sequence[Wanted], left: MutableMapping[CellKey, int]) -> list[bool]:
    """Whether each gets its seats, in the order of the line; ``left`` goes down with them."""
    return [_take(one, left) for one in line]


def give_back(one: Wanted, left: MutableMapping[CellKey, int]) -> None:
    """Undo what ``share_out`` gave to one of the line."""
    for cell, seats in one.seats.items():
        left[cell] += seats


def _take(one: Wanted, left: MutableMapping[CellKey, int]) -> bool:
    if any(left[cell] - seats < one.kept for cell, seats in one.seats.items()):
        return False
    for cell, seats in one.seats.items():
        left[cell] -= seats
    return True

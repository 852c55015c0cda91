"""The api of the room with a guard taken out, to see that the load proof notices.

Usage: ``python -m tests.load.broken seats|cases``
"""

import sys

from services.reservation.bootstrap import ROOM
from services.reservation.store import cases, cells
from shared.room import main

Guard = tuple[object, str, str, str]
SEATS: tuple[Guard, ...] = (
    (cells, "_LOCK_ALL", "least(c.capacity, c.target) - c.booked AS", "1000 AS"),
    (cells, "_CLAIM", "<= least(cell.capacity, cell.target) - $5", "<= 1000 + $5"),
)
CASES: tuple[Guard, ...] = ((cases, "_LOCK", "FOR NO KEY UPDATE SKIP LOCKED", ""),)


def take_out(guards: tuple[Guard, ...]) -> None:
    """Replace these parts of statements."""
    for module, name, part, instead in guards:
        statement: str = getattr(module, name)
        if part not in statement:
            raise SystemExit(f"{name} has changed: nothing is taken out")
        setattr(module, name, statement.replace(part, instead))


if __name__ == "__main__":
    take_out({"seats": SEATS, "cases": CASES}[sys.argv[1]])
    sys.argv = ["reservation", "api"]
    main(ROOM)

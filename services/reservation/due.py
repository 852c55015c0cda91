"""What becomes due by the clock in this room: a table, like the one of events.

Each entry is ``Due(name, work)``; what a work needs besides its unit it is given here.
"""

from collections.abc import Sequence

from shared.due import Due
from shared.room import Resources


def works(_: Resources) -> Sequence[Due]:
    """The due work of this room, in the order in which it is looked at."""
    return ()

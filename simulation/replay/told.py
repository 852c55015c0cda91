"""Visits as they are told when they are over: who came, when, and with what; made up, always alike.

None overlaps another at its counter, and a family, which has a seat each, takes as many counters.
"""

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from shared.contracts.base import Procedure
from simulation.replay.agenda import Turn
from simulation.replay.cases import End
from simulation.replay.proxies import come_for, states_of

Party = Sequence[Turn]
"""Those who are served together; mostly one."""
DOCUMENTS: Final = [{"class": "A", "type": "drivers_licence"}]
CERTIFICATES: Final = ["signing", "user_authentication"]
REASONS: Final[Mapping[End, str]] = {
    End.DEFERRED: "documents_missing",
    End.LETTER: "inquiry_letter",
}


def over(parties: Sequence[Party], bookings: Mapping[str, str]) -> list[Mapping[str, object]]:
    """The visits as they were: each at counters of its own of those that begin together."""
    counters: Counter[tuple[str, int]] = Counter()
    rows = []
    for party in parties:
        seat = party[0].appointment.seat
        at = (seat.site_id, seat.minute)
        rows.append(_row(party[0], who(party[0], bookings), str(counters[at] + 1)))
        counters[at] += len(party)
    return rows


def who(turn: Turn, bookings: Mapping[str, str]) -> dict[str, str]:
    """Who comes: a booked party, or somebody of a ward."""
    if turn.case.walk_in:
        return {"ward": turn.case.ward}
    return {"booking_id": bookings[turn.case.key]}


def moments(turn: Turn) -> tuple[datetime, datetime, datetime]:
    """When the party came, was called and left: early by up to ten minutes, called within four,
    and gone before the next are called.
    """
    drawn, starts = zlib.crc32(turn.case.key.encode()), turn.appointment.seat.starts_at
    came = starts - timedelta(seconds=drawn % 601)
    called = starts + timedelta(seconds=drawn // 601 % 241)
    return came, called, called + timedelta(seconds=540 + drawn // 145_000 % 361)


def _row(turn: Turn, comes: Mapping[str, str], counter: str) -> Mapping[str, object]:
    came, called, ended = moments(turn)
    row: dict[str, object] = {
        "verb": "serve",
        "site_id": turn.appointment.seat.site_id,
        **comes,
        "checked_in_at": came.isoformat(),
        "called_at": called.isoformat(),
        "ended_at": ended.isoformat(),
        "counter": counter,
    }
    if (proxy := come_for(turn)) is not None:
        row["proxy"] = proxy
    if (states := states_of(turn)) is not None:
        row["states"] = states
    if (reason := REASONS.get(turn.appointment.end)) is not None:
        return row | {"outcome": "deferred", "reason": reason}
    if turn.case.procedure is Procedure.CARD_ISSUANCE:
        return row | {"documents": DOCUMENTS, "pin_set": True}
    return row | {"pin_set": True, "certificates": CERTIFICATES}

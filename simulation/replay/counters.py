"""The counters: who has come is served, most in bulk, some step by step; the rest was missed.

A site signs its day off in the evening; only then is it told who did not come.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.calendar import business_date
from simulation.doors import Person
from simulation.replay.agenda import Turn
from simulation.replay.cases import End
from simulation.replay.crew import Crew, NotTakenError

_ROOM = "issuance"
_ON_ITS_WAY = ("booking-not-known", "booking-elsewhere", "booking-not-active", "not-notified")
_LANES = 3
"""Counters of a site at which somebody is served step by step at the same time."""
_DOCUMENTS = {"documents": [{"class": "A", "type": "drivers_licence"}]}
_STEPS: Mapping[str, Mapping[str, object]] = {
    "identity": _DOCUMENTS,
    "pin-set": {"confirmed": True},
}
_REASONS = {End.DEFERRED: "documents_missing", End.LETTER: "inquiry_letter"}


class Counters:
    """Does a day's visits."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self.served = 0
        """Cases completed so far."""

    async def serve(self, turns: Sequence[Turn]) -> None:
        """Serve whoever comes of these; who misses the visit does not."""
        come = [turn for turn in turns if turn.appointment.end is not End.MISSED]
        await self._crew.each(_lanes(come), self._lane)
        for turn in come:
            if turn.appointment.end is End.SERVED:
                self.served += 1
                self._crew.ledger.over(turn.case.key)

    async def sign_off(self, sites: Sequence[str]) -> None:
        """Close the day at these sites."""
        await self._crew.each(sites, self._close)

    async def _close(self, site_id: str) -> None:
        body = {"date": business_date(self._crew.clock.now).isoformat()}
        boss = self._crew.staff("supervisor")
        await self._crew.patiently(
            lambda: boss.post(_ROOM, f"/v1/sites/{site_id}/day:sign-off", body), "day-not-over"
        )

    async def _lane(self, lane: tuple[str, Sequence[Turn]]) -> None:
        counter, turns = lane
        for turn in turns:
            await self._serve(counter, turn)

    async def _serve(self, counter: str, turn: Turn) -> None:
        clerk, ledger, case = self._crew.staff("clerk"), self._crew.ledger, turn.case
        seat = turn.appointment.seat
        who = {"site_id": seat.site_id, "booking_id": ledger.bookings[case.key]}
        key = ledger.key("visit", case.key, turn.number)
        visit = await self._crew.patiently(
            lambda: clerk.post(_ROOM, "/v1/visits", who, key), *_ON_ITS_WAY
        )
        path = f"/v1/visits/{visit['visit_id']}"
        called = await clerk.post(_ROOM, f"{path}:call", {"counter": counter})
        at = f"{path}/cases/{ledger.cases[case.key]}"
        if (reason := _REASONS.get(turn.appointment.end)) is not None:
            await clerk.post(_ROOM, f"{at}/defer", {"reason": reason})
        else:
            await self._finish(clerk, at, called, ledger.key("end", case.key))

    async def _finish(self, clerk: Person, at: str, visit: Mapping[str, Any], key: str) -> None:
        """Do what the room names as the next step until nothing is left."""
        while (step := visit["cases"][0]["next_step"]) is not None:
            if step == "issue":
                visit = await clerk.post(_ROOM, f"{at}/issue", {}, key)
            elif step == "renew":
                certificates = {"certificates": ["signing", "user_authentication"]}
                visit = await clerk.post(_ROOM, f"{at}/renew", certificates, key)
            elif step in _STEPS:
                visit = await clerk.post(_ROOM, f"{at}/{step}", _STEPS[step])
            else:
                raise NotTakenError(f"a step that no clerk here knows: {step}")


def _lanes(turns: Sequence[Turn]) -> list[tuple[str, list[Turn]]]:
    """Who is served one after another, by site and counter."""
    lanes: dict[tuple[str, int], list[Turn]] = defaultdict(list)
    for number, turn in enumerate(turns):
        lanes[turn.appointment.seat.site_id, number % _LANES].append(turn)
    return [(f"R{lane}", each) for (_, lane), each in sorted(lanes.items())]


def come_by(turns: Sequence[Turn], at: datetime) -> list[Turn]:
    """Those whose appointment began before ``at``."""
    return [turn for turn in turns if turn.appointment.seat.starts_at < at]

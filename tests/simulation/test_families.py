"""A family of whom not all were known at the door, cut off between the two visits it takes."""

import json
from dataclasses import dataclass, field, replace

import httpx
import pytest

from simulation.clock import SimulatedClock
from simulation.replay.agenda import Turn
from simulation.replay.city import read_city
from simulation.replay.counters import Counters
from simulation.replay.crew import Crew, NotTakenError
from simulation.replay.ledger import open_ledger
from simulation.replay.pulse import Pulse
from simulation.replay.settings import Behaviour
from simulation.wire import Wire
from tests.simulation.standing_in import Rooms
from tests.simulation.test_resuming import CASE, CutOffError

FAMILY = [Turn(replace(CASE, key=key, family="A"), 0) for key in ("A", "B")]


@dataclass
class Issuance:
    """Answers as issuance does where it has heard of each booking by itself; ``cut`` is the first
    answer to B that is never heard."""

    cut: bool = True
    state: str = "open"
    handed_over: list[str] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What is asked for."""
        path = request.url.path
        if path == "/v1/visits":
            return self._arrive(json.loads(request.content)["booking_id"])
        key = path.split("/")[3].removesuffix(":call")
        if path.endswith("/issue"):
            self.handed_over.append(key)
            return self._visit(key, None)
        if key in self.handed_over:
            return httpx.Response(409, json={"type": "urn:madoguchi:problem:visit-ended"})
        return self._visit(key, "issue")

    def _arrive(self, key: str) -> httpx.Response:
        if key == "B" and self.cut:
            self.cut = False
            raise CutOffError
        return self._visit(key, "call")

    def _visit(self, key: str, step: str | None) -> httpx.Response:
        reason = "card_not_here" if self.state == "deferred" else None
        cases = [{"case_id": key, "next_step": step, "state": self.state, "reason": reason}]
        return httpx.Response(200, json={"visit_id": key, "cases": cases})


async def serve(room: Issuance) -> Counters:
    """The family's day, or once more what of it is not in the journal."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(room.answer)) as http:
        rooms, ledger = Rooms(), open_ledger(None, {})
        for known in (ledger.cases, ledger.bookings):
            known.update({turn.case.key: turn.case.key for turn in FAMILY})
        clock, pulse = SimulatedClock(rooms.settings), Pulse(Wire(), {})
        counters = Counters(Crew(rooms, read_city(), Behaviour(), http, clock, pulse, ledger))
        await counters.serve([FAMILY])
        return counters


async def test_who_had_a_visit_of_their_own_is_served_after_a_cut() -> None:
    room = Issuance()
    with pytest.raises(CutOffError):
        await serve(room)
    assert room.handed_over == ["A"]
    counters = await serve(room)
    assert room.handed_over == ["A", "B"]
    assert counters.served == 2


async def test_who_is_refused_at_the_door_is_named() -> None:
    with pytest.raises(NotTakenError, match="one of a family: card_not_here"):
        await serve(Issuance(cut=False, state="deferred"))

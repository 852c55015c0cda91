"""A day that was cut off is done again where sites are nearly full: who has asked for a free seat
asks for it again, although by now it shows as taken, for it is their own.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import httpx
import pytest

from shared.contracts.base import Procedure
from simulation.clock import SimulatedClock
from simulation.doors import RefusedError
from simulation.replay.agenda import Day, Turn
from simulation.replay.cases import Appointment, Case, End, Fate, Seat
from simulation.replay.citizens import Citizens
from simulation.replay.city import read_city
from simulation.replay.crew import Crew
from simulation.replay.ledger import Ledger, open_ledger
from simulation.replay.pulse import Pulse
from simulation.replay.settings import Behaviour
from simulation.wire import Wire
from tests.simulation.standing_in import Rooms

MADE_ON, VISIT = date(2025, 7, 1), date(2025, 7, 3)
SEAT = Seat("hall", VISIT.toordinal() * 24 * 60 + 600)
CASE = Case(
    key="C202507-000001",
    procedure=Procedure.CARD_ISSUANCE,
    ward="141313",
    site_id="hall",
    fate=Fate.COMPLETED,
    stepwise=True,
    proxy=False,
    birth_date=date(1980, 1, 1),
    certificate_ends_on=None,
    appointments=(Appointment(MADE_ON, SEAT, End.SERVED),),
)
NINE, TEN, ELEVEN = (f"2025-07-03T{hour}:00:00+09:00" for hour in ("09", "10", "11"))


class CutOffError(Exception):
    """The replay is interrupted before it hears an answer."""


@dataclass
class Reservation:
    """Answers as reservation does, with one seat for each of these times."""

    free: list[str]
    cut_at: str = ""
    holds: dict[str, tuple[object, Mapping[str, object]]] = field(default_factory=dict)
    booked: list[Mapping[str, object]] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What is asked for; at ``cut_at``, done without an answer."""
        path = request.url.path
        if path == "/v1/sessions":
            return httpx.Response(201, json={"access_token": "mine"})
        if path == "/v1/availability":
            starts = [{"starts_at": at} for at in self.free]
            return httpx.Response(200, json={"sites": [{"days": [{"starts": starts}]}]})
        answer = self._confirm() if path.endswith(":confirm") else self._hold(request)
        if self.cut_at and path.endswith(self.cut_at):
            self.cut_at = ""
            raise CutOffError
        return answer

    def _hold(self, request: httpx.Request) -> httpx.Response:
        key, body = request.headers["idempotency-key"], json.loads(request.content)
        if key in self.holds:
            assert self.holds[key][0] == body
            return httpx.Response(201, json=self.holds[key][1])
        if self.booked:
            return _refused("already-booked")
        if body["starts_at"] not in self.free:
            return _refused("slot-taken")
        self.free.remove(body["starts_at"])
        self.holds[key] = (body, {"hold_id": "hold"})
        return httpx.Response(201, json=self.holds[key][1])

    def _confirm(self) -> httpx.Response:
        self.booked = [{"case_id": "case", "booking_id": "booking"}]
        return httpx.Response(200, json={"bookings": self.booked})


def _refused(code: str) -> httpx.Response:
    return httpx.Response(409, json={"type": f"urn:madoguchi:problem:{code}"})


async def book(doors: Reservation, ledger: Ledger) -> None:
    """The citizen's day."""
    ledger.cases[CASE.key], ledger.notices[CASE.key] = "case", "7K2-481516"
    async with httpx.AsyncClient(transport=httpx.MockTransport(doors.answer)) as http:
        rooms = Rooms()
        clock, pulse = SimulatedClock(rooms.settings), Pulse(Wire(), {})
        crew = Crew(rooms, read_city(), Behaviour(), http, clock, pulse, ledger)
        await Citizens(crew).day(Day(MADE_ON, books=[Turn(CASE, 0)]))


@pytest.mark.parametrize("cut_at", ["/holds", ":confirm"])
async def test_what_was_asked_for_before_the_cut_is_asked_for_again(
    tmp_path: Path, cut_at: str
) -> None:
    doors, journal = Reservation([NINE, TEN], cut_at), tmp_path / "replay.jsonl"
    with pytest.raises(CutOffError):
        await book(doors, open_ledger(journal, {}))
    assert doors.free == [NINE]
    ledger = open_ledger(journal, {})
    await book(doors, ledger)
    assert ledger.bookings == {CASE.key: "booking"}
    assert doors.free == [NINE]
    ledger.close_day(MADE_ON)
    assert not open_ledger(journal, {}).wishes


async def test_who_finds_the_seat_gone_looks_again(tmp_path: Path) -> None:
    """Also after a cut: what could not be had then may have been taken since."""
    doors, journal = Reservation([ELEVEN]), tmp_path / "replay.jsonl"
    ledger = open_ledger(journal, {})
    ledger.wish(f"{CASE.key}/0", TEN)
    await book(doors, open_ledger(journal, {}))
    assert [body for body, _ in doors.holds.values()] == [
        {"case_ids": ["case"], "site_id": "hall", "starts_at": ELEVEN}
    ]
    with pytest.raises(RefusedError):
        await book(Reservation([]), open_ledger(None, {}))

"""A window whose period is over: neither the demo nor a replay opens it, and both go on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import httpx
import pytest

from shared.calendar import TOKYO
from shared.settings import KernelSettings
from simulation.clock import SimulatedClock
from simulation.demo import Story, _open_sites
from simulation.doors import RefusedError
from simulation.places import DATA
from simulation.replay.city import WARDS, read_city
from simulation.replay.crew import Crew, NotTakenError
from simulation.replay.ledger import open_ledger
from simulation.replay.pulse import Pulse
from simulation.replay.run import open_sites
from simulation.replay.settings import Behaviour
from simulation.wire import Wire

OVER = "window-nakahara"
APRIL = datetime(2027, 4, 1, 6, tzinfo=TOKYO)


@dataclass
class Doors:
    """Reservation as it answers where a window has been closed; satisfies ``House``."""

    said: str = "site-not-openable"
    opened: list[str] = field(default_factory=list)
    apis: Mapping[str, str] = field(default_factory=lambda: {"reservation": "http://rooms"})
    processes: Mapping[str, str] = field(default_factory=dict)
    settings: KernelSettings = field(default_factory=KernelSettings)
    token: Callable[[Sequence[str], Sequence[str]], str] = lambda *_: "t"
    colleague: Callable[[Sequence[str], str], str] = lambda *_: "t"

    def answer(self, request: httpx.Request) -> httpx.Response:
        """As reservation does."""
        if request.url.path.endswith(":import"):
            row = {"line": 2, "site_id": OVER, "refusal": {"code": "site-closed"}}
            return httpx.Response(200, json={"results": [row]})
        site_id = request.url.path.rpartition("/")[2].removesuffix(":open")
        if site_id == OVER:
            return httpx.Response(409, json={"type": f"urn:madoguchi:problem:{self.said}"})
        self.opened.append(site_id)
        return httpx.Response(200, json={})


async def test_the_demo_goes_on() -> None:
    doors = Doors()
    async with httpx.AsyncClient(transport=httpx.MockTransport(doors.answer)) as http:
        story = Story(doors, http, SimulatedClock(doors.settings), lambda *_, **__: None)
        await _open_sites(story)
        assert len(doors.opened) == 13
        doors.said = "site-incomplete"
        with pytest.raises(RefusedError):
            await _open_sites(story)


async def test_a_replay_goes_on_and_tells_of_a_row_that_matters() -> None:
    doors, clock = Doors(), SimulatedClock(KernelSettings())
    city = read_city(WARDS, DATA / "sites.csv")
    async with httpx.AsyncClient(transport=httpx.MockTransport(doors.answer)) as http:
        pulse, ledger = Pulse(Wire(), {}), open_ledger(None, {})
        crew = Crew(doors, city, Behaviour(), http, clock, pulse, ledger)
        clock.now = APRIL
        await open_sites(crew)
        assert OVER not in doors.opened
        assert len(doors.opened) == 11
        clock.now = APRIL.replace(year=2026)
        with pytest.raises(NotTakenError):
            await open_sites(crew)

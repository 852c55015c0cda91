"""How fast a month of demand goes through the whole house, and where the time goes.

July of FY R7 by default; a share of it, or other months, by ``--scale``, ``--from`` and ``--to``.
The baseline of cases per second is what the plan's aim needs (41,392 procedures in 180 s).
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path

import psutil
import uvloop

from deploy.cli.replay import SETTINGS, House
from deploy.embedded.plan import DEFAULT_PORTS, Plan
from deploy.embedded.ports import free_ports
from deploy.embedded.stack import Stack
from simulation.replay.city import DEMAND, read_city
from simulation.replay.demand import chosen, parse_month, read_demand, scaled
from simulation.replay.ledger import open_ledger
from simulation.replay.plan import Planner
from simulation.replay.result import Result
from simulation.replay.run import Standing, replay
from simulation.replay.settings import read_behaviour
from tests.benchmarks.report import Figure, report
from tests.conftest import JARS

AIM = 41_392 / 180
SIMULATION = "simulation"


class Usage:
    """CPU seconds and the most memory of each part of a house, looked at every second."""

    def __init__(self, house: Stack) -> None:
        self._parts: dict[str, psutil.Process] = {
            name: psutil.Process(record.pid)
            for name in house.parts.names
            if (record := house.parts.running(name))
        }
        self._ended = threading.Event()
        self.megabytes: dict[str, float] = dict.fromkeys(self._parts, 0.0)
        self.seconds: dict[str, float] = {}

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look for as long as the block lasts."""
        self.megabytes |= {SIMULATION: 0.0}
        before = self._cpu()
        watcher = threading.Thread(target=self._watch, daemon=True)
        watcher.start()
        yield
        self._ended.set()
        watcher.join()
        self.seconds = {name: now - before[name] for name, now in self._cpu().items()}

    def _watch(self) -> None:
        while not self._ended.wait(1.0):
            for name, process in {**self._parts, SIMULATION: psutil.Process()}.items():
                with suppress(psutil.NoSuchProcess):
                    held = process.memory_info().rss / 2**20
                    self.megabytes[name] = max(self.megabytes[name], held)

    def _cpu(self) -> dict[str, float]:
        spent = {name: _cpu_of(process) for name, process in self._parts.items()}
        own = psutil.Process().cpu_times()
        return spent | {SIMULATION: own.user + own.system}


def _cpu_of(process: psutil.Process) -> float:
    """Of the process and its children, those that have ended included."""
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        try:
            spent = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += spent.user + spent.system + spent.children_user + spent.children_system
    return total


def _quiet(standing: Standing) -> None:
    if standing.expected:
        print(f"{standing.day} {standing.completed}/{standing.expected} lag {standing.lag}")


def _figures(result: Result, usage: Usage) -> list[Figure]:
    seconds = result.seconds
    completed = sum(cell.completed for cell in result.cells)
    told, handled = result.events_published, result.events_handled
    return [
        Figure("cases completed", completed / seconds, "/s", AIM),
        Figure("events told", told / seconds, "/s"),
        Figure("events handled", handled / seconds, "/s"),
        Figure("seconds in all", seconds, "s"),
        *(Figure(f"of it: {name}", spent, "s", seconds) for name, spent in result.phases.items()),
        *(
            Figure(f"CPU of {name}", spent, "s", seconds)
            for name, spent in sorted(usage.seconds.items(), key=lambda one: -one[1])
        ),
        *(
            Figure(f"memory of {name}", held, "MiB", 600)
            for name, held in sorted(usage.megabytes.items(), key=lambda one: -one[1])
        ),
    ]


def main() -> None:
    """Replay in a house of its own, and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=Fraction, default=Fraction(1))
    parser.add_argument("--from", dest="first", type=parse_month, default=parse_month("2025-07"))
    parser.add_argument("--to", dest="last", type=parse_month, default=parse_month("2025-07"))
    parser.add_argument("--behaviour", type=Path, help="TOML, as of `madoguchi replay`")
    wanted = parser.parse_args()
    demand = scaled(chosen(read_demand(DEMAND), wanted.first, wanted.last, DEMAND), wanted.scale)
    behaviour = read_behaviour(wanted.behaviour)
    planner = Planner.of(demand, read_city(), behaviour, scale=wanted.scale)
    with tempfile.TemporaryDirectory(prefix="madoguchi-replay-") as folder:
        ports = zip(DEFAULT_PORTS, free_ports(len(DEFAULT_PORTS)), strict=True)
        own = {f"MADOGUCHI_{name}": str(port) for name, port in ports}
        house = Stack(Plan.read(Path(folder), {**SETTINGS, "MADOGUCHI_CACHE": str(JARS), **own}))
        house.up()
        try:
            usage = Usage(house)
            with usage.watched():
                ledger = open_ledger(None, {})
                result = uvloop.run(replay(House.of(house), planner, ledger, _quiet))
        finally:
            house.down()
    if result.differing():
        raise SystemExit("a cell is not as planned: these figures mean nothing")
    report("replay", _figures(result, usage))


if __name__ == "__main__":
    began = time.monotonic()
    main()
    print(f"{time.monotonic() - began:.0f} s with start and stop")

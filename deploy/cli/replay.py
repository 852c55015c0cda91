"""`replay`: a city's demand, month by month, through the running rooms.

Invariant: what the command started it stops, whatever happens; what ran before goes on running.
Interrupted, it can go on where it was: the journal lies in the data folder.
"""

import hashlib
import json
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.display import Display, talk
from deploy.cli.options import HOME, stack
from deploy.cli.replay_bar import ReplayBar
from deploy.embedded.errors import OperatorError
from deploy.embedded.plan import ROLES, ROOMS

if TYPE_CHECKING:
    from deploy.embedded.stack import Stack
    from shared.settings import KernelSettings
    from simulation.replay.ledger import Ledger
    from simulation.replay.plan import Planner
    from simulation.replay.result import Result

REPLAYS = HOME / "replay"
JOURNAL = "replay.jsonl"
SETTINGS = {
    "MADOGUCHI_CLOCK": "replay",
    # The jars of the main installation serve here too.
    "MADOGUCHI_CACHE": str(HOME / "cache"),
    # A replay asks how much goes through, not how soon one event is heard.
    "MADOGUCHI_GATHER_SECONDS": "0.2",
    # Nor what was asked: the journal says it.
    "MADOGUCHI_LOG_LEVEL": "WARNING",
}

Demand = Annotated[
    Path | None,
    typer.Option(help="CSV month,service,basis,count; Kawasaki's plan without it."),
]
From = Annotated[str | None, typer.Option("--from", help="First month, as 2025-04.")]
To = Annotated[str | None, typer.Option("--to", help="Last month, as 2026-03.")]
Scale = Annotated[str, typer.Option(help="Share of the demand that is replayed: 1, 0.01, 1/1000.")]
Seed = Annotated[int, typer.Option(help="The same seed, the same replay.")]
Wards = Annotated[Path | None, typer.Option(help="CSV of the wards and their population.")]
Sites = Annotated[
    Path | None,
    typer.Option(help="CSV of the sites; site_hours.csv and site_acceptance.csv beside it."),
]
Conduct = Annotated[Path | None, typer.Option("--behaviour", help="TOML of other shares.")]
Json = Annotated[Path | None, typer.Option("--json", help="Write the outcome to this file.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Begin in a new folder of its own.")]
Folder = Annotated[
    Path, typer.Option("--data", envvar="MADOGUCHI_HOME", help="Folder of the replay's data.")
]


@dataclass(frozen=True, slots=True)
class House:
    """Where the replay finds the city. Satisfies `simulation.replay.crew.House`."""

    apis: Mapping[str, str]
    processes: Mapping[str, str]
    token: Callable[[Sequence[str], Sequence[str]], str]
    colleague: Callable[[Sequence[str], str], str]
    settings: "KernelSettings"

    @classmethod
    def of(cls, house: "Stack") -> "House":
        """The doors of an embedded installation."""
        plan = house.plan
        return cls(
            apis={room: plan.url(room) for room in ROOMS},
            processes={
                f"{room}-{role}": f"http://127.0.0.1:{plan.port(room, role)}"
                for room in ROOMS
                for role in ROLES
            },
            token=house.token,
            colleague=lambda roles, name: house.token(roles, ["*"], subject=name),
            settings=house.settings(),
        )


def replay(
    *,
    demand: Demand = None,
    first: From = None,
    last: To = None,
    scale: Scale = "1.0",
    seed: Seed = 1,
    wards: Wards = None,
    sites: Sites = None,
    behaviour: Conduct = None,
    out: Json = None,
    fresh: Fresh = False,
    data: Folder = REPLAYS,
) -> None:
    """Replay months of demand through the rooms and compare the table. Ctrl-C stops; the same
    command goes on. Exit code 1 where a cell is not as planned.
    """
    plan = _plan(_Wanted(demand, first, last, scale, seed, wards, sites, behaviour))
    folder = data / f"{datetime.now():%Y%m%d-%H%M%S}" if fresh else data  # noqa: DTZ005  a name
    ledger = _ledger(folder, plan)
    house = stack(folder, **SETTINGS)
    with Display() as display:
        started = house.up(display)
    try:
        result = _run(house, plan, ledger)
    finally:
        # A second Ctrl-C must not leave half of it running.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if started:
            with Display() as display:
                house.stop(started, display)
    _show(result)
    if out is not None:
        out.write_text(json.dumps(result.shown(), indent=2) + "\n", encoding="utf-8")
    if result.differing():
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class _Wanted:
    demand: Path | None
    first: str | None
    last: str | None
    scale: str
    seed: int
    wards: Path | None
    sites: Path | None
    behaviour: Path | None


def _plan(wanted: _Wanted) -> "Planner":
    """The plan of these files; raises before anything is started."""
    from simulation.replay import city, demand, plan, settings  # noqa: PLC0415

    path = wanted.demand or city.DEMAND
    scale = _scale(wanted.scale)
    months = demand.chosen(
        demand.read_demand(path), _month("--from", wanted.first), _month("--to", wanted.last), path
    )
    if not months:
        raise OperatorError(
            "--to lies before --from: no month is left.", "--to が --from より前です。"
        )
    return plan.Planner.of(
        demand.scaled(months, scale),
        city.read_city(wanted.wards or city.WARDS, wanted.sites or city.SITES),
        settings.read_behaviour(wanted.behaviour),
        scale=scale,
        seed=wanted.seed,
    )


def _ledger(folder: Path, plan: "Planner") -> "Ledger":
    """The journal of this replay. Raises ``OtherReplay`` where the folder has another's."""
    from simulation.replay.ledger import open_ledger  # noqa: PLC0415

    said = f"{plan.demand}|{plan.city}|{plan.behaviour}"
    arguments = {
        "months": f"{plan.months[0]:%Y-%m} to {plan.months[-1]:%Y-%m}",
        "scale": str(plan.scale),
        "seed": str(plan.seed),
        "files": hashlib.sha256(said.encode()).hexdigest()[:12],
    }
    return open_ledger(folder / JOURNAL, arguments)


def _run(house: "Stack", plan: "Planner", ledger: "Ledger") -> "Result":
    import httpx  # noqa: PLC0415
    import uvloop  # noqa: PLC0415

    from simulation.clock import ClockNotFollowedError  # noqa: PLC0415
    from simulation.doors import RefusedError  # noqa: PLC0415
    from simulation.replay.crew import NotTakenError  # noqa: PLC0415
    from simulation.replay.run import replay as run  # noqa: PLC0415

    folder = house.plan.home.root
    try:
        with ReplayBar() as bar:
            return uvloop.run(run(House.of(house), plan, ledger, bar))
    except KeyboardInterrupt:
        talk().print(
            f"Interrupted. The same command with --data {folder} goes on; without --fresh.",
            soft_wrap=True,
        )
        raise
    except (RefusedError, NotTakenError, ClockNotFollowedError, TimeoutError, httpx.HTTPError) as e:
        logs = house.plan.home.logs
        raise OperatorError(
            f"The replay could not go on: {e or type(e).__name__}. The logs are in {logs}; the "
            f"same command with --data {folder} goes on where it was.",
            f"再生を続けられませんでした: {e or type(e).__name__}。ログは {logs} にあります。"
            f"同じコマンドに --data {folder} を付けると続きから再開します。",
        ) from e


def _show(result: "Result") -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    columns = ("month", "service", "demanded", "completed", "carried")
    table = Table(*columns, title="Demand, and what reporting has counted")
    for cell in result.cells:
        table.add_row(*(str(value) for value in cell.shown().values()))
    Console().print(table)
    rate = result.cases / max(result.seconds, 0.1)
    talk().print(
        f"{result.cases} cases in {result.seconds:.0f} s ({rate:.0f}/s), "
        f"{result.events_published} events told and {result.events_handled} handled."
    )
    spent = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in result.phases.items())
    talk().print(f"It waited for: {spent}.", soft_wrap=True)
    if happened := ", ".join(f"{count} {name}" for name, count in result.happened.items()):
        talk().print(f"On the way: {happened}.", soft_wrap=True)
    talk().print(f"State hash: {result.state_hash}", soft_wrap=True)
    for cell in result.cells:
        if cell.carried:
            talk().print(
                f"[yellow]{cell.month:%Y-%m} {cell.service}: the sites have no seats for "
                f"{cell.carried}; they are carried into the next month.[/]"
            )
    for cell in result.differing():
        talk().print(f"[red]{cell.month:%Y-%m} {cell.service} is not as planned.[/]")


def _scale(text: str) -> Fraction:
    try:
        scale = Fraction(text)
    except (ValueError, ZeroDivisionError):
        scale = Fraction(0)
    if not 0 < scale <= 1:
        raise OperatorError(
            f"--scale {text} is not a share. Write a number above 0 and up to 1: 1, 0.01, 1/1000.",
            f"--scale {text} は使えません。0より大きく1以下の数で指定してください。",
        )
    return scale


def _month(name: str, text: str | None) -> date | None:
    from simulation.replay.demand import parse_month  # noqa: PLC0415

    try:
        return None if text is None else parse_month(text)
    except ValueError:
        raise OperatorError(
            f"{name} {text} is not a month. Write it as 2025-04.",
            f"{name} {text} は年月ではありません。2025-04 の形式で指定してください。",
        ) from None

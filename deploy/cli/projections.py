"""`projections`: the read models of reporting, and building one again from the topics.

Invariant: while one is built, the live one goes on and is asked; ended early, nothing has changed,
and the next run goes on where this one was.
"""

import asyncio
import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.display import Display, talk
from deploy.cli.options import HOME, AsJson, Data, plan, stack
from deploy.cli.rooms import open_database
from deploy.cli.topics import reach
from deploy.embedded.errors import OperatorError

if TYPE_CHECKING:
    from services.reporting.handlers.projection import Projection
    from services.reporting.rebuild import Rebuilt
    from services.reporting.store.projections import State

ROOM = "reporting"
app = typer.Typer(help="Read models of reporting.", no_args_is_help=True)

Names = Annotated[list[str] | None, typer.Argument(help="Which ones; all without a name.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Throw away what a rebuild has built so far.")]

Compare = Annotated[
    bool, typer.Option(help="Compare old and new rows at the switch; writers wait meanwhile.")
]


@app.command("list")
def list_(data: Data = HOME, as_json: AsJson = False) -> None:
    """Each read model: its live generation, since when, whether another is being built, and whether
    an upgrade asks for that."""
    states, behind = asyncio.run(_states(data))
    if as_json:
        told = [asdict(state) | {"rebuild_needed": state.name in behind} for state in states]
        typer.echo(json.dumps(told, indent=2, default=str))
        return
    from rich.console import Console  # noqa: PLC0415 - not for --json
    from rich.table import Table  # noqa: PLC0415

    table = Table("read model", "generation", "since", "being built", "after the upgrade")
    for state in states:
        since = state.switched_at.isoformat(timespec="seconds") if state.switched_at else ""
        building = "" if state.building is None else str(state.building)
        needed = "rebuild needed" if state.name in behind else ""
        table.add_row(state.name, str(state.live), since, building, needed)
    Console().print(table)


@app.command()
def rebuild(
    names: Names = None, fresh: Fresh = False, compare: Compare = True, data: Data = HOME
) -> None:
    """Build read models again from offset zero, beside the live ones, and switch to them."""
    chosen = _chosen(names)
    asyncio.run(_states(data))  # where the database is away, it is told in its own words
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    for projection in chosen:
        with Display() as display:
            done = _rebuild(data, projection, display, fresh=fresh, compare=compare)
        talk().print(_sentence(done))


def _rebuild(
    data: Path, projection: "Projection", display: Display, *, fresh: bool, compare: bool
) -> "Rebuilt":
    from services.reporting.rebuild import rebuild as build  # noqa: PLC0415
    from shared.settings import KernelSettings  # noqa: PLC0415

    house = plan(data)
    settings = KernelSettings(kafka_bootstrap_servers=house.bootstrap)
    url = stack(data).database_url(ROOM)

    def tell(done: int, total: int) -> None:
        display(projection.name, done=done, total=total)

    work = build(url, settings, projection, tell=tell, fresh=fresh, compare=compare)
    return reach(house, work)


def _chosen(names: list[str] | None) -> list["Projection"]:
    from services.reporting.events import PROJECTIONS  # noqa: PLC0415

    known = {projection.name: projection for projection in PROJECTIONS}
    for name in names or ():
        if name not in known:
            raise OperatorError(
                f"There is no read model {name!r}. Read models: {', '.join(known)}.",
                f"{name!r} という集計はありません。集計: {', '.join(known)}",
            )
    return [known[name] for name in names or known]


async def _states(data: Path) -> tuple[list["State"], list[str]]:
    """Each read model, and the names of those that lack what an upgrade added."""
    from services.reporting.store import projections  # noqa: PLC0415

    async with open_database(stack(data), ROOM) as database, database.reader() as conn:
        names = [projection.name for projection in _chosen(None)]
        return await projections.states(conn, names), await projections.behind(conn)


def _sentence(done: "Rebuilt") -> str:
    same = {True: "the same rows as before", False: "other rows than before", None: "not compared"}
    return (
        f"{done.name}: generation {done.generation} is live, from {done.records} records;"
        f" {same[done.same]}."
    )

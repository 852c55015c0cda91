"""`dead-letters`: see messages that could not be handled, and decide about them."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.display import talk
from deploy.cli.options import HOME, AsJson, Data, stack
from deploy.cli.rooms import open_database, operator, require_room, units
from deploy.embedded.plan import ROOMS

if TYPE_CHECKING:
    from shared.messaging.dead_letters import DeadLetter
    from shared.unit import Unit

PAGE = 500

app = typer.Typer(help="Messages that used up their tries.", no_args_is_help=True)

OneRoom = Annotated[str | None, typer.Option("--room", help="Only this room.")]
Room = Annotated[str, typer.Argument(help="The room that could not handle the message.")]
Number = Annotated[int, typer.Argument(help="Its number in the list.")]
Reason = Annotated[str, typer.Option("--reason", help="Why it is dropped; kept in the audit.")]


@app.command("list")
def list_letters(room: OneRoom = None, data: Data = HOME, as_json: AsJson = False) -> None:
    """What waits for a decision, in every room."""
    rooms = (require_room(room),) if room else ROOMS
    found = asyncio.run(_collect(data, rooms))
    if as_json:
        rows = [{"room": name, **_plain(letter)} for name, each in found.items() for letter in each]
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    elif any(found.values()):
        _table(found)
    else:
        talk().print("No dead letters.")


@app.command()
def show(room: Room, number: Number, data: Data = HOME) -> None:
    """One dead letter with its reason and trace, as JSON."""
    letter = asyncio.run(_show(data, require_room(room), number))
    typer.echo(json.dumps(_plain(letter), indent=2, ensure_ascii=False))


@app.command()
def replay(room: Room, number: Number, data: Data = HOME) -> None:
    """Handle it again now; the messages of its key that wait behind it follow."""
    from shared.messaging.dead_letters import replay as again  # noqa: PLC0415

    asyncio.run(_decide(data, require_room(room), lambda unit: again(unit, number)))
    talk().print(f"{room}: dead letter {number} is being handled again.")


@app.command()
def discard(room: Room, number: Number, reason: Reason, data: Data = HOME) -> None:
    """Drop it for good, so that its key goes on without it."""
    from shared.messaging.dead_letters import discard as drop  # noqa: PLC0415

    asyncio.run(_decide(data, require_room(room), lambda unit: drop(unit, number, reason)))
    talk().print(f"{room}: dead letter {number} was dropped.")


async def _collect(data: Path, rooms: tuple[str, ...]) -> dict[str, list["DeadLetter"]]:
    return {room: await _all(data, room) for room in rooms}


async def _all(data: Path, room: str) -> list["DeadLetter"]:
    from shared.messaging.dead_letters import list_dead_letters  # noqa: PLC0415

    found: list[DeadLetter] = []
    async with open_database(stack(data), room) as database, database.reader() as conn:
        while page := await list_dead_letters(conn, after=found[-1].id if found else 0, limit=PAGE):
            found += page
    return found


async def _show(data: Path, room: str, number: int) -> "DeadLetter":
    from shared.messaging.dead_letters import show as read  # noqa: PLC0415

    async with open_database(stack(data), room) as database, database.reader() as conn:
        return await read(conn, number)


async def _decide(data: Path, room: str, decision: Callable[["Unit"], Awaitable[None]]) -> None:
    async with (
        open_database(stack(data), room) as database,
        units(database, room).begin(operator()) as unit,
    ):
        await decision(unit)


def _plain(letter: "DeadLetter") -> dict[str, object]:
    return {**asdict(letter), "parked_at": letter.parked_at.isoformat()}


def _table(found: dict[str, list["DeadLetter"]]) -> None:
    from rich.console import Console  # noqa: PLC0415 - not for --json
    from rich.table import Table  # noqa: PLC0415

    table = Table("room", "number", "event", "subject", "since", "behind it", "reason")
    for room, letters in found.items():
        for letter in letters:
            since = letter.parked_at.isoformat(timespec="seconds")
            cells = (room, letter.id, letter.type, letter.subject, since, letter.waiting)
            table.add_row(*map(str, cells), letter.reason)
    Console().print(table)

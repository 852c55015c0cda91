"""`audit`: proof that the audit log is whole."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.display import Display, talk
from deploy.cli.options import HOME, Data, stack
from deploy.cli.rooms import reached, require_room
from deploy.embedded.plan import ROOMS
from deploy.embedded.progress import Progress

if TYPE_CHECKING:
    from deploy.embedded.stack import Stack
    from shared.security.verify import Report

app = typer.Typer(help="The audit log.", no_args_is_help=True)

OneRoom = Annotated[str | None, typer.Option("--room", help="Only this room.")]
Keys = Annotated[
    Path | None,
    typer.Option("--keys", help="PEM file of the keys that signed the checkpoints."),
]


@app.callback()
def group() -> None:
    """The audit log."""


@app.command()
def verify(room: OneRoom = None, keys: Keys = None, data: Data = HOME) -> None:
    """Recompute every chain and compare it with the signed checkpoints. Exit code 1 when an
    entry was changed, removed or inserted, or the end was cut.
    """
    rooms = (require_room(room),) if room else ROOMS
    house = stack(data)
    with Display() as display:
        reports = {name: asyncio.run(_verify(house, name, keys, display)) for name in rooms}
    for name, report in reports.items():
        talk().print(_sentence(name, report))
    if not all(report.ok for report in reports.values()):
        raise typer.Exit(1)


async def _verify(house: "Stack", room: str, keys: Path | None, progress: Progress) -> "Report":
    from shared.db import session  # noqa: PLC0415
    from shared.security.checkpoints import CheckpointStore, read_public_keys  # noqa: PLC0415
    from shared.security.verify import verify as verify_chain  # noqa: PLC0415
    from shared.settings import KernelSettings  # noqa: PLC0415

    public = read_public_keys(keys or house.audit_keys())
    with reached(room):
        conn = await session(house.database_url(room), application="madoguchi-cli")
    try:
        return await verify_chain(
            conn,
            # The name the room's sealer gives its chain.
            checkpoints=CheckpointStore(house.database_url("audit"), KernelSettings().source(room)),
            keys=public,
            progress=lambda done, total: progress(f"audit of {room}", done=done, total=total),
        )
    finally:
        await conn.close()


def _sentence(room: str, report: "Report") -> str:
    counts = f"{report.sealed} sealed, {report.unsealed} waiting, {report.checkpoints} checkpoints"
    if report.first_break is None:
        return f"[green]{room}: whole[/] ({counts})"
    return f"[red]{room}: {report.first_break.wrong}: {report.first_break.text}[/] ({counts})"

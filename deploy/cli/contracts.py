"""`contracts`: the written contracts, made from the rooms' tables and compared with them."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.display import talk

app = typer.Typer(help="Event contracts under docs/contracts/.", no_args_is_help=True)

Root = Annotated[Path, typer.Option("--root", help="Folder of the project.")]


@app.command()
def write(root: Root = Path()) -> None:
    """Write the documents as the code says."""
    from deploy.contracts import write as write_all  # noqa: PLC0415 - loads every room

    changed = write_all(root)
    for path in changed:
        talk().print(f"written: {path}")
    if not changed:
        talk().print("Nothing changed.")


@app.command()
def check(root: Root = Path()) -> None:
    """Compare the documents with the code, and the code with the last release. Exit code 1
    when something differs or breaks.
    """
    from deploy.contracts import check as check_all  # noqa: PLC0415
    from deploy.contracts import compared_with  # noqa: PLC0415

    wrong = check_all(root)
    for sentence in wrong:
        talk().print(f"[red]{sentence}[/]")
    talk().print(compared_with(root))
    if wrong:
        raise typer.Exit(1)
    talk().print("Contracts hold.")

"""Options that several commands share."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.embedded.plan import DEFAULT_HOME, Plan

if TYPE_CHECKING:
    from deploy.embedded.stack import Stack

Data = Annotated[
    Path,
    typer.Option("--data", envvar="MADOGUCHI_HOME", help="Folder of the installation's data."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
HOME = DEFAULT_HOME


def plan(data: Path, **settings: str) -> Plan:
    """The installation that the folder and the environment describe; `settings` come last."""
    return Plan.read(data, {**settings, **os.environ})


def stack(data: Path, **settings: str) -> "Stack":
    """The same, ready to be started, asked or stopped."""
    from deploy.embedded.stack import Stack  # noqa: PLC0415 - only commands that need it pay

    return Stack(plan(data, **settings))

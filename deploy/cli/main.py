"""The `madoguchi` command.

Invariant: an error that the operator can put right ends in one clear sentence and exit code 1,
never in a stack trace; anything else is a fault of ours and shows its trace.
"""

import signal
import sys
from types import FrameType

import typer

from deploy.cli import (
    audit,
    clock,
    contracts,
    dead_letters,
    demo,
    house,
    lots,
    projections,
    replay,
    status,
    token,
    topics,
)
from deploy.embedded.errors import OperatorError, speaks_japanese

app = typer.Typer(
    help="Madoguchi: issuance of My Number Cards, run and looked after.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(house.up)
app.command()(house.down)
app.command()(status.status)
app.command()(house.migrate)
app.command()(demo.demo)
app.command()(replay.replay)
app.command()(token.token)
app.add_typer(topics.app, name="topics")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(contracts.app, name="contracts")
app.add_typer(audit.app, name="audit")
app.add_typer(clock.app, name="clock")
app.add_typer(lots.app, name="lots")
app.add_typer(projections.app, name="projections")


def main() -> None:
    """Entry point."""
    signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        app()
    except Exception as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        typer.secho(sentence, fg=typer.colors.RED, err=True)
        sys.exit(1)


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    """End as Ctrl-C does, so that what was started is stopped."""
    raise KeyboardInterrupt


def _sentence(error: Exception) -> str | None:
    """What to tell the operator; None for a fault of ours."""
    if isinstance(error, OperatorError):
        return str(error)
    if "shared.errors" in sys.modules:
        from shared.errors import Problem  # noqa: PLC0415 - loaded already, if at all

        if isinstance(error, Problem):
            said = (error.detail, error.remedy)
            return " ".join(text.ja if speaks_japanese() else text.en for text in said)
    return None

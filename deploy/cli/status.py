"""`status`: each process, its readiness, and what waits, at a glance."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

import typer

from deploy.cli.options import HOME, AsJson, Data, plan
from deploy.embedded.parts import ISSUER, KAFKA, POSTGRES, Parts
from deploy.embedded.probes import Figures, Readiness, figures, readiness

COLOURS = {"ready": "green", "external": "cyan", "not ready": "yellow"}


@dataclass(frozen=True, slots=True)
class Line:
    """What is shown of one process. `state`: `ready`, `not ready`, `stopped` or `external`."""

    part: str
    state: str
    pid: int | None
    memory_mb: int | None
    ports: str
    missing: str
    figures: Figures


def status(data: Data = HOME, as_json: AsJson = False) -> None:
    """Show every process: readiness, lag, oldest unpublished row, dead letters, what to rebuild.

    Exit code 0 when all is ready, 1 otherwise.
    """
    lines = gather(Parts(plan(data)))
    if as_json:
        typer.echo(json.dumps([asdict(line) for line in lines], indent=2))
    else:
        _show(lines)
    raise typer.Exit(0 if all(line.state in ("ready", "external") for line in lines) else 1)


def gather(parts: Parts) -> list[Line]:
    """Ask every process of the installation, side by side."""
    with ThreadPoolExecutor(len(parts.names)) as pool:
        own = list(pool.map(lambda part: _line(parts, part), parts.names))
    away = [part for part in (POSTGRES, KAFKA, ISSUER) if part not in parts.names]
    return [_elsewhere(part) for part in away] + own


def _elsewhere(part: str) -> Line:
    return Line(part, "external", None, None, "", "", Figures())


def _line(parts: Parts, part: str) -> Line:
    import psutil  # noqa: PLC0415 - the other commands do without

    record = parts.running(part)
    process = record.process() if record else None
    if record is None or process is None:
        return Line(part, "stopped", None, None, "", "", Figures())
    try:
        memory = process.memory_info().rss // 2**20
    except psutil.NoSuchProcess:
        memory = None
    told = _readiness(parts, part)
    return Line(
        part=part,
        state="ready" if told.ready else "not ready",
        pid=record.pid,
        memory_mb=memory,
        ports=", ".join(str(port) for port in record.ports.values()),
        missing=", ".join(f"{name}: {why}" for name, why in told.missing.items()),
        figures=figures(record.ports["http"]) if part in parts.services else Figures(),
    )


def _readiness(parts: Parts, part: str) -> Readiness:
    if part == KAFKA:
        return Readiness(parts.kafka.answers())
    if part == POSTGRES:
        return Readiness(parts.postgres.answers())
    port = parts.plan.ports["ISSUER_PORT"] if part == ISSUER else _port(parts, part)
    return readiness(port)


def _port(parts: Parts, part: str) -> int:
    room, _, role = part.rpartition("-")
    return parts.plan.port(room, role)


def _needs(line: Line) -> str:
    """What is missing, and what an upgrade left to be done: figures of the past lack something."""
    behind = line.figures.projections_behind
    rebuild = "madoguchi projections rebuild" if behind else ""
    return ", ".join(each for each in (line.missing, rebuild) if each)


def _show(lines: list[Line]) -> None:
    from rich import box  # noqa: PLC0415 - not for --json
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("process", "state"):
        table.add_column(name, no_wrap=True)
    for name in ("pid", "MB", "lag", "outbox", "oldest", "dead"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("needs", min_width=12)
    for line in lines:
        colour = {"ready": "green", "external": "cyan", "not ready": "yellow"}.get(
            line.state, "red"
        )
        told = line.figures
        oldest = None if told.outbox_oldest_s is None else f"{told.outbox_oldest_s:.1f} s"
        numbers = (line.pid, line.memory_mb, told.consumer_lag, told.outbox_unpublished, oldest)
        cells = (line.part, f"[{colour}]{line.state}[/]", *numbers, told.dead_letters, _needs(line))
        table.add_row(*("" if cell is None else str(cell) for cell in cells))
    console = Console()
    console.print(table)
    console.print("lag: messages; outbox: unpublished rows; dead: dead letters", style="dim")
    if behind := sum(line.figures.projections_behind or 0 for line in lines):
        console.print(
            f"After the upgrade {behind} read models lack what only the past can tell: "
            "run [bold]madoguchi projections rebuild[/]; all goes on meanwhile.",
            style="yellow",
        )

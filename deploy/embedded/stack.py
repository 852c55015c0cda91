"""The whole installation: everything started in parallel as far as it can be, and stopped again.

Invariant: a part that runs is left alone, and a start that fails or is interrupted stops what it
started itself and nothing else.
"""

import asyncio
import sys
import threading
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.embedded import databases, environment, keys, processes
from deploy.embedded.errors import OperatorError
from deploy.embedded.keys import KeyStore
from deploy.embedded.lock import only_one
from deploy.embedded.parts import ISSUER, KAFKA, POSTGRES, Parts
from deploy.embedded.plan import ROOMS, Plan
from deploy.embedded.ports import answers
from deploy.embedded.probes import readiness
from deploy.embedded.progress import Interruptible, Progress, quiet

if TYPE_CHECKING:
    from shared.settings import KernelSettings

READY_SECONDS = 180.0  # a loaded machine may take long; an idle one takes ten


class Stack:
    """One installation, as its plan describes it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.parts = Parts(plan)
        self.keys = KeyStore(plan.home.keys)
        self._started: list[str] = []

    def up(self, progress: Progress = quiet) -> list[str]:
        """Start what does not run, wait until all of it is ready, and return what was started.

        Raises:
            Busy: another command is at work on this installation.
            PortTaken, StartFailed, OperatorError: what is wrong and what to do.
        """
        with only_one(self.plan.home.run):
            self._started = []
            if self.parts.any_running():
                self.plan.require_same_clock()
            try:
                self.settings()
                self.parts.require_free_ports()
                self.keys.ensure()
                self.plan.remember()
                _run(self._up(progress))
            except BaseException:
                self._stop(self._started, progress)
                raise
            return list(self._started)

    def down(self, progress: Progress = quiet) -> list[str]:
        """Stop what runs, services first, and return the names of what was stopped."""
        with only_one(self.plan.home.run):
            stopped = [part for part in self.parts.names if self.parts.running(part)]
            self._stop(stopped, progress)
            return stopped

    def stop(self, parts: Iterable[str], progress: Progress = quiet) -> None:
        """Stop these parts and leave the others."""
        with only_one(self.plan.home.run):
            self._stop(parts, progress)

    async def migrate(self) -> dict[str, list[str]]:
        """Bring every database up to date; returns what was applied, by room and for `audit`."""
        if own := self.plan.embedded_databases:
            await databases.ensure_databases(self.parts.postgres, own)
        urls = {name: self.database_url(name) for name in (*ROOMS, "audit")}
        return await databases.migrate_all(urls)

    async def ensure_topics(self) -> list[str]:
        """Create the topics that are missing; returns their names.

        Raises:
            OperatorError: the broker refuses, or has a topic of another shape.
        """
        from shared.messaging import topics  # noqa: PLC0415 - slow to import

        try:
            return await topics.ensure_topics(self.settings(), ROOMS)
        except topics.TopicsRefusedError as error:
            raise OperatorError(
                f"Kafka does not hold the topics as they must be: {error}. Check "
                "MADOGUCHI_KAFKA_REPLICATION_FACTOR, the account's rights and the topics named.",
                f"Kafka のトピックを用意できません: {error}。MADOGUCHI_KAFKA_REPLICATION_FACTOR、"
                "アカウントの権限、表示されたトピックを確認してください。",
            ) from error

    def settings(self) -> "KernelSettings":
        """The kernel's settings, as this installation's processes have them.

        Raises:
            OperatorError: a setting holds something that cannot be used.
        """
        from pydantic import ValidationError  # noqa: PLC0415

        from shared.settings import KernelSettings  # noqa: PLC0415

        try:
            return KernelSettings(
                kafka_bootstrap_servers=self.plan.bootstrap, oidc_issuer=self.plan.issuer
            )
        except ValidationError as error:
            wrong = "; ".join(
                f"MADOGUCHI_{'_'.join(map(str, each['loc'])).upper()}: {each['msg']}"
                for each in error.errors()
            )
            raise OperatorError(
                f"Settings that cannot be used: {wrong}.", f"使えない設定があります: {wrong}"
            ) from error

    def database_url(self, database: str) -> str:
        """Where a room's database, or `audit`, is."""
        return environment.database_url(self.plan, database, self.parts.postgres)

    def audit_keys(self) -> Path:
        """The file of the keys that sign audit checkpoints."""
        given = self.plan.environment.get("MADOGUCHI_AUDIT_SIGNING_KEY_FILE")
        return Path(given) if given else self.keys.path(keys.AUDIT)

    def token(
        self,
        roles: Sequence[str],
        sites: Sequence[str],
        minutes: int = 60,
        subject: str = "dev-staff",
    ) -> str:
        """A staff token of our own issuer, for somebody of the name ``subject``.

        Raises:
            ValueError: a role is none of staff's.
        """
        from deploy.embedded.issuer import sign  # noqa: PLC0415 - loads the cryptography
        from shared.security.principal import Role  # noqa: PLC0415

        return sign(
            self.keys.path(keys.ISSUER),
            self.plan.issuer,
            subject=subject,
            roles=[Role(name) for name in roles],
            sites=sites,
            minutes=minutes,
        )

    async def _up(self, progress: Progress) -> None:
        migrated = asyncio.Event()
        told = Interruptible(progress)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._up_databases(migrated, told))
                group.create_task(self._up_kafka(migrated, told))
                if self.plan.embeds_issuer:
                    group.create_task(self._start(ISSUER, self._launch_issuer))
        finally:
            told.interrupt()  # a download in a thread hears of a failure or Ctrl-C this way
        await self._until_ready(progress)

    async def _up_databases(self, migrated: asyncio.Event, progress: Progress) -> None:
        if self.plan.embedded_databases:
            await self._start(POSTGRES, partial(self.parts.postgres.start, progress))
        progress("Migrations")
        await self.migrate()
        migrated.set()
        await self._start_services("api")

    async def _up_kafka(self, migrated: asyncio.Event, progress: Progress) -> None:
        if self.plan.embeds_kafka:
            await self._start(KAFKA, partial(self.parts.kafka.start, progress))
        progress("Topics")
        await self.ensure_topics()
        await migrated.wait()
        await self._start_services("relay", "consume")

    async def _start_services(self, *roles: str) -> None:
        for role in roles:
            for room in ROOMS:
                await self._start(f"{room}-{role}", partial(self._launch, room, role))

    async def _start(self, part: str, starter: Callable[[], object]) -> None:
        if self.parts.running(part) is None:
            self._started.append(part)
            await asyncio.to_thread(starter)

    def _launch(self, room: str, role: str) -> None:
        command = [sys.executable, "-m", f"services.{room}", role]
        own = environment.room_environment(self.plan, room, self.keys, self.parts.postgres)
        self._spawn(f"{room}-{role}", command, self.plan.port(room, role), own)

    def _launch_issuer(self) -> None:
        port = self.plan.ports["ISSUER_PORT"]
        key_file = str(self.keys.path(keys.ISSUER))
        command = [sys.executable, "-m", "deploy.embedded.issuer", "--keys", key_file]
        self._spawn(ISSUER, [*command, "--port", str(port), "--issuer", self.plan.issuer], port)

    def _spawn(
        self, part: str, command: list[str], port: int, env: dict[str, str] | None = None
    ) -> None:
        record = processes.spawn(
            part,
            command,
            self.plan.home.logs / f"{part}.log",
            environment=env,
            ports={"http": port},
            directory=self.plan.home.root,
        )
        record.save(self.parts.record_path(part))

    async def _until_ready(self, progress: Progress) -> None:
        waiting = [part for part in self.parts.names if part not in (KAFKA, POSTGRES)]
        progress("Services", done=0, total=len(waiting))
        abandoned = threading.Event()
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(len(waiting)) as pool:
            answered = [loop.run_in_executor(pool, self._wait, p, abandoned) for p in waiting]
            try:
                for done, ready in enumerate(asyncio.as_completed(answered), start=1):
                    await ready
                    progress("Services", done=done, total=len(waiting))
            finally:
                abandoned.set()  # one that failed ends the waiting for the others
                await asyncio.gather(*answered, return_exceptions=True)

    def _wait(self, part: str, abandoned: threading.Event) -> None:
        record = processes.load_record(self.parts.record_path(part))
        if record is not None:
            port = record.ports["http"]

            def ready() -> bool:
                return abandoned.is_set() or (answers(port) and readiness(port).ready)

            processes.wait_until(record, ready, seconds=READY_SECONDS, pause=0.1)

    def _stop(self, parts: Iterable[str], progress: Progress) -> None:
        self.parts.stop(parts, progress)
        if not self.parts.any_running():
            self.plan.forget()


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end; of several failures together, the first is raised."""
    try:
        asyncio.run(work)
    except BaseExceptionGroup as group:
        leaf: BaseException = group
        while isinstance(leaf, BaseExceptionGroup):
            leaf = leaf.exceptions[0]
        raise leaf from group

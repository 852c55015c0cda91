"""Starting and killing worker processes of the steps room, by the process ids we started."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from shared.contracts.base import Event
from shared.db import Database
from shared.ids import CaseId
from shared.messaging.topics import ensure_topics
from shared.security.principal import Principal
from tests.support import steps
from tests.support.messaging import StepTaken, case, settings, units

Process = asyncio.subprocess.Process


@dataclass
class House:
    """One test's database, topic prefix and worker processes."""

    database: Database
    url: str
    bootstrap: str
    prefix: str
    processes: list[Process] = field(default_factory=list)

    async def start(self, role: str, batch: int = 50) -> Process:
        """Start one more worker."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.support.worker", role),
            *(self.url, self.bootstrap, self.prefix, str(batch)),
        )
        self.processes.append(process)
        return process

    async def kill(self, process: Process) -> None:
        """End a worker as a crash would."""
        process.kill()
        await process.wait()
        self.processes.remove(process)

    async def publish(self, events: Iterable[Event]) -> None:
        """Commit events to the outbox, in one unit."""
        async with units(self.database, steps.ROOM).begin(Principal.system("test")) as unit:
            for event in events:
                unit.emit(event)

    async def publish_steps(self, cases: Iterable[CaseId], step: int) -> None:
        """Each case takes one step."""
        await self.publish(StepTaken(case_id=case_id, step=step) for case_id in cases)

    async def until(self, done: Callable[[dict[CaseId, list[int]]], bool]) -> None:
        """Wait until the effects satisfy ``done``; the test's time-out bounds it."""
        # The effects appear in a database, written by other processes: nothing to be told by.
        while not done(await steps.effects(self.database)):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


@asynccontextmanager
async def house(database: Database, url: str, bootstrap: str) -> AsyncIterator[House]:
    """A house on fresh topics; every worker still running is ended with it."""
    prefix = f"t{case().hex[-10:]}."
    await ensure_topics(
        settings(kafka_bootstrap_servers=bootstrap, topic_prefix=prefix), (steps.ROOM,)
    )
    await steps.prepare(database)
    made = House(database, url, bootstrap, prefix)
    try:
        yield made
    finally:
        for process in list(made.processes):
            await made.kill(process)

"""Replicas of the api process, started, killed and started again by the process ids we started."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from deploy.embedded.ports import free_port

API = ("-m", "services.reservation", "api")


@dataclass
class Replica:
    """One api process on a port of its own."""

    command: Sequence[str]
    environment: Mapping[str, str]
    port: int
    process: asyncio.subprocess.Process | None = None
    kills: int = 0

    async def start(self) -> None:
        """Start it and wait until it answers."""
        settings = {**self.environment, "MADOGUCHI_RESERVATION_API_PORT": str(self.port)}
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, *self.command, env={**os.environ, **settings}
        )
        while not await self._answers():
            if self.process.returncode is not None:
                raise RuntimeError(f"the replica ended with {self.process.returncode}")
            await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """End it as a crash would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            await self.process.wait()
            self.process, self.kills = None, self.kills + 1

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True


@asynccontextmanager
async def replicas(
    count: int, environment: Mapping[str, str], command: Sequence[str] = API
) -> AsyncIterator[list[Replica]]:
    """So many replicas; all end with the block."""
    made = [Replica(command, environment, free_port()) for _ in range(count)]
    try:
        await asyncio.gather(*(one.start() for one in made))
        yield made
    finally:
        for one in made:
            await one.kill()


async def kill_again_and_again(one: Replica, seconds: float) -> None:
    """Let it live for some seconds, kill it, start it, until cancelled."""
    while True:
        await asyncio.sleep(seconds)
        await one.kill()
        await one.start()

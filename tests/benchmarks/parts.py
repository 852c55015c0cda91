"""Real parts for benchmarks, with every safety on that a city would have on."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from deploy.embedded.kafka import EmbeddedKafka
from deploy.embedded.ports import free_ports
from deploy.embedded.postgres import EmbeddedPostgres

JARS = Path(__file__).parent.parent.parent / ".madoguchi" / "cache"


@dataclass(frozen=True)
class Parts:
    """A running broker and a running database server (fsync on)."""

    kafka: EmbeddedKafka
    postgres: EmbeddedPostgres

    async def database(self, name: str) -> str:
        """Create an empty database; its URL."""
        conn = await asyncpg.connect(self.postgres.url("postgres"))
        try:
            await conn.execute(f'CREATE DATABASE "{name}"')
        finally:
            await conn.close()
        return self.postgres.url(name)


@asynccontextmanager
async def parts() -> AsyncIterator[Parts]:
    """Start both in a temporary folder, stop both afterwards."""
    with tempfile.TemporaryDirectory(prefix="madoguchi-bench-") as folder:
        kafka = EmbeddedKafka(Path(folder) / "kafka", JARS, *free_ports(2))
        postgres = EmbeddedPostgres(Path(folder) / "postgres")
        try:
            await asyncio.gather(asyncio.to_thread(kafka.start), asyncio.to_thread(postgres.start))
            yield Parts(kafka, postgres)
        finally:
            await asyncio.gather(asyncio.to_thread(kafka.stop), asyncio.to_thread(postgres.stop))


async def serve(
    stack: AsyncExitStack, module: Sequence[str], environment: Mapping[str, str], port: int
) -> int:
    """Start ``python -m module`` and wait until ``port`` answers; its process id.

    It is ended with ``stack``.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *module, env={**os.environ, **environment}
    )
    stack.push_async_callback(process.wait)
    stack.callback(process.terminate)
    for _ in range(600):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return process.pid
    raise SystemExit(f"{module} does not answer")

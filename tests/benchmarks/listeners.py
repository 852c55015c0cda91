"""Listeners to a board that cost little: each notes when a text first holds what it waits for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter


@dataclass
class Listeners:
    """Open event streams. ``seen`` is who has seen the awaited text, and when."""

    count: int
    awaited: bytes = b""
    seen: dict[int, float] = field(default_factory=dict)
    all_seen: asyncio.Event = field(default_factory=asyncio.Event)
    connected: int = 0
    all_connected: asyncio.Event = field(default_factory=asyncio.Event)

    def await_(self, text: bytes) -> None:
        """Wait for ``text`` from now on."""
        self.seen.clear()
        self.all_seen.clear()
        self.awaited = text

    async def listen(self, number: int, port: int, path: str) -> None:
        """One listener, until cancelled."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise SystemExit(f"a listener was refused: {head.decode()}")
        try:
            while True:
                text = await reader.readuntil(b"\n\n")
                self._heard(number, text, perf_counter())
        finally:
            writer.close()

    def _heard(self, number: int, text: bytes, at: float) -> None:
        if b"data: " not in text:
            return
        if self.connected < self.count:
            self.connected += 1
            if self.connected == self.count:
                self.all_connected.set()
        if self.awaited and number not in self.seen and self.awaited in text:
            self.seen[number] = at
            if len(self.seen) == self.count:
                self.all_seen.set()


@asynccontextmanager
async def listeners(count: int, port: int, path: str) -> AsyncIterator[Listeners]:
    """``count`` listeners, all of which have had their first text."""
    made = Listeners(count)
    tasks = [asyncio.create_task(made.listen(n, port, path)) for n in range(count)]
    try:
        await asyncio.wait_for(made.all_connected.wait(), 60)
        yield made
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

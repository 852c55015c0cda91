"""A line that can be cut: a TCP port that leads to another one while it is open.

A broker names its own address in its answers, and clients go there; on the way through a line it
names the line's, so that nobody finds a way around it.
"""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress

from deploy.embedded.ports import LOOPBACK, free_port

_CHUNK = 65_536


class Line:
    """From ``port`` to ``target`` on loopback; shut until ``open``."""

    def __init__(self, target: int, *, is_kafka: bool = False) -> None:
        self.port = free_port()
        self.withholds: bytes | None = None
        """Requests with these bytes are passed on, and their answers are not."""
        self.withheld = asyncio.Event()
        self._target = target
        self._is_kafka = is_kafka
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        """Pass on from now on."""
        self._server = await asyncio.start_server(self._passed, LOOPBACK, self.port)

    def cut(self) -> None:
        """Break off whatever is on the way, and let nobody in."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for end in self._ends:
            end.transport.abort()

    async def _passed(self, asked: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            there, to = await asyncio.open_connection(LOOPBACK, self._target)
            self._ends |= {answers, to}
            watched = asyncio.Event()
            back = self._frames if self._is_kafka else self._chunks
            try:
                async with asyncio.TaskGroup() as both:
                    both.create_task(_until_it_ends(self._asked(asked, to, watched)))
                    both.create_task(_until_it_ends(back(there, answers, watched)))
            except* _EndedError:
                self._ends -= {answers, to}
            finally:
                to.close()
                answers.close()

    async def _asked(
        self, asked: asyncio.StreamReader, to: asyncio.StreamWriter, watched: asyncio.Event
    ) -> None:
        while chunk := await asked.read(_CHUNK):
            if self.withholds is not None and self.withholds in chunk:
                watched.set()
            to.write(chunk)
            await to.drain()

    async def _chunks(
        self, there: asyncio.StreamReader, answers: asyncio.StreamWriter, watched: asyncio.Event
    ) -> None:
        while chunk := await there.read(_CHUNK):
            if watched.is_set():
                self.withheld.set()
                continue
            answers.write(chunk)
            await answers.drain()

    async def _frames(
        self, there: asyncio.StreamReader, answers: asyncio.StreamWriter, _: asyncio.Event
    ) -> None:
        host = LOOPBACK.encode()
        own, seen = (host + port.to_bytes(4) for port in (self._target, self.port))
        while True:
            size = await there.readexactly(4)
            frame = await there.readexactly(int.from_bytes(size))
            answers.write(size + frame.replace(own, seen))
            await answers.drain()


class _EndedError(Exception):
    """One side has hung up."""


async def _until_it_ends(passing: Awaitable[None]) -> None:
    with suppress(OSError, asyncio.IncompleteReadError):
        await passing
    raise _EndedError

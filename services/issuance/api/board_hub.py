"""Boards that follow the queue: one reading and one text per change, however many listen.

The database tells which site has changed; a reading every few seconds is the truth, for what was
not told and for estimates that move with time. Every listener holds the newest text alone, so a
slow one misses steps in between and delays nobody.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import pydantic_core

from services.issuance.domain.board import Board
from services.issuance.store.board import CHANNEL
from shared.db import session
from shared.errors import Problem, Text
from shared.ids import SiteId
from shared.messaging.failure import backoff, may_heal

POLL_SECONDS = 10.0
BEAT_SECONDS = 15.0
log = logging.getLogger(__name__)

ReadBoard = Callable[[SiteId], Awaitable[Board]]


class TooManyListeners(Problem):
    """This instance serves as many boards as it may."""

    status = 503
    slug = "too-many-listeners"
    title = Text("Too many boards are open here", "表示盤の接続数が上限に達しています")
    remedy = Text("Try again in a moment.", "しばらくしてから再度お試しください。")


@dataclass(eq=False)
class _Room:
    """The board of one site, as long as anybody listens to it."""

    site_id: SiteId
    dirty: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    content: bytes = b""
    version: int = 0
    listeners: int = 0
    follower: asyncio.Task[None] | None = None

    def show(self, content: bytes) -> None:
        """Let the listeners have ``content``, where it is new."""
        if content != self.content:
            self.content, self.version = content, self.version + 1
            told, self.changed = self.changed, asyncio.Event()
            told.set()


class BoardHub:
    """The boards that one process serves."""

    def __init__(self, url: str, application: str, read: ReadBoard, limit: int) -> None:
        self._url = url
        self._application = application
        self.read = read
        self._limit = limit
        self._rooms: dict[SiteId, _Room] = {}
        self._listening: asyncio.Task[None] | None = None

    async def stream(self, site_id: SiteId) -> AsyncIterator[bytes]:
        """The site's board as server-sent events, now and at every change."""
        room = self._enter(site_id)
        try:
            seen = 0
            while True:
                changed = room.changed
                if room.version > seen:
                    seen = room.version
                    yield b"id: %d\nevent: board\ndata: %s\n\n" % (seen, room.content)
                    continue
                try:
                    async with asyncio.timeout(BEAT_SECONDS):
                        await changed.wait()
                except TimeoutError:
                    yield b": still here\n\n"
        finally:
            self._leave(room)

    def require_place(self) -> None:
        """Raise ``TooManyListeners`` where nobody more may listen."""
        if sum(room.listeners for room in self._rooms.values()) >= self._limit:
            raise TooManyListeners

    async def close(self) -> None:
        """Stop listening and reading."""
        tasks = [room.follower for room in self._rooms.values()] + [self._listening]
        for task in tasks:
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    def _enter(self, site_id: SiteId) -> _Room:
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())
        room = self._rooms.setdefault(site_id, _Room(site_id))
        room.listeners += 1
        if room.follower is None:
            room.dirty.set()
            room.follower = asyncio.create_task(self._follow(room))
        return room

    def _leave(self, room: _Room) -> None:
        room.listeners -= 1
        if room.listeners == 0 and room.follower is not None:
            room.follower.cancel()
            del self._rooms[room.site_id]

    async def _follow(self, room: _Room) -> None:
        while True:
            room.dirty.clear()
            try:
                room.show(pydantic_core.to_json(await self.read(room.site_id)))
            except Exception as error:
                if not may_heal(error):
                    log.exception("a board could not be read")
                # What is shown stays; the next reading may succeed.
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await room.dirty.wait()

    async def _listen(self) -> None:
        """Hear of changes for ever; after a break every board is read again."""
        failures = 0
        while True:
            try:
                await self._hear()
                failures = 0
            except Exception as error:
                if not may_heal(error):
                    raise
                log.warning("boards hear of no changes and read by the clock: %r", error)
            failures += 1
            await asyncio.sleep(backoff(failures))

    async def _hear(self) -> None:
        conn = await session(self._url, application=self._application)
        ended = asyncio.Event()
        try:
            conn.add_termination_listener(lambda _: ended.set())
            await conn.add_listener(CHANNEL, lambda _c, _p, _n, site: self._told(SiteId(str(site))))
            for room in self._rooms.values():
                room.dirty.set()
            await ended.wait()
        finally:
            conn.terminate()

    def _told(self, site_id: SiteId) -> None:
        room = self._rooms.get(site_id)
        if room is not None:
            room.dirty.set()

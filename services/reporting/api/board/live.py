"""News for open pages: a server-sent event whenever what a page says is not what it shows.

Pages are read by the clock, and once for all who look at the same one, so a reader more costs next
to nothing, and events that come by the thousand cause one reading.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from services.reporting.api.board.view import View
from shared.errors import Problem, Text
from shared.messaging.failure import may_heal

POLL_SECONDS = 3.0
BEATS = 5
"""After so many readings without news, a comment keeps the connection open."""
Read = Callable[[], Awaitable[View]]
log = logging.getLogger(__name__)


class TooManyReaders(Problem):
    """This instance keeps as many pages up to date as it may."""

    status = 503
    slug = "too-many-readers"
    title = Text("Too many pages are open here", "自動更新の接続数が上限に達しています")
    remedy = Text("Reload the page now and then.", "画面を適宜再読み込みしてください。")


class Live:
    """The open pages of one process."""

    def __init__(self, limit: int, *, seconds: float = POLL_SECONDS) -> None:
        self._limit = limit
        self._seconds = seconds
        self._readers = 0
        self._readings: set[asyncio.Task[str | None]] = set()

    def stream(self, read: Read, shown: str) -> AsyncIterator[bytes]:
        """Events for a page that shows the version ``shown``. Raises ``TooManyReaders``."""
        if self._readers >= self._limit:
            raise TooManyReaders
        return self._stream(read, shown)

    async def _stream(
        self, read: Callable[[], Awaitable[View]], shown: str
    ) -> AsyncIterator[bytes]:
        self._readers += 1
        quiet = 0
        reading: asyncio.Task[str | None] | None = None
        try:
            yield b": here\n\n"
            while True:
                # Who closes the page ends the stream, but nothing in the middle of a transaction.
                reading = self._begin(read)
                version = await asyncio.shield(reading) or shown
                quiet += 1
                if version != shown:
                    shown, quiet = version, 0
                    yield f"event: changed\ndata: {version}\n\n".encode()
                elif quiet >= BEATS:
                    quiet = 0
                    yield b": still here\n\n"
                await asyncio.sleep(self._seconds)
        finally:
            # A reading that goes on keeps the place, or pages that are closed and opened again
            # would read without limit.
            if reading is None or reading.done():
                self._leave()
            else:
                reading.add_done_callback(self._leave)

    def _begin(self, read: Read) -> asyncio.Task[str | None]:
        """A reading that is kept until it has ended: the loop itself holds tasks but weakly."""
        reading = asyncio.create_task(_version(read))
        self._readings.add(reading)
        reading.add_done_callback(self._readings.discard)
        return reading

    def _leave(self, _: object = None) -> None:
        self._readers -= 1


async def _version(read: Read) -> str | None:
    """The page's version; none while it cannot be read, and what is shown stays."""
    try:
        return (await read()).version
    except Exception as error:
        if not may_heal(error):
            log.exception("a page could not be read")
        return None

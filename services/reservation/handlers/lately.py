"""What was asked lately is found out again before anybody asks: who asks next hardly waits.

Bookings change days while nobody asks, and whoever asked first afterwards would wait until all of
them were read. So the process looks by itself, a little at a time. It changes nothing that is
answered, only when the work is done, and a minute after the last question it rests.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Hashable

from shared.messaging.failure import may_heal

MOST = 16
"""Questions kept at hand, the latest: both procedures for each ward of a city. Strangers can think
of many more."""
FOR_SECONDS = 60.0
EVERY = 0.2
"""Seconds between two rounds at least: the changes of one take some milliseconds."""
REST = 4.0
"""Times as long as a round took is rested after it: who asks and books goes first."""
AFTER_TROUBLE = 5.0
"""Seconds until it is tried again."""

Again = Callable[[], Awaitable[object]]
"""Finds the answer out, unless it is known."""

logger = logging.getLogger("madoguchi.availability")


class Lately:
    """The questions asked lately in this process, and how to find each out again.

    ``look`` forgets what has changed, once for all questions; ``seconds`` counts real seconds.
    """

    def __init__(
        self, look: Callable[[], Awaitable[None]], seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._look = look
        self._seconds = seconds
        self._asked: dict[Hashable, tuple[float, Again]] = {}

    def note(self, question: Hashable, again: Again) -> None:
        """Somebody asked it just now."""
        self._asked.pop(question, None)
        self._asked[question] = self._seconds(), again
        if len(self._asked) > MOST:
            del self._asked[next(iter(self._asked))]

    async def refresh(self) -> int:
        """Find out again whatever was asked lately and has changed; how many questions that were.

        Raises what looking and finding out do.
        """
        since = self._seconds() - FOR_SECONDS
        self._asked = {one: asked for one, asked in self._asked.items() if asked[0] > since}
        questions = [again for _, again in self._asked.values()]
        if questions:
            await self._look()
        for again in questions:
            await again()
        return len(questions)

    async def keep(self) -> None:
        """Refresh again and again, until cancelled, whatever fails: who asks hears of it."""
        while True:
            begun = self._seconds()
            try:
                await self.refresh()
                pause = max(EVERY, REST * (self._seconds() - begun))
            except Exception as error:
                pause = AFTER_TROUBLE
                if may_heal(error):
                    logger.warning("free seats not looked at: %s", type(error).__name__)
                else:
                    logger.exception("free seats could not be looked at")
            await asyncio.sleep(pause)

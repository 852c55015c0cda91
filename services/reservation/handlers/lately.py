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
"""Seconds between two rounds: the changes of one take some milliseconds."""
AFTER_TROUBLE = 5.0
"""Seconds until it is tried again."""

Again = Callable[[], Awaitable[object]]
"""Finds the answer out, unless it is known."""

logger = logging.getLogger("madoguchi.availability")


class Lately:
    """The questions asked lately in this process, and how to find each out again.

    ``seconds`` counts real seconds.
    """

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
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

        Raises what finding out does.
        """
        since = self._seconds() - FOR_SECONDS
        self._asked = {one: asked for one, asked in self._asked.items() if asked[0] > since}
        questions = [again for _, again in self._asked.values()]
        for again in questions:
            await again()
        return len(questions)

    async def keep(self) -> None:
        """Refresh again and again, until cancelled, whatever fails: who asks hears of it."""
        while True:
            pause = EVERY
            try:
                await self.refresh()
            except Exception as error:
                pause = AFTER_TROUBLE
                if may_heal(error):
                    logger.warning("free seats not looked at: %s", type(error).__name__)
                else:
                    logger.exception("free seats could not be looked at")
            await asyncio.sleep(pause)

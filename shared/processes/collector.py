"""The garbage collector, kept from making callers wait.

Almost everything here is freed by counting references: the collector finds a handful of objects a
minute. Looking through all that lives (a board of free seats is a hundred thousand objects) takes a
tenth of a second in which nobody is answered. So it looks at young objects alone, and what has
survived that is set aside. What becomes garbage there is found when the process has little to do,
and after ``AT_LATEST`` in any case.
"""

import asyncio
import gc
import time
from collections.abc import Mapping
from typing import Any

YOUNG = 10_000
"""New objects after which they are looked through, in some milliseconds; requests that are being
answered alone make some thousand, so fewer would mean looking through them again and again.
"""
SURVIVED = 1
"""So often young objects are looked through before those that live are set aside."""
NEVER = 1_000_000_000
IDLE = 0.05
"""A process that spent a smaller part of the last second computing has little to do."""
SECOND = 1.0
OFTEN = 600.0
"""Seconds between two whole collections, at least."""
AT_LATEST = 3600.0


class Collector:
    """The collector of this process, from ``start`` to ``stop``."""

    def __init__(self) -> None:
        self._before = gc.get_threshold()

    def start(self) -> None:
        """Set aside all that there is, and from now on look at new objects alone."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG, SURVIVED, NEVER)
        gc.callbacks.append(self._collected)

    def stop(self) -> None:
        """Leave the collector to itself again."""
        gc.callbacks.remove(self._collected)
        gc.unfreeze()
        gc.set_threshold(*self._before)

    async def run(self) -> None:
        """Collect everything when little is to do, for as long as the process lives."""
        since = time.monotonic()
        while True:
            spent = time.process_time()
            await asyncio.sleep(SECOND)
            busy = (time.process_time() - spent) / SECOND
            if is_time(time.monotonic() - since, busy):
                self.collect()
                since = time.monotonic()

    def collect(self) -> None:
        """Look through everything, and set aside what lives."""
        gc.unfreeze()
        gc.collect()
        gc.freeze()

    def _collected(self, phase: str, info: Mapping[str, Any]) -> None:
        if phase == "stop" and info["generation"] > 0:
            gc.freeze()


def is_time(since: float, busy: float) -> bool:
    """Whether to look through everything: seconds since the last time, share of CPU spent."""
    return since >= AT_LATEST or (since >= OFTEN and busy < IDLE)

"""Draws charts in a process beside: seconds of CPU that no caller of this one may wait for.

The process starts with the first picture and holds Vega and its fonts ready for the next.
"""

import asyncio
import json
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Literal

from services.reporting.domain.pictures import Spec

Picture = Literal["svg", "png"]
SCALE = 2.0
"""Pixels of a PNG for each of the specification's, so that it can be printed."""


class Drawing:
    """Turns specifications into pictures, one after the other."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    async def draw(self, spec: Spec, form: Picture) -> bytes:
        """The picture. Raises ``ValueError`` for a specification that Vega-Lite refuses."""
        told = json.dumps(spec)
        try:
            return await self._ask(told, form)
        except BrokenProcessPool:
            # It was ended from outside, for want of memory perhaps; a fresh one draws it.
            self._pool = None
            return await self._ask(told, form)

    def close(self) -> None:
        """End the process."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    async def _ask(self, told: str, form: Picture) -> bytes:
        if self._pool is None:
            # Spawned: a fork would take the loop's sockets and locks with it.
            self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, _drawn, told, form)


def _drawn(told: str, form: Picture) -> bytes:
    import vl_convert  # noqa: PLC0415 - only the drawing process pays for it

    if form == "svg":
        return vl_convert.vegalite_to_svg(told).encode()
    png: bytes = vl_convert.vegalite_to_png(told, scale=SCALE)
    return png

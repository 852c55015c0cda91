"""Ctrl-C as an event of the loop.

As an exception it may strike anywhere, and where Python cannot raise it (in a finalizer, while a
module is loaded) it is lost. Here it is a fact that stays true: work is cancelled until it ends.
"""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_PATIENCE = 1.0
"""Seconds until work that went on after being cancelled is cancelled again."""


async def until_interrupted(
    work: Coroutine[Any, Any, None], ready: Callable[[], None] = lambda: None
) -> None:
    """Do ``work`` until it ends, or until Ctrl-C or SIGTERM; then this ends well.

    ``ready`` is called once neither can be missed. Raises what ``work`` raises of its own accord.
    """
    loop = asyncio.get_running_loop()
    interrupted = asyncio.Event()
    former = [(number, signal.getsignal(number)) for number in _SIGNALS]
    for number in _SIGNALS:
        loop.add_signal_handler(number, interrupted.set)
    try:
        ready()
        await _race(asyncio.ensure_future(work), interrupted)
    finally:
        for number, handler in former:
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


async def _race(working: asyncio.Task[None], interrupted: asyncio.Event) -> None:
    waiting = asyncio.ensure_future(interrupted.wait())
    await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if working.done():
        waiting.cancel()
        return working.result()
    while not working.done():
        working.cancel()
        await asyncio.wait({working}, timeout=_PATIENCE)
    return None

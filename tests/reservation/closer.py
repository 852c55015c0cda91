"""The due work of closures as a process of its own, to be killed.

Usage: ``python -m tests.reservation.closer DATABASE_URL NOW [STEP before|after]``

With a step it kills itself like a power cut the first time that step has done something: before
its unit commits, or right after. With ``withdraw`` it takes the newest closure back and does
nothing else. It says ``idle`` when nothing is due at NOW.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import uvloop

from services.reservation.handlers import closing, closures, offering, withdrawing
from shared.clock import FixedClock
from shared.db import Database
from shared.due import Due, DueLoop
from shared.telemetry.metrics import Metrics
from tests.reservation.support import PEOPLE, RULES, SITE, units

STEPS = ("list", "hold", "tell", "changed", "overdue", "finish")
"""Every step that changes something, in the order in which a closure takes them."""
BACK = ("withdraw", "keep", "changed", "finish")
"""Those of a closure that is taken back."""


def die() -> None:
    """End as a crash would: nothing is flushed, closed or rolled back by us."""
    os.kill(os.getpid(), signal.SIGKILL)


def arm(step: str, moment: str) -> Callable[[], bool]:
    """Let ``step`` be the last this process takes; whether it has been taken."""
    owner: Any = offering if step in ("hold", "tell") else closing
    name = {
        "list": "_list",
        "hold": "hold",
        "tell": "tell",
        "keep": "_keep",
        "changed": "_settle_changed",
        "overdue": "_settle_overdue",
        "finish": "_finish",
    }[step]
    original: Callable[..., Awaitable[Any]] = getattr(owner, name)
    taken = asyncio.Event()

    async def step_and_die(*values: Any, **named: Any) -> Any:
        result = await original(*values, **named)
        if result is None or result:
            taken.set()
            if moment == "before":
                die()
        return result

    setattr(owner, name, step_and_die)
    return taken.is_set


async def take_back(database: Database, clock: FixedClock, moment: str) -> None:
    """The planner's command, in a process that dies of it."""
    async with units(database, clock).begin(PEOPLE["planner"]) as unit:
        newest = (await closures.page(unit, None, SITE, 100, running_only=False))[-1]
        await withdrawing.withdraw(unit, newest.closure.closure_id, RULES)
        if moment == "before":
            die()
    die()


async def main(url: str, now: str, step: str = "", moment: str = "") -> None:
    """Work until killed."""
    database = await Database.connect(url, application="closer")
    clock = FixedClock(datetime.fromisoformat(now))
    if step == "withdraw":
        await take_back(database, clock, moment)
    last = arm(step, moment) if step else lambda: False
    loop = DueLoop(
        "reservation",
        units(database, clock),
        [Due("closures", closing.work(RULES))],
        Metrics(service="reservation", role="test"),
    )
    idle = 0
    while True:
        idle = 0 if await loop.round() else idle + 1
        if last():
            die()
        if idle:
            print("idle", flush=True)
            await asyncio.sleep(0.2)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))

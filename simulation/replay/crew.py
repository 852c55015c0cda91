"""Everybody who works in a replay, and the doors they go through; commands can be sent again."""

import asyncio
import time
import zlib
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from simulation.clock import SimulatedClock
from simulation.doors import Endpoints, Http, Person, RefusedError
from simulation.replay.city import City
from simulation.replay.ledger import Ledger
from simulation.replay.pulse import Pulse
from simulation.replay.settings import Behaviour

T = TypeVar("T")
R = TypeVar("R")
PATIENCE = 180.0
"""Seconds that news may take from one room to another."""
_TOKEN_SECONDS = 1200.0
_AT_ONCE = 12


class House(Endpoints, Protocol):
    """Endpoints whose processes can be looked at: base URLs by ``<room>-<role>``."""

    @property
    def processes(self) -> Mapping[str, str]: ...

    @property
    def colleague(self) -> Callable[[Sequence[str], str], str]:
        """A token of these roles at every site for somebody of this name."""
        ...


class NotTakenError(Exception):
    """A room refuses what the plan needs, and goes on refusing."""


@dataclass(slots=True)
class Crew:
    """The simulated city at work."""

    house: House
    city: City
    behaviour: Behaviour
    http: Http
    clock: SimulatedClock
    pulse: Pulse
    ledger: Ledger
    _tokens: dict[str, tuple[float, Person]] = field(default_factory=dict)
    _gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    _lines: list[asyncio.Lock] = field(
        default_factory=lambda: [asyncio.Lock() for _ in range(4 * _AT_ONCE)]
    )

    def staff(self, role: str) -> Person:
        """Somebody of this role at every site, with a token that still holds for a while."""
        return self._person(role, lambda: self.house.token([role], ["*"]))

    @asynccontextmanager
    async def call_centre(self, caller: str) -> AsyncIterator[Person]:
        """The clerk on the telephone who serves this caller, now as in another run: a command is
        repeated by who sent it. A clerk has one caller at a time, for a hold is one person's.
        """
        number = zlib.crc32(caller.encode()) % len(self._lines)
        async with self._lines[number]:
            name = f"call-centre-{number}"
            yield self._person(name, lambda: self.house.colleague(["clerk"], name))

    @property
    def anybody(self) -> Person:
        """Somebody without a token."""
        return Person(self.http, self.house.apis)

    async def move_to(self, at: datetime) -> None:
        """Let it be ``at`` once everything due before is done; return when all have heard."""
        if at <= self.clock.now:
            return
        with self.ledger.sums.phase("due work"):
            await self.pulse.done(self.clock.now)
        with self.ledger.sums.phase("clock"):
            await self.clock.advance(at)
            await self.pulse.heard(at)

    async def each(self, items: Iterable[T], work: Callable[[T], Awaitable[R]]) -> list[R]:
        """Do ``work`` for every item, some at a time; the answers in the items' order."""

        async def one(item: T) -> R:
            async with self._gate:
                return await work(item)

        return await side_by_side(*(one(item) for item in items))

    def _person(self, name: str, token: Callable[[], str]) -> Person:
        made, person = self._tokens.get(name, (0.0, None))
        if person is None or time.monotonic() - made > _TOKEN_SECONDS:
            person = Person(self.http, self.house.apis, token())
            self._tokens[name] = (time.monotonic(), person)
        return person

    async def patiently(
        self, send: Callable[[], Awaitable[T]], *codes: str, pause: float = 0.1
    ) -> T:
        """The answer, asked for again while it is refused with one of ``codes``.

        Raises ``RefusedError`` for another refusal, and after some minutes.
        """
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return await send()
            except RefusedError as error:
                if error.code not in codes or time.monotonic() > end:
                    raise
            await asyncio.sleep(pause)

    async def rows(
        self,
        send: Callable[[], Awaitable[Mapping[str, Any]]],
        *,
        waits: Callable[[Mapping[str, Any]], bool],
    ) -> Sequence[Mapping[str, Any]]:
        """The results of a batch, sent again while a row of it ``waits`` for news on its way."""
        end, pause = time.monotonic() + PATIENCE, 0.1
        while True:
            results: Sequence[Mapping[str, Any]] = (await send())["results"]
            if not any(map(waits, results)) or time.monotonic() > end:
                return results
            await asyncio.sleep(pause)
            pause = min(pause * 2, 1.0)


async def side_by_side(*works: Coroutine[Any, Any, T]) -> list[T]:
    """Do all at once; the first failure ends the others and is raised as it is."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

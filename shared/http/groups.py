"""Commands that come at the same time share a transaction, and each keeps an answer of its own.

One transaction costs the same few round trips and one commit for fifty commands as for one. Nobody
waits to be joined: a command that finds a place free starts at once, and those that come while all
places are taken go together next. Each has its effect once per Idempotency-Key, as ``Call.once``
promises: effect and answer commit together, and only what has committed is answered.

A command that is refused leaves nothing and touches no other. Where a group fails as a whole, each
of its commands is tried again by itself; keys make that safe even where the commit's own answer was
lost.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

import pydantic_core

from shared.errors import Problem
from shared.http import idempotency
from shared.http.idempotency import Answer, Claim
from shared.security.principal import Principal
from shared.unit import Unit, Units

C = TypeVar("C")
log = logging.getLogger(__name__)
LARGEST = 64
"""Commands of one group; more would hold locks longer than it saves."""
AT_ONCE = 1
"""Groups at work: with one, commands are worked strictly in the order in which they came."""
PATIENCE = "SET LOCAL lock_timeout = '300ms'"
"""How long a group waits for a lock; then each goes alone, and only who needs it waits on."""

GroupCommand: TypeAlias = Callable[
    [Unit, Sequence[tuple[Unit, C]]], Awaitable[Sequence[object | Problem]]
]
"""Runs commands in one unit, each under its caller's part of it; the result or refusal of each."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, and whether it was given before."""

    answer: Answer
    replayed: bool


@dataclass(slots=True)
class _Waiting(Generic[C]):
    command: C
    principal: Principal
    traceparent: str | None
    claim: Claim
    status: int
    answered: asyncio.Future[Answered] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def end(self, end: Answered | BaseException | None) -> None:
        """Answer it, unless that has happened or nobody waits any more."""
        if end is None or self.answered.done():
            return
        if isinstance(end, Answered):
            self.answered.set_result(end)
        else:
            self.answered.set_exception(end)


class Groups(Generic[C]):
    """Groups the commands of one kind within this process.

    ``apart`` names what no two commands of a group may share, such as a case.
    """

    def __init__(
        self,
        units: Units,
        command: GroupCommand[C],
        *,
        apart: Callable[[C], Collection[Hashable]],
        room: str,
        at_once: int = AT_ONCE,
    ) -> None:
        self._units = units
        self._command = command
        self._apart = apart
        self._principal = Principal.system(room)
        self._free = at_once
        self._line: deque[_Waiting[C]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def answer(
        self, command: C, principal: Principal, traceparent: str | None, claim: Claim, status: int
    ) -> Answered:
        """What the command answers, once it has committed.

        Raises ``InFlight``, ``KeyReused`` and what the command is refused for.
        """
        waiting = _Waiting(command, principal, traceparent, claim, status)
        self._line.append(waiting)
        self._start()
        return await waiting.answered

    def _start(self) -> None:
        while self._line and self._free:
            self._free -= 1
            task = asyncio.create_task(self._work(self._next()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _next(self) -> list[_Waiting[C]]:
        """The first of the line and who can go with it, in order; the others stay in line."""
        group: list[_Waiting[C]] = []
        stay: list[_Waiting[C]] = []
        met: set[Hashable] = set()
        while self._line and len(group) < LARGEST:
            one = self._line.popleft()
            things = {(one.claim.scope, one.claim.key), *self._apart(one.command)}
            (stay if things & met else group).append(one)
            met |= things
        self._line.extendleft(reversed(stay))
        return group

    async def _work(self, group: Sequence[_Waiting[C]]) -> None:
        try:
            error = await self._settle(group)
        finally:
            self._free += 1
            self._start()
        if error is not None and len(group) == 1:
            group[0].end(error)
        elif error is not None:
            log.warning("a group failed, each goes alone: %s", type(error).__name__)
            ends = await asyncio.gather(*(self._settle([one]) for one in group))
            for one, end in zip(group, ends, strict=True):
                one.end(end)

    async def _settle(self, group: Sequence[_Waiting[C]]) -> BaseException | None:
        """Answer the whole group; what it failed of, if it did, and then nobody is answered."""
        (ends,) = await asyncio.gather(self._together(group), return_exceptions=True)
        if isinstance(ends, BaseException):
            return ends
        for one, end in zip(group, ends, strict=True):
            one.end(end)
        return None

    async def _together(self, group: Sequence[_Waiting[C]]) -> list[Answered | Problem]:
        """What each is answered, once it has committed."""
        async with self._units.begin(self._principal) as unit:
            if len(group) > 1:
                await unit.conn.execute(PATIENCE)
            stored = await idempotency.recall_all(unit.conn, [one.claim for one in group])
            fresh = [one for one, found in zip(group, stored, strict=True) if found is None]
            ends = iter(await self._run(unit, fresh) if fresh else ())
            return [_known(found) or next(ends) for found in stored]

    async def _run(self, unit: Unit, fresh: Sequence[_Waiting[C]]) -> list[Answered | Problem]:
        parts = [unit.part(one.principal, one.traceparent) for one in fresh]
        commands = [(part, one.command) for part, one in zip(parts, fresh, strict=True)]
        ends: list[Answered | Problem] = []
        made: list[tuple[Claim, Answer]] = []
        for one, part, result in zip(
            fresh, parts, await self._command(unit, commands), strict=True
        ):
            if isinstance(result, Problem):
                ends.append(result)
                continue
            unit.adopt(part)
            answer = Answer(one.status, pydantic_core.to_json(result))
            made.append((one.claim, answer))
            ends.append(Answered(answer, replayed=False))
        if made:
            unit.last(idempotency.remembered(made))
        return ends


def _known(found: Answer | Problem | None) -> Answered | Problem | None:
    return Answered(found, replayed=True) if isinstance(found, Answer) else found

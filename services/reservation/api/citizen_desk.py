"""What the citizens' routes need besides the desk: tools, limits, and who asks from where."""

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from services.reservation.domain.fair_use import FairUse, Limit, TooManyTries, network
from services.reservation.handlers import fair_use
from services.reservation.tools import Tools
from shared.http.call import Call, CallDep, call_of
from shared.security.citizen_tokens import LIFETIME

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_REMEMBERED = 100_000


@dataclass(slots=True)
class SessionUse:
    """How often each session has changed something, in this process; the oldest are forgotten."""

    changes: int
    _counts: OrderedDict[str, tuple[float, int]] = field(default_factory=OrderedDict)

    def spend(self, session: str) -> None:
        """Count one change. Raises ``TooManyTries``."""
        now, window = time.monotonic(), LIFETIME.total_seconds()
        since, count = self._counts.get(session, (now, 0))
        if now - since >= window:
            since, count = now, 0
            self._counts.pop(session, None)
        if count >= self.changes:
            raise TooManyTries(retry_after=max(1, int(since + window - now)))
        self._counts[session] = (since, count + 1)
        if len(self._counts) > _REMEMBERED:
            self._counts.popitem(last=False)


@dataclass(frozen=True, slots=True)
class CitizenDesk:
    """Made once, when the app is built."""

    tools: Tools
    fair_use: FairUse
    sessions: SessionUse

    def address_key(self, request: Request) -> str:
        """What stands for the network address of a request; never the address."""
        host = request.client.host if request.client else ""
        return self.tools.address_keys(f"net:{network(host)}")[0]


async def _citizen_desk(request: Request) -> CitizenDesk:
    desk: CitizenDesk = request.app.state.citizen_desk
    return desk


CitizenDeskDep = Annotated[CitizenDesk, Depends(_citizen_desk)]


async def spend(call: CallDep, limits: Sequence[Limit]) -> None:
    """Count a try, committed before anything is tried. Raises ``TooManyTries``."""
    async with call.unit() as unit:
        wait = await fair_use.spend(unit, limits)
    fair_use.check(wait)


async def spend_change(call: Call) -> None:
    """Count a change of a citizen's session. Raises ``TooManyTries``."""
    if call.request.method not in _READING and call.principal.cases:
        (await _citizen_desk(call.request)).sessions.spend(call.principal.subject)


async def _per_session(request: Request) -> None:
    await spend_change(await call_of(request))


PER_SESSION = Depends(_per_session)
"""For routers whose changes a citizen's session has only so many of."""

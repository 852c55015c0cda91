"""How the rooms are doing, read from the figures every process serves: time, due work, lag, events.

Business time moves on only when every room has heard it and has done what was due until then
(decision 0005).
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import httpx

from simulation.clock import ClockNotFollowedError
from simulation.wire import Reply, Wire

PUBLISHED = "madoguchi_relay_published_total"
HANDLED = "madoguchi_messages_handled_total"
LAG = "madoguchi_consumer_lag"
UNPUBLISHED = "madoguchi_outbox_unpublished"
_PATIENCE = 120.0
_LOOK_SECONDS = 0.4
_SETTLED_SECONDS = 2.2
"""Longer than relays and consumers take to tell their figures anew."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Events of all rooms since their processes began, and what is on its way."""

    published: int = 0
    handled: int = 0
    lag: int = 0


@dataclass(frozen=True, slots=True)
class Pulse:
    """Reads the figures of the processes, by name: ``issuance-consume`` and so on."""

    http: Wire
    processes: Mapping[str, str]

    async def heard(self, at: datetime) -> None:
        """Return when every process that takes the time has heard that it is ``at``.

        Raises ``ClockNotFollowedError``.
        """
        await self._wait(self._of("api", "consume"), "now", at)

    async def done(self, at: datetime) -> None:
        """Return when everything due until ``at`` is done. Raises ``ClockNotFollowedError``."""
        await self._wait(self._of("consume"), "due_through", at)

    async def read(self) -> Reading:
        """What has been told and heard so far."""
        relays = await self._figures(self._of("relay"))
        consumers = await self._figures(self._of("consume"))
        return Reading(
            published=int(sum(_total(text, PUBLISHED) for text in relays)),
            handled=int(sum(_total(text, HANDLED, 'outcome="handled"') for text in consumers)),
            lag=int(
                sum(_total(text, LAG) for text in consumers)
                + sum(_total(text, UNPUBLISHED) for text in relays)
            ),
        )

    async def settled(self) -> Reading:
        """The reading once nothing is on its way any more.

        Raises ``TimeoutError`` where something is, and stays.
        """
        now, same = await self.read(), 0.0
        while now.lag or same < _SETTLED_SECONDS:
            if same > _PATIENCE:
                raise TimeoutError(f"{now.lag} events are not handled; see `madoguchi status`")
            await asyncio.sleep(_LOOK_SECONDS)
            before, now = now, await self.read()
            same = same + _LOOK_SECONDS if now == before else 0.0
        return now

    def _of(self, *roles: str) -> list[str]:
        return [url for name, url in self.processes.items() if name.rpartition("-")[2] in roles]

    async def _wait(self, urls: Iterable[str], known: str, at: datetime) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                await asyncio.gather(*(self._reaches(url, known, at) for url in urls))
        except TimeoutError:
            raise ClockNotFollowedError(
                "A room does not follow the replayed time; see `madoguchi status` and the logs"
            ) from None

    async def _reaches(self, url: str, known: str, at: datetime) -> None:
        told: float | None = 0.0
        # The answer waits, but not for ever. None: nothing there waits for a time.
        while told is not None and told < at.timestamp():
            answer = await self._get(f"{url}/timez", {known: at.timestamp()})
            told = answer.json()[known]

    async def _figures(self, urls: Iterable[str]) -> list[str]:
        return await asyncio.gather(*(self._text(url) for url in urls))

    async def _text(self, url: str) -> str:
        return (await self._get(f"{url}/metrics")).text

    async def _get(self, url: str, query: Mapping[str, float] | None = None) -> Reply:
        answer = await self.http.get(url, params=query)
        if answer.is_error:
            raise httpx.RemoteProtocolError(f"{url} answers {answer.status_code}")
        return answer


def _total(text: str, name: str, label: str = "") -> float:
    return sum(
        float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line.startswith(name) and line[len(name)] in " {" and label in line
    )

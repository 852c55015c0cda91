"""How every process of the house is, read from its ``/metrics`` page.

The last answers of a few minutes are kept, so that counters become rates. A process that does not
answer is a finding, never an error.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic

import httpx
from prometheus_client.parser import text_string_to_metric_families

TIMEOUT = 2.0
"""Seconds that a process may take to answer."""
WINDOW = 300.0
"""Seconds over which requests and their errors are counted."""


@dataclass(frozen=True, slots=True)
class Health:
    """What a process said of itself; without an answer, all but the name is none.

    ``requests`` and ``errors`` (answers 5xx) are those of the last minutes.
    """

    name: str
    lag: int | None = None
    unpublished: int | None = None
    outbox_age: float | None = None
    dead_letters: int | None = None
    parked: int | None = None
    requests: int | None = None
    errors: int | None = None
    answers: bool = False


@dataclass(slots=True)
class _Seen:
    samples: deque[tuple[float, float, float]] = field(default_factory=deque)

    def since(self, now: float, requests: float, errors: float) -> tuple[int, int]:
        """Requests and errors since the oldest sample of the window; a restart counts anew."""
        if self.samples and requests < self.samples[-1][1]:
            self.samples.clear()
        self.samples.append((now, requests, errors))
        while self.samples[0][0] < now - WINDOW:
            self.samples.popleft()
        first = self.samples[0]
        return round(requests - first[1]), round(errors - first[2])


class Processes:
    """The processes named in the settings."""

    def __init__(
        self,
        addresses: Mapping[str, str],
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._addresses = addresses
        self._transport = transport
        self._clock = clock
        self._seen = {name: _Seen() for name in addresses}

    @property
    def are_known(self) -> bool:
        """Whether any process is named."""
        return bool(self._addresses)

    async def look(self) -> list[Health]:
        """How each is, asked side by side, in the order of the settings."""
        async with httpx.AsyncClient(timeout=TIMEOUT, transport=self._transport) as client:
            asked = (self._ask(client, name, url) for name, url in self._addresses.items())
            return list(await asyncio.gather(*asked))

    async def _ask(self, client: httpx.AsyncClient, name: str, url: str) -> Health:
        try:
            answer = await client.get(url)
            answer.raise_for_status()
            return self._read(name, answer.text)
        except (httpx.HTTPError, ValueError):
            return Health(name)

    def _read(self, name: str, text: str) -> Health:
        sums: dict[str, float] = {}
        errors = 0.0
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
                is_count = sample.name == "madoguchi_http_request_seconds_count"
                if is_count and sample.labels.get("status", "").startswith("5"):
                    errors += sample.value
        requests = sums.get("madoguchi_http_request_seconds_count", 0.0)
        asked, failed = self._seen[name].since(self._clock(), requests, errors)
        return Health(
            name,
            lag=_whole(sums.get("madoguchi_consumer_lag")),
            unpublished=_whole(sums.get("madoguchi_outbox_unpublished")),
            outbox_age=sums.get("madoguchi_outbox_oldest_age_seconds"),
            dead_letters=_whole(sums.get("madoguchi_dead_letters")),
            parked=_whole(sums.get("madoguchi_parked_messages")),
            requests=asked,
            errors=failed,
            answers=True,
        )


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)

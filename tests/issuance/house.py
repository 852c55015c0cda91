"""The issuance room on a real port, its boards hearing of changes: for listeners and browsers."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx

from services.issuance.api import build
from shared.clock import FixedClock
from shared.db import Database
from shared.settings import Doors
from tests.issuance.support import OFFICE, City, Clerk, resources
from tests.support.browser import served


@dataclass
class House:
    """A served app with its clerk, and a way to listen."""

    address: str
    clerk: Clerk
    city: City

    @asynccontextmanager
    async def listen(self, site: str = OFFICE) -> AsyncIterator["Listener"]:
        """The board of a site."""
        async with (
            httpx.AsyncClient(base_url=self.address, timeout=30) as client,
            client.stream("GET", "/v1/board", params={"site_id": site}) as answer,
        ):
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield Listener(answer.aiter_lines())


class Listener:
    """What one board was sent."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines

    async def next(self) -> dict[str, Any]:
        """The next board that comes."""
        async for line in self._lines:
            if line.startswith("data: "):
                body: dict[str, Any] = json.loads(line.removeprefix("data: "))
                return body
        raise EOFError

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first board that is as wanted; steps in between may be left out."""
        while not wanted(found := await self.next()):
            pass
        return found


@asynccontextmanager
async def house_at(url: str, clock: FixedClock) -> AsyncIterator[House]:
    """The room over the database at ``url``."""
    database = await Database.connect(url, application="test", max_size=10)
    doors = Doors(database_url=url, api_port=1, consume_port=1, relay_port=1)
    app = build(replace(resources(database, clock), doors=doors))
    async with served(app) as address, httpx.AsyncClient(base_url=address) as client:
        yield House(address, Clerk(client), City(database, clock))
    await database.close()

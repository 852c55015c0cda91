"""A preparation room with a database of its own, and a client of its app."""

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
import pytest_asyncio

from services.preparation.api import build
from shared.clock import FixedClock
from shared.db import Database
from tests.preparation.support import MORNING, resources


@pytest.fixture
def clock() -> FixedClock:
    """Nine in the morning, until moved."""
    return FixedClock(MORNING)


@pytest_asyncio.fixture
async def database(room_database: Callable[[str], Awaitable[Database]]) -> Database:
    """A fresh database of the room."""
    return await room_database("preparation")


@pytest_asyncio.fixture
async def client(database: Database, clock: FixedClock) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the room's app."""
    transport = httpx.ASGITransport(build(resources(database, clock)))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as made:
        yield made

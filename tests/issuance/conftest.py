"""An issuance room with a database of its own, the city around it, and its clerks."""

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
import pytest_asyncio

from services.issuance.api import build
from shared.clock import FixedClock
from shared.db import Database
from tests.issuance.house import House, house_at
from tests.issuance.support import TEN, City, Clerk, resources


@pytest.fixture
def clock() -> FixedClock:
    """Ten in the morning, until moved."""
    return FixedClock(TEN)


@pytest_asyncio.fixture
async def database(room_database: Callable[[str], Awaitable[Database]]) -> Database:
    """A fresh database of the room."""
    return await room_database("issuance")


@pytest.fixture
def city(database: Database, clock: FixedClock) -> City:
    """What the other rooms say."""
    return City(database, clock)


@pytest_asyncio.fixture
async def client(database: Database, clock: FixedClock) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the room's app."""
    transport = httpx.ASGITransport(build(resources(database, clock)))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as made:
        yield made


@pytest.fixture
def clerk(client: httpx.AsyncClient) -> Clerk:
    """A clerk of the office."""
    return Clerk(client)


@pytest.fixture
def supervisor(client: httpx.AsyncClient) -> Clerk:
    """A supervisor of the office."""
    return Clerk(client, "supervisor")


@pytest_asyncio.fixture
async def house(
    make_database: Callable[[str], Awaitable[str]], clock: FixedClock
) -> AsyncIterator[House]:
    """The room on a real port, whose boards hear of changes through the real database."""
    async with house_at(await make_database("issuance"), clock) as made:
        yield made

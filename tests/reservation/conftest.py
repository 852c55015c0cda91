"""A reservation room with a database of its own, and a client of its app."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from services.reservation.api import build
from shared.clock import FixedClock
from shared.db import Database
from tests.conftest import DatabaseMaker
from tests.reservation.closers import Closers, three_sites
from tests.reservation.mailbox import Mailbox, mail_server
from tests.reservation.support import MORNING, resources, signing_key


@pytest.fixture
def clock() -> FixedClock:
    """Nine in the morning, until moved."""
    return FixedClock(MORNING)


@pytest_asyncio.fixture
async def database(room_database: Callable[[str], Awaitable[Database]]) -> Database:
    """A fresh database of the room."""
    return await room_database("reservation")


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key that signs citizens' tokens."""
    return signing_key(tmp_path_factory.mktemp("keys"))


@pytest_asyncio.fixture
async def client(
    database: Database, clock: FixedClock, key_file: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the room's app."""
    transport = httpx.ASGITransport(build(resources(database, clock, key_file)))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as made:
        yield made


@pytest_asyncio.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """A mail server, and what has come to it."""
    async with mail_server() as box:
        yield box


@pytest_asyncio.fixture
async def house(make_database: DatabaseMaker) -> AsyncIterator[tuple[Database, Closers]]:
    """A site full of bookings, and who works on its closures."""
    url = await make_database("reservation")
    database = await Database.connect(url, application="test", max_size=20)
    await three_sites(database)
    closers = Closers(url)
    yield database, closers
    for process in list(closers.processes):
        await closers.kill(process)
    await database.close()

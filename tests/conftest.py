"""Real parts for tests: one Kafka and one PostgreSQL per run, a fresh database per test.

They start on free loopback ports when the first test asks for them, and are stopped by process id.
"""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import hypothesis
import pytest
import pytest_asyncio
from xdist.remote import Producer

from deploy.embedded import ports
from deploy.embedded.kafka import EmbeddedKafka
from deploy.embedded.ports import free_ports
from deploy.embedded.postgres import EmbeddedPostgres
from shared.db import Database
from tests.support.databases import Databases
from tests.support.order import FromBothEnds, by_length
from tests.support.routes import reckon_once
from tests.support.sizes import proof_size

ROOT = Path(__file__).parent.parent
JARS = ROOT / ".madoguchi" / "cache"

# How long an example takes says how busy the machine is, not whether the promise holds.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")

reckon_once()


def pytest_configure(config: pytest.Config) -> None:
    """Let each worker choose among ports of its own: two found the same one free, and took it."""
    if worker := getattr(config, "workerinput", None):
        number, count = int(worker["workerid"].removeprefix("gw")), worker["workercount"]
        ports.CHOICE = ports.CHOICE[number::count]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave to ``make proofs`` what has no reduced size; with workers, put files in order."""
    left = [] if proof_size(0, 1) else [item for item in items if item.get_closest_marker("whole")]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]
    if hasattr(config, "workerinput"):
        items[:] = by_length(items)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FromBothEnds:
    """With workers."""
    config.option.loadscopereorder = False
    return FromBothEnds(config, log)


DatabaseMaker = Callable[..., Awaitable[str]]


@pytest.fixture(scope="session")
def parts_folder() -> Iterator[Path]:
    """Where the parts of this run keep their data.

    Not pytest's own: the next run closes that one to other users, and PostgreSQL may be one.
    """
    with tempfile.TemporaryDirectory(prefix="madoguchi-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def postgres(parts_folder: Path) -> Iterator[EmbeddedPostgres]:
    """A server of its own; its data is thrown away, so it need not wait for the disk."""
    settings = {
        "fsync": "off",
        "full_page_writes": "off",
        "synchronous_commit": "off",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "shared_buffers": "128MB",
    }
    server = EmbeddedPostgres(parts_folder / "postgres", settings)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def kafka(parts_folder: Path) -> Iterator[EmbeddedKafka]:
    """A broker of its own; tests keep apart by topic prefix."""
    broker = EmbeddedKafka(parts_folder / "kafka", JARS, *free_ports(2))
    broker.start()
    yield broker
    broker.stop()


@pytest_asyncio.fixture(scope="session")
async def databases(postgres: EmbeddedPostgres) -> AsyncIterator[Databases]:
    """Every database of the run's server."""
    made = Databases(postgres)
    yield made
    await made.close()


@pytest_asyncio.fixture
async def make_database(
    postgres: EmbeddedPostgres, databases: Databases
) -> AsyncIterator[DatabaseMaker]:
    """Call with a room's name (``kernel`` by default) for the URL of a fresh, migrated database."""
    names: list[str] = []

    async def make(room: str = "kernel") -> str:
        names.append(await databases.fresh(room))
        return postgres.url(names[-1])

    yield make
    for name in names:
        await databases.take_back(name)


@pytest_asyncio.fixture
async def room_database(
    make_database: DatabaseMaker,
) -> AsyncIterator[Callable[[str], Awaitable[Database]]]:
    """Call with a room's name for an open pool on a fresh database of that room."""
    async with AsyncExitStack() as stack:

        async def open_(room: str) -> Database:
            url = await make_database(room)
            database = await Database.connect(url, application="test", max_size=30)
            stack.push_async_callback(database.close)
            return database

        yield open_


@pytest_asyncio.fixture
async def kernel_database(
    room_database: Callable[[str], Awaitable[Database]],
) -> Database:
    """An open pool on a fresh database with the kernel's tables alone."""
    return await room_database("kernel")

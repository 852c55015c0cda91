"""The embedded server keeps what was committed, and is recognised whatever happened to it."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.embedded import processes
from deploy.embedded.databases import ensure_databases
from deploy.embedded.postgres import LONGEST_SOCKET_PATH, SOCKET_NAME, EmbeddedPostgres

SMALL = {"shared_buffers": "16MB"}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of this test."""
    # Not pytest's own: the next run closes that one to other users, and PostgreSQL may be one.
    with tempfile.TemporaryDirectory(prefix="madoguchi-") as folder:
        yield Path(folder)


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    """A server of this test alone, durable as in an installation."""
    server = EmbeddedPostgres(folder / "postgres", SMALL)
    server.start()
    yield server
    server.stop()


async def run(server: EmbeddedPostgres, statement: str, database: str = "postgres") -> str:
    conn = await asyncpg.connect(server.url(database))
    try:
        return str(await conn.fetchval(statement))
    finally:
        await conn.close()


async def test_it_is_durable_and_closed_to_the_network(server: EmbeddedPostgres) -> None:
    assert await run(server, "SHOW fsync") == "on"
    assert await run(server, "SHOW listen_addresses") == ""
    assert await run(server, "SHOW max_connections") == "300"


async def test_data_survives_a_stop_and_a_kill(server: EmbeddedPostgres) -> None:
    await run(server, "CREATE TABLE kept AS SELECT 7 AS number")
    server.stop()
    assert server.running() is None
    server.start()
    server.kill()
    server.start()
    assert await run(server, "SELECT number FROM kept") == "7"


async def test_a_running_server_is_left_alone(server: EmbeddedPostgres) -> None:
    before = server.running()
    assert server.start() == before


async def test_a_server_whose_record_was_lost_is_found_again(server: EmbeddedPostgres) -> None:
    before = server.running()
    server.record_path.unlink()
    found = server.running()
    assert found is not None
    assert before is not None
    assert found.pid == before.pid


async def test_a_pid_file_that_names_somebody_else_is_stale(server: EmbeddedPostgres) -> None:
    server.kill()
    pid_file = server.cluster / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    server.start()
    assert await run(server, "SELECT 1") == "1"


async def test_stopping_one_leaves_the_other(server: EmbeddedPostgres, folder: Path) -> None:
    other = EmbeddedPostgres(folder / "other", SMALL)
    other.start()
    other.stop()
    assert await run(server, "SELECT 1") == "1"


async def test_a_deep_folder_gets_a_short_socket(folder: Path) -> None:
    deep = folder / ("deep" * 20)
    deep.mkdir()
    server = EmbeddedPostgres(deep / "postgres", SMALL)
    server.start()
    try:
        assert len(str(server.sockets / SOCKET_NAME)) <= LONGEST_SOCKET_PATH
        assert await run(server, "SELECT 1") == "1"
    finally:
        server.stop()


async def test_a_role_reaches_its_own_database_alone(server: EmbeddedPostgres) -> None:
    await ensure_databases(server, ["left", "right"])
    await ensure_databases(server, ["left", "right"])
    conn = await asyncpg.connect(server.url("left", "left"))
    await conn.execute("CREATE TABLE mine (x int)")
    await conn.close()
    for elsewhere in ("right", "postgres"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(server.url(elsewhere, "left"))


async def test_an_interrupted_creation_is_begun_again(folder: Path) -> None:
    half = folder / "postgres" / "cluster.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    server = EmbeddedPostgres(folder / "postgres", SMALL)
    server.start()
    try:
        assert await run(server, "SELECT 1") == "1"
    finally:
        server.stop()


async def test_the_cluster_belongs_to_nobody_else(server: EmbeddedPostgres) -> None:
    assert server.cluster.stat().st_mode & 0o077 == 0
    assert server.sockets.stat().st_mode & 0o077 == 0
    record = server.running()
    assert record is not None
    process = record.process()
    assert process is not None
    assert process.uids().real != 0
    assert isinstance(record, processes.ProcessRecord)

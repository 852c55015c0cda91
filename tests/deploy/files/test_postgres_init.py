"""The init script of the database container, run against a real PostgreSQL."""

import base64
import hashlib
import hmac
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from deploy.docker import migrate_audit
from deploy.embedded.plan import ROOMS
from deploy.embedded.postgres import EmbeddedPostgres
from shared.migrate import KERNEL, migrate

PASSWORD = "quote ' backslash \\ dollar $HOME"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[EmbeddedPostgres]:
    """A server of its own, because the script makes roles, after the script has run."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("init"), {"fsync": "off"})
    server.start()
    try:
        passwords = {
            f"{name.upper()}_DB_PASSWORD": f"{name} {PASSWORD}"
            for name in (*ROOMS, "audit", "keycloak")
        }
        subprocess.run(
            ["/bin/bash", str(root / "deploy/postgres/10-databases.sh")],
            check=True,
            capture_output=True,
            env={
                **passwords,
                "PATH": f"{server._binary('psql').parent}:{os.environ['PATH']}",
                "PGHOST": str(server.sockets),
                "POSTGRES_USER": "postgres",
            },
        )
        yield server
    finally:
        server.stop()


@pytest_asyncio.fixture
async def administrator(server: EmbeddedPostgres) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection."""
    connection = await asyncpg.connect(server.url("postgres"))
    yield connection
    await connection.close()


async def test_a_database_and_a_role_for_each(administrator: asyncpg.Connection) -> None:
    rows = await administrator.fetch(
        "SELECT datname, rolname, rolsuper, rolcreatedb, rolcreaterole FROM pg_database"
        " JOIN pg_roles ON pg_roles.oid = datdba WHERE NOT rolsuper ORDER BY datname"
    )
    names = sorted([*ROOMS, "audit", "keycloak"])
    assert [tuple(row) for row in rows] == [(name, name, False, False, False) for name in names]


async def test_a_role_enters_its_own_database_only(server: EmbeddedPostgres) -> None:
    for room in ROOMS:
        own = await asyncpg.connect(server.url(room, room))
        await own.close()
        for other in {*ROOMS, "audit", "keycloak", "postgres"} - {room}:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await asyncpg.connect(server.url(other, room))


async def test_passwords_are_kept_exactly_and_only_as_hashes(
    administrator: asyncpg.Connection,
) -> None:
    stored = await administrator.fetchval(
        "SELECT rolpassword FROM pg_authid WHERE rolname = 'reservation'"
    )
    assert stored.startswith("SCRAM-SHA-256$")
    iterations, salt = stored.split("$")[1].split(":")
    assert _scram(f"reservation {PASSWORD}", salt, int(iterations)) == stored.split("$")[2]


async def test_a_room_can_migrate_as_its_own_role(server: EmbeddedPostgres) -> None:
    for room in ROOMS:
        assert await migrate(server.url(room, room), [("kernel", KERNEL)])


def test_the_audit_database_is_migrated_by_a_one_shot(
    server: EmbeddedPostgres,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(migrate_audit.SETTING, server.url("audit", "audit"))
    migrate_audit.main()
    migrate_audit.main()
    first, second = capsys.readouterr().out.splitlines()
    assert "0001" in first
    assert second == "audit: up to date"


def _scram(password: str, salt: str, iterations: int) -> str:
    """Stored key and server key of RFC 5802, as PostgreSQL writes them."""

    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), iterations)
    client = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"{base64.b64encode(client).decode()}:{base64.b64encode(server).decode()}"

"""Databases of tests: what a later test is given is as new, whatever an earlier one did."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from deploy.embedded.postgres import EmbeddedPostgres
from tests.support.databases import Databases

WRITTEN = """
INSERT INTO audit_entry (at, actor, roles, action, subject, refs)
VALUES (now(), 'staff:u1', '{clerk}', 'card.shelve', 'case-1', '{}') RETURNING pos
"""


@pytest_asyncio.fixture(scope="module")
async def own(postgres: EmbeddedPostgres) -> AsyncIterator[Databases]:
    """Of which no other test has any."""
    made = Databases(postgres)
    yield made
    await made.close()


async def did(postgres: EmbeddedPostgres, name: str, statement: str) -> object:
    """The value that a test's statement leads to."""
    conn = await asyncpg.connect(postgres.url(name))
    try:
        return await conn.fetchval(statement)
    finally:
        await conn.close()


async def oid(postgres: EmbeddedPostgres, name: str) -> object:
    """Which database it is, whatever its name."""
    return await did(postgres, name, f"SELECT oid FROM pg_database WHERE datname = '{name}'")


async def test_rows_are_gone_and_numbers_begin_anew(
    postgres: EmbeddedPostgres, own: Databases
) -> None:
    first = await own.fresh("kernel")
    known = await oid(postgres, first)
    assert await did(postgres, first, WRITTEN) == 1
    await own.take_back(first)
    second = await own.fresh("kernel")
    assert second != first
    assert await oid(postgres, second) == known
    assert await did(postgres, second, "SELECT count(*) FROM audit_entry") == 0
    assert await did(postgres, second, WRITTEN) == 1
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(postgres.url(first))
    await own.take_back(second)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE audit_entry DISABLE TRIGGER USER",
        "ALTER TABLE inbox SET (autovacuum_enabled = off)",
        "ALTER TABLE inbox ADD COLUMN more int",
        "CREATE TABLE more (id int)",
        "DROP TABLE audit_entry CASCADE",
        "UPDATE schema_migration SET checksum = 'x'",
        "INSERT INTO schema_migration VALUES ('x', 1, 'x', 'x')",
        "ANALYZE schema_migration",
    ],
)
async def test_any_other_change_is_nobody_elses(
    postgres: EmbeddedPostgres, own: Databases, change: str
) -> None:
    first = await own.fresh("kernel")
    known = await oid(postgres, first)
    await did(postgres, first, change)
    await own.take_back(first)
    second = await own.fresh("kernel")
    assert await oid(postgres, second) != known
    await own.take_back(second)

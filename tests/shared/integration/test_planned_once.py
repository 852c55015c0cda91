"""Where statements are planned once, a few rows cost no plan of their own; a list that says so is
planned for what was asked.
"""

from collections.abc import AsyncIterator

import pytest

from shared.db import Connection, Database, plan_for_values
from tests.conftest import DatabaseMaker

ASKED = "SELECT count(*) FROM inbox WHERE consumer = ANY($1::text[])"


@pytest.fixture
async def database(make_database: DatabaseMaker) -> AsyncIterator[Database]:
    made = await Database.connect(
        await make_database(), application="test", max_size=1, planned_once=True
    )
    yield made
    await made.close()


async def plans(conn: Connection) -> tuple[int, int]:
    """How often the statement was planned for its values, and how often it was run without."""
    row = await conn.fetchrow(
        "SELECT custom_plans, generic_plans FROM pg_prepared_statements WHERE statement = $1", ASKED
    )
    assert row is not None
    return row["custom_plans"], row["generic_plans"]


async def test_a_statement_is_planned_once_for_a_connection(database: Database) -> None:
    async with database.transaction() as conn:
        for _ in range(3):
            await conn.fetchval(ASKED, ["one"])
        assert await plans(conn) == (0, 3)


async def test_a_list_is_planned_for_its_values_in_its_own_transaction(database: Database) -> None:
    async with database.transaction() as conn:
        await plan_for_values(conn)
        await conn.fetchval(ASKED, ["one"])
        assert await plans(conn) == (1, 0)
    async with database.transaction() as conn:
        await conn.fetchval(ASKED, ["one"])
        assert await plans(conn) == (1, 1)

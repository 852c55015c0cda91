"""A room whose api plans its statements once finds the rows of tables that grow by an index, for
whatever values: a plan is made for none of them.
"""

import re
from collections.abc import Iterator
from contextlib import AsyncExitStack
from importlib import import_module
from pkgutil import walk_packages

import pytest
from asyncpg import PostgresError

from shared.db import Connection, Database
from shared.processes.process import open_resources
from shared.settings import Doors
from tests.conftest import DatabaseMaker
from tests.support.messaging import settings
from tests.support.rooms import NAMES, room

SMALL = {
    "issuance": {"checklist", "counter", "journal", "satellite", "satellite_here", "suspension"},
    "reservation": {"site", "suspension", "closure", "login_request"},
}
"""Tables that years do not fill: the journal is one satellite's, log-ins are soon forgotten."""

EXCEPT = {
    "services.reservation.store.messages._PAGE",  # asks for a plan of its own (plan_for_values)
    "services.reservation.store.waitlist._WITH_OFFER",  # the beginning of others
    "services.issuance.store.visits._CASES",  # likewise
    "services.issuance.store.visits._TOUCHED",  # likewise
}

_VERBS = re.compile(r"^\s*(WITH|SELECT|UPDATE|DELETE|INSERT)\b")
PLANNED = [name for name in NAMES if room(name).planned_once]


def statements(name: str) -> Iterator[tuple[str, str]]:
    """The SQL of a room's stores, by where it stands."""
    package = import_module(f"services.{name}.store")
    for module in walk_packages(package.__path__, f"{package.__name__}."):
        for constant, text in vars(import_module(module.name)).items():
            if isinstance(text, str) and constant.startswith("_") and _VERBS.match(text):
                yield f"{module.name}.{constant}", text


async def tables_read_whole(conn: Connection, statement: str) -> set[str]:
    """Which tables the one plan reads from end to end though nothing but an index is welcome."""
    count = len(set(re.findall(r"\$\d+", statement)))
    values = f"({', '.join(['NULL'] * count)})" if count else ""
    await conn.execute(f"PREPARE planned AS {statement}")
    lines = await conn.fetch(f"EXPLAIN (COSTS off) EXECUTE planned{values}")
    await conn.execute("DEALLOCATE planned")
    return {found for line in lines for found in re.findall(r"Seq Scan on (\w+)", line[0])}


@pytest.mark.parametrize("name", PLANNED)
async def test_its_statements_need_no_values(name: str, make_database: DatabaseMaker) -> None:
    url = await make_database(name)
    database = await Database.connect(url, application="test", max_size=1, planned_once=True)
    whole, pieces = {}, []
    for place, statement in statements(name):
        async with database.transaction() as conn:
            try:
                found = await tables_read_whole(conn, statement)
            except PostgresError:
                pieces.append(place)
                continue
        if found - SMALL[name]:
            whole[place] = found
    await database.close()
    assert {**whole, **dict.fromkeys(pieces)}.keys() <= EXCEPT, whole


@pytest.mark.parametrize(("role", "mode"), [("api", "force_generic_plan"), ("consume", "auto")])
async def test_its_api_alone_plans_once(role: str, mode: str, make_database: DatabaseMaker) -> None:
    url = await make_database(PLANNED[0])
    doors = Doors(database_url=url, api_port=1, consume_port=1, relay_port=1)
    async with AsyncExitStack() as stack:
        made = await open_resources(stack, room(PLANNED[0]), role, settings(), doors)
        async with made.database.reader() as conn:
            assert await conn.fetchval("SHOW plan_cache_mode") == mode

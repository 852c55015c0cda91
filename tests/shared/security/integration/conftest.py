"""An audited room, fresh for each test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import asyncpg
import pytest_asyncio

from deploy.embedded.postgres import EmbeddedPostgres
from shared.migrate import migrate
from shared.security.checkpoints import MIGRATIONS
from tests.support.audited import AuditedRoom


@pytest_asyncio.fixture
async def room(
    postgres: EmbeddedPostgres, make_database: Callable[..., Awaitable[str]]
) -> AsyncIterator[AuditedRoom]:
    url, name = await make_database(), f"audit_{uuid4().hex[:12]}"
    admin = await asyncpg.connect(postgres.url("postgres"))
    await admin.execute(f'CREATE DATABASE "{name}"')
    await migrate(postgres.url(name), [("audit", MIGRATIONS)])
    conn = await asyncpg.connect(url)
    yield AuditedRoom(url, postgres.url(name), conn)
    await conn.close()
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.close()

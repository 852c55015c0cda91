"""An audited room, fresh for each test."""

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest_asyncio

from tests.support.audited import AuditedRoom


@pytest_asyncio.fixture
async def room(make_database: Callable[..., Awaitable[str]]) -> AsyncIterator[AuditedRoom]:
    url, audit = await make_database(), await make_database("audit")
    conn = await asyncpg.connect(url)
    yield AuditedRoom(url, audit, conn)
    await conn.close()

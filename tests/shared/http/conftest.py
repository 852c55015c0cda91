"""Clients of small apps, with and without a database."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
from fastapi import APIRouter

from shared.db import Database
from shared.security.access import AccessTable
from shared.telemetry.tracing import configure_tracing
from tests.support.http import MakeClient, make_app


@pytest.fixture(scope="session", autouse=True)
def tracing() -> None:
    """Trace ids without a collector."""
    configure_tracing(service="test", role="api")


@pytest_asyncio.fixture(scope="session")
async def no_database() -> Database:
    """A pool that is never opened, for what needs no row."""
    return Database(asyncpg.create_pool("postgresql://127.0.0.1:1/none", min_size=0))


@pytest_asyncio.fixture
async def make_client(no_database: Database) -> AsyncIterator[MakeClient]:
    """Call with routers and their access table for a client of an app around them."""
    async with AsyncExitStack() as stack:

        async def make(
            *routers: APIRouter,
            access: AccessTable,
            database: Database | None = None,
            **options: Any,
        ) -> httpx.AsyncClient:
            app = make_app(routers, access, database or no_database, **options)
            transport = httpx.ASGITransport(app)
            return await stack.enter_async_context(
                httpx.AsyncClient(transport=transport, base_url="http://test")
            )

        yield make

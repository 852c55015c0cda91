"""Builds a room's HTTP app; every room is built the same way, so every room fails the same way.

An app whose routes and access table differ is not built at all.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress

from fastapi import APIRouter, Depends, FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from shared.http.call import current_call
from shared.http.dead_letters import DEAD_LETTER_ACCESS
from shared.http.dead_letters import router as dead_letters
from shared.http.docs import DOCS_PATHS, docs_routes
from shared.http.housekeeping import forget_answers
from shared.http.idempotency import HEADER
from shared.http.middleware import BodyLimit, LastResort, SafeHeaders, Telemetry
from shared.http.openapi import PROBLEM_RESPONSE, RoomApi
from shared.http.ops import OPS_PATHS, ops_routes
from shared.http.problems import HANDLERS
from shared.http.resources import Resources
from shared.http.routes import RouteTable
from shared.security.access import AccessTable, verify_table

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(
    *,
    title: str,
    description: str,
    routers: Sequence[APIRouter],
    access: AccessTable,
    resources: Resources,
    lifespan: Lifespan | None = None,
    version: str = "1",
) -> FastAPI:
    """The app of ``resources.room``.

    ``routers`` bring their own prefix (``/v1``). ``lifespan`` surrounds serving, for what the
    room itself must open and close; more for its routes goes on ``app.state`` afterwards.

    Raises ``AccessTableError`` naming every route without an entry and every entry without a
    route.
    """
    app = RoomApi(
        title=title,
        description=description,
        version=version,
        docs_url=None,
        redoc_url=None,
        responses=PROBLEM_RESPONSE,
        dependencies=[Depends(current_call)],
        exception_handlers={**HANDLERS},
        lifespan=_lifespan(resources, lifespan),
        # Spans come from our own middleware: the framework's carry the query string.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    for router in (*routers, dead_letters):
        app.include_router(router)
    access = {**access, **DEAD_LETTER_ACCESS}
    verify_table(app, access, open_paths=DOCS_PATHS | OPS_PATHS)
    app.router.routes += [*docs_routes(title), *ops_routes(resources.checks, resources.metrics)]
    table = RouteTable.of(app, access)
    app.access = access
    app.state.resources, app.state.route_table = resources, table
    app.user_middleware = _middleware(resources, table)
    return app


def _middleware(resources: Resources, table: RouteTable) -> list[Middleware]:
    """Outermost first."""
    return [
        Middleware(Telemetry, metrics=resources.metrics, route_name=table.name),
        Middleware(SafeHeaders),
        Middleware(
            CORSMiddleware,
            allow_origins=resources.cors_origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", HEADER, "If-Match", "traceparent"],
            expose_headers=["ETag", "Location", "Retry-After", "Idempotency-Replayed"],
        ),
        Middleware(LastResort),
        Middleware(BodyLimit, limit=resources.body_limit),
    ]


def _lifespan(resources: Resources, inner: Lifespan | None) -> Lifespan:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        around = inner(app) if inner else nullcontext()
        async with around:
            housekeeping = asyncio.create_task(forget_answers(resources))
            try:
                yield
            finally:
                housekeeping.cancel()
                with suppress(asyncio.CancelledError):
                    await housekeeping

    return lifespan

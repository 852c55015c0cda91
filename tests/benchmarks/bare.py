"""What stands beside reservation in its benchmark: the least that HTTP and that booking can be.

The echo parses a booking's body and answers it. The bare booking is one statement that commits by
itself, on tables like reservation's: no login, no checks, no key, no event, no audit.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import asyncpg
from fastapi import FastAPI, Request
from pydantic import AwareDatetime, BaseModel

TABLES = """
CREATE TABLE bare_cell (LIKE cell INCLUDING ALL);
CREATE TABLE bare_booking (LIKE booking INCLUDING ALL);
INSERT INTO bare_cell SELECT * FROM cell;
"""
BOOK = """
WITH taken AS (
    UPDATE bare_cell SET booked = booked + 1
    WHERE site_id = $2 AND booked < capacity
        AND starts_at IN ($3::timestamptz, $3::timestamptz + interval '10 minutes')
    RETURNING 1
)
INSERT INTO bare_booking (booking_id, case_id, party_id, site_id, starts_at, minutes, procedure,
                          made_at, changed_at)
SELECT gen_random_uuid(), $1, $1, $2, $3, 20, 'card_issuance', now(), now()
WHERE (SELECT count(*) FROM taken) = 2
RETURNING booking_id
"""


BOOK_ALL = """
WITH asked AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS a(case_id, site_id, at)
), wanted AS (
    SELECT site_id, cell, count(*)::int AS seats
    FROM asked, LATERAL (VALUES (at), (at + interval '10 minutes')) AS c(cell)
    GROUP BY site_id, cell
), taken AS (
    UPDATE bare_cell SET booked = booked + wanted.seats FROM wanted
    WHERE bare_cell.site_id = wanted.site_id AND starts_at = wanted.cell
)
INSERT INTO bare_booking (booking_id, case_id, party_id, site_id, starts_at, minutes, procedure,
                          made_at, changed_at)
SELECT gen_random_uuid(), case_id, case_id, site_id, at, 20, 'card_issuance', now(), now()
FROM asked
"""
"""As many bookings as are given, in one statement that asks nothing."""


class Body(BaseModel):
    """A booking as it is asked for."""

    case_ids: tuple[UUID, ...]
    site_id: str
    starts_at: AwareDatetime


async def book(pool: asyncpg.Pool, case_id: UUID, site_id: str, starts_at: datetime) -> UUID:
    """One statement; raises ``LookupError`` where no seat is left."""
    booked: UUID | None = await pool.fetchval(BOOK, case_id, site_id, starts_at)
    if booked is None:
        raise LookupError("no seat is left")
    return booked


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["BARE_DATABASE_URL"], min_size=8, max_size=8) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=_lifespan)


@app.get("/echo")
async def read_echo(request: Request) -> dict[str, str]:
    """The query."""
    return dict(request.query_params)


@app.post("/echo")
async def echo(body: Body) -> Body:
    """The body."""
    return body


@app.post("/bookings", status_code=201)
async def bookings(body: Body, request: Request) -> dict[str, UUID]:
    """A seat, with nothing around it."""
    booked = await book(request.app.state.pool, body.case_ids[0], body.site_id, body.starts_at)
    return {"booking_id": booked}

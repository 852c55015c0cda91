"""Generations of read models: which is live, which is being built, and what each holds.

At most one process builds a read model: it holds an advisory lock as long as its session lasts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.reporting.store import shapes
from shared.db import Connection

ROOM = "reporting"
"""The consumer whose inbox says what the live tables hold."""

_STATES = "SELECT * FROM projection WHERE name = ANY($1::text[])"

_BEGIN = """
UPDATE projection SET last = last + 1, building = last + 1, building_since = now(),
       building_shape = (SELECT max(version) FROM schema_migration WHERE source = 'reporting')
WHERE name = $1 RETURNING building
"""

_END = """
UPDATE projection SET live = building, switched_at = now(), building = NULL,
       building_since = NULL, building_shape = NULL
WHERE name = $1
"""

_BEHIND = "SELECT name FROM projection_behind ORDER BY name"

_FITS = """
SELECT building_shape = (SELECT max(version) FROM schema_migration WHERE source = 'reporting')
FROM projection WHERE name = $1
"""

# What the live consumer has handled although the rebuild could not.
_LOST = """
SELECT topic, partition, offset_, reason FROM parked
WHERE consumer = $1
  AND EXISTS (SELECT FROM inbox WHERE consumer = $2 AND inbox.event_id = parked.event_id)
ORDER BY topic, partition, offset_
"""

_CONTENT = """
SELECT count(*) AS rows, coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) AS sum
FROM {schema}."{table}" AS t
"""


@dataclass(frozen=True, slots=True)
class State:
    """Where a read model stands; generations count from 1."""

    name: str
    live: int = 1
    switched_at: datetime | None = None
    building: int | None = None
    building_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What tables hold, whatever the order it lies in: the same rows have the same digest."""

    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class Lost:
    """A message that the live tables hold and the rebuilt ones could not take, and why."""

    topic: str
    partition: int
    offset: int
    reason: str


def schema_of(name: str, generation: int) -> str:
    """Where the tables of a generation lie while it is being built."""
    return f"projection_{name}_{generation}"


def consumer_of(name: str, generation: int) -> str:
    """Under which name a rebuild reads, and sets aside what it cannot handle."""
    return f"{ROOM}.{name}.{generation}"


async def states(conn: Connection, names: Sequence[str]) -> list[State]:
    """Where these read models stand; one that was never built again is its first generation."""
    rows = {row["name"]: row for row in await conn.fetch(_STATES, list(names))}
    return [
        State(
            name,
            rows[name]["live"],
            rows[name]["switched_at"],
            rows[name]["building"],
            rows[name]["building_since"],
        )
        if name in rows
        else State(name)
        for name in names
    ]


async def behind(conn: Connection) -> list[str]:
    """Read models that lack what an upgrade added and only the past can tell, until rebuilt."""
    return [row["name"] for row in await conn.fetch(_BEHIND)]


async def claim(conn: Connection, name: str) -> bool:
    """Take the right to build ``name`` for this session; False where another has it."""
    taken: bool = await conn.fetchval(
        "SELECT pg_try_advisory_lock(hashtext('projection'), hashtext($1))", name
    )
    return taken


async def begin(conn: Connection, name: str, tables: Sequence[str]) -> int:
    """Begin the next generation with empty tables, and throw away one that was begun before."""
    await conn.execute("INSERT INTO projection (name) VALUES ($1) ON CONFLICT DO NOTHING", name)
    before = await conn.fetchval("SELECT building FROM projection WHERE name = $1", name)
    if before is not None:
        await forget(conn, name, before)
    generation: int = await conn.fetchval(_BEGIN, name)
    await shapes.copy(conn, schema_of(name, generation), tables)
    return generation


async def forget(conn: Connection, name: str, generation: int) -> None:
    """Throw away what a generation built and set aside."""
    await shapes.drop(conn, schema_of(name, generation))
    await conn.execute("DELETE FROM parked WHERE consumer = $1", consumer_of(name, generation))


async def fits(conn: Connection, name: str) -> bool:
    """Whether the tables being built still have the shape of the live ones."""
    return bool(await conn.fetchval(_FITS, name))


async def lost(conn: Connection, name: str, generation: int) -> list[Lost]:
    """What would be missing if this generation became live now."""
    rows = await conn.fetch(_LOST, consumer_of(name, generation), ROOM)
    return [Lost(*tuple(row)) for row in rows]


async def hold_still(conn: Connection, tables: Sequence[str]) -> None:
    """Let nobody write to these live tables until this transaction ends; they can be read."""
    names = ", ".join(f'public."{table}"' for table in sorted(tables))
    await conn.execute(f"LOCK TABLE {names} IN EXCLUSIVE MODE")


async def content(conn: Connection, schema: str, tables: Sequence[str]) -> Content:
    """What the tables of ``schema`` hold."""
    rows, digest = 0, []
    for table in sorted(tables):
        found = await conn.fetchrow(_CONTENT.format(schema=f'"{schema}"', table=table))
        assert found is not None  # noqa: S101  an aggregate always has one row
        rows += found["rows"]
        digest.append(f"{found['rows']:x}.{int(found['sum']) % 2**64:016x}")
    return Content(rows, "-".join(digest))


async def switch(conn: Connection, name: str, generation: int, tables: Sequence[str]) -> None:
    """Make a generation live; the tables it replaces are gone when this transaction commits."""
    await shapes.replace(conn, schema_of(name, generation), tables)
    await conn.execute("DELETE FROM parked WHERE consumer = $1", consumer_of(name, generation))
    await conn.execute(_END, name)
    await conn.execute("DELETE FROM projection_behind WHERE name = $1", name)

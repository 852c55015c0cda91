"""Databases for tests: each is as new. One whose test changed rows alone is emptied and given to a
later test, under another name; any other is dropped, for a new copy costs five times as much.

What "as new" is, a signature says: of the catalog, of sequences and statistics, and of each row
that the migrations wrote. It has to be that of the template.
"""

from collections import defaultdict
from importlib import import_module
from pathlib import Path
from uuid import uuid4

import asyncpg

from deploy.embedded.postgres import EmbeddedPostgres
from shared.migrate import KERNEL, migrate
from shared.security.checkpoints import MIGRATIONS as AUDIT

_TIMES = 25
"""How often one is given out: each time leaves dead rows in its catalog."""

_TABLES = """
SELECT c.oid::regclass::text FROM pg_class c
WHERE c.oid >= 16384 AND c.relkind = 'r' AND c.relpersistence <> 't' AND pg_relation_size(c.oid) > 0
"""
_OTHERS = """
SELECT bool_and(pg_terminate_backend(pid, 2000)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
_RESTART = """
SELECT setval(format('%I.%I', schemaname, sequencename), start_value, false)
FROM pg_sequences WHERE last_value IS NOT NULL
"""
_BY_ROW = (
    *("pg_attrdef", "pg_constraint", "pg_event_trigger", "pg_namespace", "pg_policy", "pg_proc"),
    *("pg_publication", "pg_rewrite", "pg_statistic_ext", "pg_trigger", "pg_type"),
)
"""Catalogs of which emptying a table changes no row: who wrote each says whether it is another."""
_SHAPE = " || ' ' || ".join(
    [
        "(SELECT count(*) || '.' || coalesce(sum(xmin::text::bigint), 0) FROM pg_attribute"
        " WHERE attrelid >= 16384)",
        "(SELECT count(*) || '.' || coalesce(sum(xmin::text::bigint), 0) FROM pg_index"
        " WHERE indexrelid >= 16384)",
        *(
            f"(SELECT count(*) || '.' || coalesce(sum(xmin::text::bigint), 0) FROM {catalog}"
            " WHERE oid >= 16384 OR oid = 2200)"
            for catalog in _BY_ROW
        ),
        "(SELECT md5(string_agg(concat_ws(',', oid, relname, relkind, relpersistence, relowner,"
        " relacl, reloptions), ';' ORDER BY oid)) FROM pg_class WHERE oid >= 16384)",
        "(SELECT count(*) FROM pg_sequences WHERE last_value IS NOT NULL)",
        "(SELECT count(*) FROM pg_statistic WHERE starelid >= 16384)",
        "(SELECT count(*) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase"
        " WHERE d.datname = current_database())",
    ]
)


class Databases:
    """Those of a server, by room; ``kernel`` and ``audit`` count as rooms."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._templates = f"template_{uuid4().hex[:12]}"
        self._admin: asyncpg.Connection | None = None
        self._like_new: dict[str, str] = {}
        self._own: dict[str, list[str]] = {}
        self._shelf: dict[str, list[str]] = defaultdict(list)
        self._given: dict[str, int] = {}

    async def fresh(self, room: str) -> str:
        """Name of a database as the room's migrations leave it."""
        if room not in self._like_new:
            await self._prepare(room)
        name, times = f"{room}_{uuid4().hex[:12]}", 0
        if self._shelf[room]:
            kept = self._shelf[room].pop()
            times = self._given.pop(kept)
            await self._run(f'ALTER DATABASE "{kept}" RENAME TO "{name}"')
        else:
            like = f'TEMPLATE "{self._templates}_{room}" STRATEGY FILE_COPY'
            await self._run(f'CREATE DATABASE "{name}" {like}')
        self._given[name] = times + 1
        return name

    async def take_back(self, name: str) -> None:
        """Nobody needs it any more; who still has a connection loses it."""
        room = name.rpartition("_")[0]
        if self._given[name] < _TIMES and await self._is_emptied(name, room):
            self._shelf[room].append(name)
            return
        del self._given[name]
        await self._run(f'DROP DATABASE "{name}" WITH (FORCE)')

    async def close(self) -> None:
        """Leave the server."""
        if self._admin is not None:
            await self._admin.close()

    async def _prepare(self, room: str) -> None:
        name = f"{self._templates}_{room}"
        await self._run(f'CREATE DATABASE "{name}"')
        await migrate(self._server.url(name), _sources(room))
        conn = await asyncpg.connect(self._server.url(name))
        try:
            self._own[room] = [table for (table,) in await conn.fetch(_TABLES)]
            self._like_new[room] = await self._signature(conn, room)
        finally:
            await conn.close()

    async def _is_emptied(self, name: str, room: str) -> bool:
        try:
            conn = await asyncpg.connect(self._server.url(name))
        except asyncpg.PostgresError:  # a test dropped it, or let nobody in
            return False
        try:
            if await conn.fetchval(_OTHERS) is False:
                return False
            written = {table for (table,) in await conn.fetch(_TABLES)} - {*self._own[room]}
            if written:
                # Rows that nobody may take out go as well.
                await conn.execute(
                    "SET session_replication_role = replica;"
                    f"TRUNCATE {', '.join(sorted(written))} CASCADE"
                )
            await conn.execute(_RESTART)
            return await self._signature(conn, room) == self._like_new[room]
        except asyncpg.PostgresError:  # a table is locked, or has become something else
            return False
        finally:
            await conn.close()

    async def _signature(self, conn: asyncpg.Connection, room: str) -> str:
        rows = [
            f"(SELECT coalesce(md5(string_agg(t::text, ';' ORDER BY t::text)), '') FROM {table} t)"
            for table in self._own[room]
        ]
        return str(await conn.fetchval("SELECT " + " || ' ' || ".join([_SHAPE, *rows])))

    async def _run(self, statement: str) -> None:
        if self._admin is None or self._admin.is_closed():
            self._admin = await asyncpg.connect(self._server.url("postgres"))
        await self._admin.execute(statement)


def _sources(room: str) -> list[tuple[str, Path]]:
    if room == "audit":
        return [("audit", AUDIT)]
    if room == "kernel":
        return [("kernel", KERNEL)]
    folder = Path(str(import_module(f"services.{room}").__file__)).parent / "migrations"
    return [("kernel", KERNEL), (room, folder)]

"""Numbered SQL migrations: applied once, in order, under one lock, never changed afterwards.

The kernel's migrations come first, then the room's. Each file is one transaction. A file whose
text differs from what was applied is refused, because two installations would then differ
without anyone knowing.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from shared.db import Connection, session

KERNEL = Path(__file__).parent / "migrations"
_NAME = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")
_LOCK = 0x6D61646F  # any constant known to all: one migration at a time per database

_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migration (
    source     text        NOT NULL,
    version    int         NOT NULL,
    name       text        NOT NULL,
    checksum   text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, version)
)
"""


class MigrationError(Exception):
    """A migration folder is unsound or differs from what was applied; the text says which."""


@dataclass(frozen=True)
class Migration:
    """One numbered file of one source (``kernel`` or a room)."""

    source: str
    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read_migrations(source: str, folder: Path) -> list[Migration]:
    """The migrations of ``folder`` in order.

    Raises ``MigrationError`` on a misnamed file or a gap in the numbers.
    """
    found = []
    for path in sorted(folder.glob("*.sql")):
        match = _NAME.match(path.name)
        if not match:
            raise MigrationError(f"{path.name}: name it like 0001_what_it_does.sql")
        found.append(Migration(source, int(match[1]), path.name, path.read_text("utf-8")))
    expected = list(range(1, len(found) + 1))
    if [migration.version for migration in found] != expected:
        raise MigrationError(f"{source}: versions must run 0001, 0002, … without gaps")
    return found


async def migrate(url: str, sources: Sequence[tuple[str, Path]]) -> list[str]:
    """Bring the database up to date and return the names newly applied.

    Raises ``MigrationError`` when an applied file was changed or is missing here.
    """
    conn = await session(url, application="madoguchi-migrate")
    try:
        # Whoever else migrates may take longer than any time-out of a session.
        await conn.execute("SET lock_timeout = 0; SET statement_timeout = 0")
        await conn.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await conn.execute(_LEDGER)
        applied: list[str] = []
        for source, folder in sources:
            applied += await _apply(conn, source, read_migrations(source, folder))
        return applied
    finally:
        await conn.close()


async def pending(conn: Connection, sources: Sequence[tuple[str, Path]]) -> list[str]:
    """Names not applied yet; for readiness."""
    if await conn.fetchval("SELECT to_regclass('schema_migration')") is None:
        return [m.name for source, folder in sources for m in read_migrations(source, folder)]
    rows = await conn.fetch("SELECT source, version FROM schema_migration")
    done = {(row["source"], row["version"]) for row in rows}
    return [
        migration.name
        for source, folder in sources
        for migration in read_migrations(source, folder)
        if (source, migration.version) not in done
    ]


async def _apply(
    conn: asyncpg.Connection, source: str, migrations: Sequence[Migration]
) -> list[str]:
    rows = await conn.fetch(
        "SELECT version, name, checksum FROM schema_migration WHERE source = $1", source
    )
    known = {row["version"]: row for row in rows}
    ours = {migration.version for migration in migrations}
    if unknown := sorted(set(known) - ours):
        raise MigrationError(f"{source}: the database has {unknown}, which this code lacks")
    applied = []
    for migration in migrations:
        if row := known.get(migration.version):
            if row["checksum"] != migration.checksum:
                raise MigrationError(
                    f"{source}/{migration.name} was changed after it was applied; "
                    "restore its text and put the change into a new file"
                )
            continue
        await _run(conn, migration)
        applied.append(f"{source}/{migration.name}")
    return applied


async def _run(conn: asyncpg.Connection, migration: Migration) -> None:
    async with conn.transaction():
        await conn.execute("SET LOCAL lock_timeout = '5s'")
        await conn.execute(migration.sql)
        await conn.execute(
            "INSERT INTO schema_migration (source, version, name, checksum)"
            " VALUES ($1, $2, $3, $4)",
            migration.source,
            migration.version,
            migration.name,
            migration.checksum,
        )

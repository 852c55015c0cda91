"""The state of a room's database as one hash, for tests of what repetition must not change."""

import hashlib

from shared.db import Connection

MECHANICS = frozenset(
    {
        "outbox_cursor",
        "schema_migration",
        "audit_entry",
        "audit_seal",
        "audit_era",
        "audit_receipt",
        "idempotency",
        "seat_change",
    }
)
"""Tables that say how far a process is, not what is true."""


async def state_hash(conn: Connection, *, leave_out: frozenset[str] = MECHANICS) -> str:
    """SHA-256 over every row of every table, whatever the order they lie in.

    The outbox counts by what it says (type, subject, sequence, body), not by drawn ids and times.
    """
    digest = hashlib.sha256()
    for table in await _tables(conn):
        if table in leave_out or table.startswith("outbox"):
            continue
        rows = await conn.fetch(f'SELECT t::text AS row FROM "{table}" t ORDER BY 1')
        digest.update(f"{table}:{len(rows)}\n".encode())
        for row in rows:
            digest.update(row["row"].encode() + b"\n")
    for row in await conn.fetch(
        "SELECT topic, type, subject, sequence, time, data FROM outbox ORDER BY subject, sequence"
    ):
        digest.update(repr(tuple(row)).encode() + b"\n")
    return digest.hexdigest()


async def _tables(conn: Connection) -> list[str]:
    rows = await conn.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    )
    return [row["tablename"] for row in rows]

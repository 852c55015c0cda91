"""A table's shape, copied into another schema: columns, checks, keys, indexes and storage, under
the same names, so that the copy can take the table's place and no migration sees a difference.
"""

from collections.abc import Sequence

from shared.db import Connection

_COLUMNS = """
SELECT format('CREATE TABLE %I.%I (LIKE public.%I INCLUDING ALL EXCLUDING INDEXES)', $1::text,
              relname, relname)
       || CASE WHEN reloptions IS NULL THEN ''
               ELSE format('; ALTER TABLE %I.%I SET (%s)', $1::text, relname,
                           array_to_string(reloptions, ', ')) END
FROM pg_class WHERE oid = to_regclass('public.' || quote_ident($2))
"""

_KEYS = """
SELECT format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', $1::text, $2::text, conname,
              pg_get_constraintdef(oid))
FROM pg_constraint
WHERE conrelid = to_regclass('public.' || quote_ident($2)) AND contype IN ('p', 'u')
ORDER BY conname
"""

# PostgreSQL writes the table's name with its schema here, and nothing before it repeats it.
_INDEXES = """
SELECT regexp_replace(pg_get_indexdef(i.indexrelid), ' ON public\\.', format(' ON %I.', $1::text))
FROM pg_index AS i
WHERE i.indrelid = to_regclass('public.' || quote_ident($2))
  AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.indexrelid)
ORDER BY i.indexrelid
"""


class TableMissingError(Exception):
    """A projection names a table that is not there; the text says which."""


async def copy(conn: Connection, schema: str, tables: Sequence[str]) -> None:
    """Make ``schema`` with empty tables of the shape that ``tables`` have in public.

    Raises ``TableMissingError``.
    """
    await conn.execute(f'CREATE SCHEMA "{schema}"')
    for table in tables:
        made = await conn.fetchval(_COLUMNS, schema, table)
        if made is None:
            raise TableMissingError(table)
        rows = await conn.fetch(_KEYS, schema, table)
        rows += await conn.fetch(_INDEXES, schema, table)
        for statement in (made, *(row[0] for row in rows)):
            await conn.execute(statement)


async def drop(conn: Connection, schema: str) -> None:
    """Throw ``schema`` away with all that is in it."""
    await conn.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')


async def replace(conn: Connection, schema: str, tables: Sequence[str]) -> None:
    """Put the tables of ``schema`` in the place of those in public, which are thrown away.

    Whoever waits for one of these tables finds the new one under its name.
    """
    for table in sorted(tables):
        await conn.execute(
            f'DROP TABLE public."{table}"; ALTER TABLE "{schema}"."{table}" SET SCHEMA public'
        )
    await drop(conn, schema)

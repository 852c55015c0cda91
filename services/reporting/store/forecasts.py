"""Forecasts, version by version; a version is written once and never changed."""

from collections.abc import Sequence

from services.reporting.domain.forecasts import Basis, Forecast, Value, Version
from shared.contracts.base import Procedure
from shared.db import Connection
from shared.unit import Unit

_STORED = {Basis.PUBLISHED: "actual", Basis.FORECAST: "forecast"}
_READ = {word: basis for basis, word in _STORED.items()}

_ADD = """
INSERT INTO forecast (version, sha256, name, imported_at, imported_by)
SELECT coalesce(max(version), 0) + 1, $1, $2, $3, $4 FROM forecast
RETURNING version
"""

_ADD_VALUES = """
INSERT INTO forecast_value (version, month, procedure, basis, count)
SELECT $1, * FROM unnest($2::date[], $3::text[], $4::text[], $5::int[])
"""

_VERSIONS = """
SELECT version, name, imported_at, imported_by,
       min(month) FILTER (WHERE basis = 'forecast') AS first,
       max(month) FILTER (WHERE basis = 'forecast') AS last
FROM forecast LEFT JOIN forecast_value USING (version)
WHERE ($1::int IS NULL OR version = $1) AND ($2::int IS NULL OR version < $2)
GROUP BY version
ORDER BY version DESC
LIMIT $3
"""

_VALUES = """
SELECT month, procedure, basis, count FROM forecast_value WHERE version = $1
ORDER BY month, procedure, basis
"""


async def version_of(conn: Connection, sha256: bytes) -> int | None:
    """The version that came of a file, if it was imported."""
    found: int | None = await conn.fetchval(
        "SELECT version FROM forecast WHERE sha256 = $1", sha256
    )
    return found


async def add(unit: Unit, sha256: bytes, name: str, values: Sequence[Value]) -> tuple[int, bool]:
    """The version of this file, and whether it is new."""
    # One import at a time: versions count without gaps, and a file is one of them.
    await unit.conn.execute("LOCK TABLE forecast IN SHARE ROW EXCLUSIVE MODE")
    known = await version_of(unit.conn, sha256)
    if known is not None:
        return known, False
    version: int = await unit.conn.fetchval(_ADD, sha256, name, unit.now, unit.principal.subject)
    await unit.conn.execute(
        _ADD_VALUES,
        version,
        [each.month for each in values],
        [each.procedure for each in values],
        [_STORED[each.basis] for each in values],
        [each.count for each in values],
    )
    return version, True


async def versions(
    conn: Connection, *, only: int | None = None, before: int | None = None, limit: int = 500
) -> list[Version]:
    """Versions, the newest first."""
    return [Version(*tuple(row)) for row in await conn.fetch(_VERSIONS, only, before, limit)]


async def newest(conn: Connection) -> int | None:
    """The version that counts where none is named."""
    found: int | None = await conn.fetchval("SELECT max(version) FROM forecast")
    return found


async def values(conn: Connection, version: int) -> list[Value]:
    """All numbers of a version, in order."""
    rows = await conn.fetch(_VALUES, version)
    return [Value(row[0], Procedure(row[1]), _READ[row[2]], row[3]) for row in rows]


async def read(conn: Connection, version: int) -> Forecast:
    """The numbers of a version; nothing where there is no such version."""
    return Forecast.of(await values(conn, version))

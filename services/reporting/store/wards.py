"""The city's wards: the last import of a ward counts."""

from collections.abc import Sequence
from dataclasses import astuple

from services.reporting.domain.wards import Ward
from shared.db import Connection

_PUT = """
INSERT INTO ward AS known (code, name_ja, name_en, latitude, longitude, population)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::float8[], $6::int[])
ON CONFLICT (code) DO UPDATE SET
    name_ja = excluded.name_ja,
    name_en = excluded.name_en,
    latitude = excluded.latitude,
    longitude = excluded.longitude,
    population = excluded.population
"""


async def put(conn: Connection, wards: Sequence[Ward]) -> None:
    """Keep these wards as they are told."""
    ordered = sorted(wards, key=lambda ward: ward.code)
    columns = [list(column) for column in zip(*map(astuple, ordered), strict=True)]
    await conn.execute(_PUT, *columns)


async def all_(conn: Connection) -> list[Ward]:
    """Every ward, in order of its code."""
    rows = await conn.fetch("SELECT * FROM ward ORDER BY code")
    return [Ward(*tuple(row)) for row in rows]

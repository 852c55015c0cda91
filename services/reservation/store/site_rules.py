"""What sites decide otherwise than their city, as JSON beside the site."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.reservation.domain.site_rules import Overrides
from shared.contracts.base import Procedure
from shared.db import Connection
from shared.ids import SiteId

_OF_SITES = "SELECT site_id, procedure, overrides FROM site_rule WHERE site_id = ANY($1::text[])"
_VERSIONED = "SELECT overrides, version FROM site_rule WHERE site_id = $1 AND procedure = $2"
_PUT = """
INSERT INTO site_rule (site_id, procedure, overrides, changed_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (site_id, procedure) DO UPDATE
    SET overrides = excluded.overrides, version = site_rule.version + 1,
        changed_at = excluded.changed_at
RETURNING version
"""


@dataclass(frozen=True, slots=True)
class StoredOverrides:
    """What a site decides otherwise for a procedure, and how often that was changed."""

    overrides: Overrides
    version: int


async def read(conn: Connection, site_id: SiteId) -> Mapping[Procedure, Overrides]:
    """By procedure, where the site decides anything."""
    return (await of_sites(conn, [site_id])).get(site_id, {})


async def of_sites(
    conn: Connection, site_ids: Sequence[SiteId]
) -> Mapping[SiteId, Mapping[Procedure, Overrides]]:
    """By site and procedure, where a site decides anything."""
    found: dict[SiteId, dict[Procedure, Overrides]] = {}
    for row in await conn.fetch(_OF_SITES, site_ids):
        own = found.setdefault(SiteId(row["site_id"]), {})
        own[Procedure(row["procedure"])] = overrides_of(row["overrides"])
    return found


async def versioned(
    conn: Connection, site_id: SiteId, procedure: Procedure
) -> StoredOverrides | None:
    """What the site decides for one procedure, or none."""
    row = await conn.fetchrow(_VERSIONED, site_id, procedure.value)
    if row is None:
        return None
    return StoredOverrides(overrides_of(row["overrides"]), row["version"])


async def put(
    conn: Connection, site_id: SiteId, procedure: Procedure, own: Overrides, now: datetime
) -> int:
    """Replace what a locked site decides for a procedure; its new version."""
    text = own.model_dump_json(exclude_none=True)
    version: int = await conn.fetchval(_PUT, site_id, procedure.value, text, now)
    return version


def overrides_of(text: str) -> Overrides:
    """What is stored, parsed."""
    return Overrides.model_validate_json(text)

"""What a booking has to know of its sites, in one look: each as it is, what it decides otherwise
than its city, and whether the national system is suspended there, or will be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.reservation.domain.site_rules import Overrides
from services.reservation.store.site_rules import overrides_of
from services.reservation.store.sites import StoredSite, stored
from shared.contracts.base import Procedure
from shared.db import Connection
from shared.ids import SiteId

_READ_ALL = """
SELECT s.site_id, s.version, s.definition, s.made_until, r.procedure, r.overrides,
       EXISTS (
           SELECT FROM suspension p WHERE p.site_id = s.site_id AND p.resumed_at IS NULL
       ) AS has_suspension
FROM site s LEFT JOIN site_rule r USING (site_id)
WHERE s.site_id = ANY($1::text[])
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A site, its own rules by procedure, and whether a suspension there is not over."""

    stored: StoredSite
    overrides: Mapping[Procedure, Overrides]
    has_suspension: bool


async def read_all(conn: Connection, site_ids: Sequence[SiteId]) -> dict[SiteId, Place]:
    """Those of the sites that there are."""
    rows = await conn.fetch(_READ_ALL, site_ids)
    own: dict[SiteId, dict[Procedure, Overrides]] = {}
    for row in rows:
        rules = own.setdefault(SiteId(row["site_id"]), {})
        if row["procedure"] is not None:
            rules[Procedure(row["procedure"])] = overrides_of(row["overrides"])
    return {
        (site_id := SiteId(row["site_id"])): Place(stored(row), own[site_id], row["has_suspension"])
        for row in rows
    }

"""What reservation last said of each site; the greater sequence wins, whenever it comes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from shared.contracts.place import SiteKind, SiteState
from shared.db import Connection
from shared.ids import SiteId, WardCode


@dataclass(frozen=True, slots=True)
class SiteFact:
    """One thing that was said of a site; ``sequence`` is that of the event."""

    site_id: SiteId
    kind: SiteKind
    ward: WardCode
    state: SiteState
    last_day: date | None
    card_wards: frozenset[WardCode] | None
    """Whose cards it hands over: residents of these wards; None means every ward."""
    sequence: int


async def remember(conn: Connection, facts: Sequence[SiteFact]) -> None:
    """Keep the latest fact of each site."""
    await conn.execute(
        _REMEMBER,
        [fact.site_id for fact in facts],
        [fact.kind for fact in facts],
        [fact.ward for fact in facts],
        [fact.state for fact in facts],
        [fact.last_day for fact in facts],
        [fact.sequence for fact in facts],
        [_joined(fact.card_wards) for fact in facts],
    )


async def offices(conn: Connection) -> dict[WardCode, SiteId]:
    """The ward office of each ward that has an open one."""
    return {row["ward"]: row["site_id"] for row in await conn.fetch(_OFFICES)}


async def may_receive(conn: Connection, site_id: SiteId) -> bool:
    """Whether cards may be sent to a site or laid there: it is known and not closed, or no site is
    known yet.
    """
    may: bool = await conn.fetchval(_MAY_RECEIVE, site_id)
    return may


def _joined(wards: frozenset[WardCode] | None) -> str | None:
    return None if wards is None else ",".join(sorted(wards))


_REMEMBER = """
INSERT INTO site AS s (site_id, kind, ward, state, last_day, sequence, card_wards)
SELECT DISTINCT ON (site_id) site_id, kind, ward, state, last_day, sequence,
       string_to_array(card_wards, ',')
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::date[], $6::bigint[], $7::text[])
     AS f(site_id, kind, ward, state, last_day, sequence, card_wards)
ORDER BY site_id, sequence DESC
ON CONFLICT (site_id) DO UPDATE
    SET kind = excluded.kind, ward = excluded.ward, state = excluded.state,
        last_day = excluded.last_day, sequence = excluded.sequence,
        card_wards = excluded.card_wards
    WHERE excluded.sequence > s.sequence
"""
_OFFICES = """
SELECT DISTINCT ON (ward) ward, site_id FROM site
WHERE kind = 'ward_office' AND state IN ('preparing', 'open') ORDER BY ward, site_id
"""
_MAY_RECEIVE = """
SELECT NOT EXISTS (SELECT FROM site)
    OR EXISTS (SELECT FROM site WHERE site_id = $1 AND state <> 'closed')
"""

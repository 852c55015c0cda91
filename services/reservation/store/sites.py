"""Sites: the whole value as JSON, with the version that its ETag names."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from shared.contracts.place import Site
from shared.db import Connection, Row
from shared.ids import SiteId

_COLUMNS = "site_id, version, definition, made_until"
_READ = f"SELECT {_COLUMNS} FROM site WHERE site_id = $1"  # noqa: S608  only our column list
_READ_ALL = f"SELECT {_COLUMNS} FROM site WHERE site_id = ANY($1::text[])"  # noqa: S608
_LOCK = _READ + " FOR NO KEY UPDATE"
_ON_SALE = f"""
SELECT {_COLUMNS} FROM site
WHERE state = 'open'
    OR (state = 'winding_down' AND definition -> 'selling' IS DISTINCT FROM 'false')
ORDER BY site_id
"""  # noqa: S608
_IN_SERVICE = f"""
SELECT {_COLUMNS} FROM site WHERE state IN ('open', 'winding_down') ORDER BY site_id
"""  # noqa: S608
_LIST = f"""
SELECT {_COLUMNS} FROM site WHERE site_id > $1 ORDER BY site_id LIMIT $2
"""  # noqa: S608
_INSERT = """
INSERT INTO site (site_id, state, version, definition, changed_at) VALUES ($1, $2, 1, $3, $4)
ON CONFLICT DO NOTHING
RETURNING version
"""
_UPDATE = """
UPDATE site SET state = $2, version = version + 1, definition = $3, changed_at = $4
WHERE site_id = $1
RETURNING version
"""
_TAKE_OUTLIVED = f"""
SELECT {_COLUMNS} FROM site
WHERE state = 'open' AND (definition ->> 'closes_on')::date < $1 AND NOT EXISTS (
    SELECT FROM closure c
    WHERE c.site_id = site.site_id AND c.state <> 'done' AND c.kind <> 'suspension')
ORDER BY site_id LIMIT 1
FOR NO KEY UPDATE SKIP LOCKED
"""  # noqa: S608
# A site that has told of no day yet begins with the day on which it opened.
_TAKE_DAY_ENDED = f"""
SELECT {_COLUMNS}, told FROM site, LATERAL (
    SELECT coalesce(day_closed, (changed_at AT TIME ZONE 'Asia/Tokyo')::date - 1) AS told) AS t
WHERE state IN ('open', 'winding_down', 'closed')
    AND told < least($1::date - 1, (definition ->> 'closes_on')::date)
ORDER BY site_id LIMIT 1
FOR NO KEY UPDATE OF site SKIP LOCKED
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class StoredSite:
    """A site and what this room knows of it: its version, and until when it has cells."""

    site: Site
    version: int
    made_until: date | None


async def read(conn: Connection, site_id: SiteId) -> StoredSite | None:
    """The site, or none."""
    row = await conn.fetchrow(_READ, site_id)
    return stored(row) if row else None


async def read_all(conn: Connection, site_ids: Sequence[SiteId]) -> dict[SiteId, StoredSite]:
    """Those of the sites that there are."""
    rows = await conn.fetch(_READ_ALL, site_ids)
    return {SiteId(row["site_id"]): stored(row) for row in rows}


async def lock(conn: Connection, site_id: SiteId) -> StoredSite | None:
    """The site, locked to the end of the transaction; taken before any other lock."""
    row = await conn.fetchrow(_LOCK, site_id)
    return stored(row) if row else None


async def on_sale(conn: Connection) -> list[StoredSite]:
    """Every site that sells seats, by id: open, or winding down and selling to its last day."""
    return [stored(row) for row in await conn.fetch(_ON_SALE)]


async def in_service(conn: Connection) -> list[StoredSite]:
    """Every site that serves citizens, by id: open, or winding down."""
    return [stored(row) for row in await conn.fetch(_IN_SERVICE)]


async def page(conn: Connection, after: str, limit: int) -> Sequence[StoredSite]:
    """Up to ``limit`` sites whose id comes after ``after``, by id."""
    return [stored(row) for row in await conn.fetch(_LIST, after, limit)]


async def insert(conn: Connection, site: Site, now: datetime) -> bool:
    """Store a new site; false where the id was taken, by a transaction that has ended since."""
    values = (site.site_id, site.state.value, site.model_dump_json(), now)
    return await conn.fetchval(_INSERT, *values) is not None


async def update(conn: Connection, site: Site, now: datetime) -> int:
    """Replace the value of a locked site; its new version."""
    version: int = await conn.fetchval(
        _UPDATE, site.site_id, site.state.value, site.model_dump_json(), now
    )
    return version


async def made(conn: Connection, site_id: SiteId, until: date) -> None:
    """Remember that the site has cells up to ``until``."""
    await conn.execute("UPDATE site SET made_until = $2 WHERE site_id = $1", site_id, until)


async def take_outlived(conn: Connection, today: date) -> StoredSite | None:
    """An open site whose last day is over, locked."""
    row = await conn.fetchrow(_TAKE_OUTLIVED, today)
    return stored(row) if row else None


async def take_day_ended(conn: Connection, today: date) -> tuple[StoredSite, date] | None:
    """A site in service, locked, of which not every day before today was told; and the last."""
    row = await conn.fetchrow(_TAKE_DAY_ENDED, today)
    return (stored(row), row["told"]) if row else None


async def day_closed(conn: Connection, site_id: SiteId, day: date) -> None:
    """Remember that the end of ``day`` was told."""
    await conn.execute("UPDATE site SET day_closed = $2 WHERE site_id = $1", site_id, day)


def stored(row: Row) -> StoredSite:
    """The site of a row that has the columns of ``_COLUMNS``."""
    return StoredSite(_site(row["definition"]), row["version"], row["made_until"])


@lru_cache(maxsize=512)
def _site(definition: str) -> Site:
    """Sites are read far more often than they change, and parsing one takes a while."""
    return Site.model_validate_json(definition)

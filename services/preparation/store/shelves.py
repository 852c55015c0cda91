"""Shelves: what lies on each, and the places that are free. Counts are counted from the cards, so
that they cannot differ from them; whoever lays cards on a shelf holds its row meanwhile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.preparation.domain.shelves import ShelfRef
from services.preparation.domain.stages import Stage
from shared.db import Connection, Row
from shared.ids import CaseId, SiteId, WardCode


@dataclass(frozen=True, slots=True)
class Shelf:
    """A shelf; without a capacity it takes any number of cards."""

    site_id: SiteId
    shelf: str
    capacity: int | None
    cards: int
    version: int


@dataclass(frozen=True, slots=True)
class Lying:
    """A card on a shelf."""

    case_id: CaseId
    card_reference: str
    ward: WardCode
    stage: Stage
    shelf_position: str


async def listed(
    conn: Connection, site_id: SiteId | None, after: ShelfRef | None, limit: int
) -> Sequence[Shelf]:
    """Shelves by site and name, after one."""
    site, shelf = (after.site_id, after.shelf) if after else (None, None)
    return [_shelf(row) for row in await conn.fetch(_LISTED, site_id, site, shelf, limit)]


async def find(conn: Connection, ref: ShelfRef) -> Shelf | None:
    """One shelf."""
    row = await conn.fetchrow(_FIND, ref.site_id, ref.shelf)
    return _shelf(row) if row else None


async def lock(conn: Connection, ref: ShelfRef) -> None:
    """Make the shelf if there is none, and keep others from laying cards on it."""
    await conn.execute(_LOCK, ref.site_id, ref.shelf)


async def set_capacity(conn: Connection, ref: ShelfRef, capacity: int | None) -> None:
    """Say how many cards a locked shelf takes."""
    await conn.execute(_SET_CAPACITY, ref.site_id, ref.shelf, capacity)


async def take_places(conn: Connection, ref: ShelfRef, count: int) -> list[str]:
    """Free positions of a shelf, up to ``count``; fewer where it has no more.

    Without a capacity, numbers only grow; with one, the lowest that are free are given. The shelf
    is locked until the unit ends, so that no position is given twice.
    """
    capacity: int | None = await conn.fetchval(_LOCK, ref.site_id, ref.shelf)
    if capacity is None:
        last: int = await conn.fetchval(_TAKE_NEXT, ref.site_id, ref.shelf, count)
        numbers: list[int] = list(range(last - count + 1, last + 1))
    else:
        rows = await conn.fetch(_TAKE_FREE, ref.site_id, ref.shelf, capacity, count)
        numbers = [row["number"] for row in rows]
    return [f"{ref.shelf}-{number:05d}" for number in numbers]


async def cards_on(
    conn: Connection, ref: ShelfRef, after: str | None, limit: int
) -> Sequence[Lying]:
    """The cards of a shelf by position, after one."""
    rows = await conn.fetch(_CARDS_ON, ref.site_id, ref.shelf, after, limit)
    return [Lying(**{**row, "stage": Stage(row["stage"])}) for row in rows]


async def relay(conn: Connection, places: Mapping[CaseId, str], site_id: SiteId) -> set[CaseId]:
    """Lay cards of a site at other positions of the same site; returns those that lay there."""
    rows = await conn.fetch(_RELAY, list(places), list(places.values()), site_id)
    return {row["case_id"] for row in rows}


def _shelf(row: Row) -> Shelf:
    return Shelf(**row)


_COUNTED = """
SELECT site_id, shelf, capacity, version,
       (SELECT count(*) FROM card c WHERE (c.site_id, c.shelf) = (s.site_id, s.shelf))::int AS cards
FROM shelf s
"""
_LISTED = f"""{_COUNTED}
WHERE ($1::text IS NULL OR site_id = $1)
  AND ($2::text IS NULL OR (site_id, shelf) > ($2, $3::text))
ORDER BY site_id, shelf LIMIT $4
"""
_FIND = f"{_COUNTED} WHERE (site_id, shelf) = ($1, $2)"
_LOCK = """
INSERT INTO shelf AS s (site_id, shelf, last) VALUES ($1, $2, 0)
ON CONFLICT (site_id, shelf) DO UPDATE SET last = s.last
RETURNING capacity
"""
# Numbers go on after the highest that a card has: with a capacity they were given from below.
_SET_CAPACITY = """
UPDATE shelf s SET capacity = $3, version = version + 1, last = greatest(
    s.last, (SELECT max(substring(c.shelf_position from '[0-9]+$')::int) FROM card c
             WHERE (c.site_id, c.shelf) = (s.site_id, s.shelf)))
WHERE (site_id, shelf) = ($1, $2)
"""
_TAKE_NEXT = """
UPDATE shelf SET last = last + $3 WHERE (site_id, shelf) = ($1, $2) RETURNING last
"""
_TAKE_FREE = """
SELECT number FROM generate_series(1, $3::int) AS number
WHERE NOT EXISTS (SELECT FROM card c
                  WHERE c.site_id = $1 AND c.shelf_position
                        = $2::text || '-' || lpad(number::text, 5, '0'))
ORDER BY number
LIMIT least($4::int, greatest(0, $3 - (SELECT count(*) FROM card c
                                       WHERE (c.site_id, c.shelf) = ($1, $2))::int))
"""
_CARDS_ON = """
SELECT case_id, card_reference, ward, stage, shelf_position FROM card
WHERE (site_id, shelf) = ($1, $2) AND ($3::text IS NULL OR shelf_position > $3)
ORDER BY shelf_position LIMIT $4
"""
_RELAY = """
UPDATE card SET shelf_position = place.position, version = version + 1
FROM unnest($1::uuid[], $2::text[]) AS place(case_id, position)
WHERE card.case_id = place.case_id AND card.site_id = $3
RETURNING card.case_id
"""

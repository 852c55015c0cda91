"""Tickets: numbers without gaps per site and day, and who waits.

The row of a day's numbers is the last lock anybody takes: it is held to the end of the unit, so a
number that was drawn and not used is drawn again.
"""

from collections.abc import Sequence
from datetime import date, datetime

from services.issuance.domain.queue import Waiting
from services.issuance.domain.ticket import Need, Purpose, Standing, Ticket
from services.issuance.domain.visit import VisitState
from shared.contracts.issuance import Arrival
from shared.db import Connection, Row
from shared.ids import SiteId, VisitId


async def give(
    conn: Connection,
    visit_id: VisitId,
    site_id: SiteId,
    day: date,
    *,
    purposes: Sequence[Purpose],
    need: Need | None,
    starts_at: datetime | None,
) -> int:
    """Give the visit the next number of its site's day."""
    number: int = await conn.fetchval(
        _GIVE, visit_id, site_id, day, list(purposes), need, starts_at
    )
    return number


async def find(conn: Connection, visit_id: VisitId) -> Ticket | None:
    """The ticket of the visit."""
    row = await conn.fetchrow(_READ, visit_id)
    return _ticket(row) if row else None


async def page(
    conn: Connection, site_id: SiteId, day: date, after: int, limit: int
) -> list[tuple[Ticket, Standing]]:
    """Up to ``limit`` tickets of the day after number ``after``, each with its visit's state."""
    rows = await conn.fetch(_PAGE, site_id, day, after, limit)
    return [(_ticket(row), _standing(row)) for row in rows]


async def waiting(conn: Connection, site_id: SiteId, day: date) -> list[Waiting]:
    """All who wait at a site, in no particular order."""
    rows = await conn.fetch(_WAITING, site_id, day)
    return [_waiting(row) for row in rows]


async def take(conn: Connection, visit_id: VisitId) -> bool:
    """Lock the visit if it waits, once nobody else has it in hand; False where it waits no more.

    Passing over a row that is locked would pass over a party whom a colleague only looked at.
    """
    point = conn.transaction()
    await point.start()
    if await conn.fetchval(_TAKE, visit_id):
        await point.commit()
        return True
    # Lets go of the row: nobody waits for a visit while holding one that was called elsewhere.
    await point.rollback()
    return False


async def called_again(conn: Connection, visit_id: VisitId) -> None:
    """Note that the same call was repeated."""
    await conn.execute("UPDATE ticket SET calls = calls + 1 WHERE visit_id = $1", visit_id)
    await _touch(conn, visit_id)


async def skipped(conn: Connection, visit_id: VisitId, at: datetime) -> None:
    """Let the party wait again, behind."""
    await conn.execute(_SKIPPED, visit_id, at)
    await conn.execute(_WAIT, visit_id)


async def moved(conn: Connection, visit_id: VisitId, counter: str | None, at: datetime) -> None:
    """Let the party wait for another counter; for any where none is named."""
    await conn.execute(_MOVED, visit_id, counter, at)
    await conn.execute(_WAIT, visit_id)


async def _touch(conn: Connection, visit_id: VisitId) -> None:
    await conn.execute("UPDATE visit SET version = version + 1 WHERE visit_id = $1", visit_id)


def _ticket(row: Row) -> Ticket:
    return Ticket(
        visit_id=row["visit_id"],
        site_id=row["site_id"],
        business_date=row["business_date"],
        number=row["number"],
        purposes=tuple(Purpose(purpose) for purpose in row["purposes"]),
        need=Need(row["need"]) if row["need"] else None,
        starts_at=row["starts_at"],
        skips=row["skips"],
        skipped_at=row["skipped_at"],
        only_counter=row["only_counter"],
        transferred_at=row["transferred_at"],
        calls=row["calls"],
        first_called_at=row["first_called_at"],
    )


def _standing(row: Row) -> Standing:
    return Standing(
        arrival=Arrival(row["arrival"]),
        state=VisitState(row["state"]),
        counter=row["counter"],
        checked_in_at=row["checked_in_at"],
        called_at=row["called_at"],
        ended_at=row["ended_at"],
        version=row["version"],
    )


def _waiting(row: Row) -> Waiting:
    return Waiting(
        visit_id=row["visit_id"],
        number=row["number"],
        purposes=frozenset(Purpose(purpose) for purpose in row["purposes"]),
        arrival=Arrival(row["arrival"]),
        checked_in_at=row["checked_in_at"],
        starts_at=row["starts_at"],
        need=Need(row["need"]) if row["need"] else None,
        skipped_at=row["skipped_at"],
        only_counter=row["only_counter"],
        transferred_at=row["transferred_at"],
    )


_GIVE = """
WITH drawn AS (
    INSERT INTO ticket_number AS n (site_id, business_date, last) VALUES ($2, $3, 1)
    ON CONFLICT (site_id, business_date) DO UPDATE SET last = n.last + 1
    RETURNING last
)
INSERT INTO ticket (visit_id, site_id, business_date, number, purposes, need, starts_at)
SELECT $1, $2, $3, last, $4, $5, $6 FROM drawn
RETURNING number
"""
_READ = "SELECT * FROM ticket WHERE visit_id = $1"
_PAGE = """
SELECT t.*, v.state, v.arrival, v.counter, v.checked_in_at, v.called_at, v.ended_at,
       v.version
FROM ticket t JOIN visit v USING (visit_id)
WHERE t.site_id = $1 AND t.business_date = $2 AND t.number > $3 ORDER BY t.number LIMIT $4
"""
_WAITING = """
SELECT t.*, v.arrival, v.checked_in_at FROM ticket t JOIN visit v USING (visit_id)
WHERE t.site_id = $1 AND t.business_date = $2 AND v.state = 'waiting'
"""
_TAKE = """
SELECT true FROM visit WHERE visit_id = $1 AND state = 'waiting' FOR UPDATE
"""
_SKIPPED = """
UPDATE ticket SET skips = skips + 1, skipped_at = $2, first_called_at = NULL,
                  only_counter = NULL, transferred_at = NULL
WHERE visit_id = $1
"""
_MOVED = "UPDATE ticket SET only_counter = $2, transferred_at = $3 WHERE visit_id = $1"
_WAIT = """
UPDATE visit SET state = 'waiting', counter = NULL, called_at = NULL, version = version + 1
WHERE visit_id = $1
"""

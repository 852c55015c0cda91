"""Counters, with the party that is at each, and the times at which they were open."""

from collections.abc import Sequence
from datetime import datetime

from services.issuance.domain.counter import Counter, CounterState
from services.issuance.domain.ticket import Purpose
from shared.db import Connection, Row
from shared.ids import SiteId


async def open_(
    conn: Connection, site_id: SiteId, counter: str, purposes: Sequence[Purpose], at: datetime
) -> None:
    """Open the counter for these purposes, whether it was there before or not."""
    await conn.execute(_OPEN, site_id, counter, list(purposes), at)
    await _begin_span(conn, site_id, counter, at)


async def become(
    conn: Connection, site_id: SiteId, counter: str, state: CounterState, at: datetime
) -> None:
    """Pause or close a counter; its open time ends."""
    await conn.execute(_BECOME, site_id, counter, state, at)
    await conn.execute(_SPAN_ENDS, site_id, counter, at)


async def noted(
    conn: Connection, site_id: SiteId, counter: str, at: datetime, *, is_open: bool
) -> None:
    """Begin or end the open time of a counter that is not kept here, perhaps long after ``at``."""
    if is_open:
        await _begin_span(conn, site_id, counter, at)
    else:
        await conn.execute(_SPAN_ENDS, site_id, counter, at)


async def lock(conn: Connection, site_id: SiteId, counter: str) -> Counter | None:
    """The counter, locked until the transaction ends."""
    await conn.fetch(_LOCK, site_id, counter)
    return await find(conn, site_id, counter)


async def find(conn: Connection, site_id: SiteId, counter: str) -> Counter | None:
    """The counter, if it is known."""
    row = await conn.fetchrow(f"{_READ} WHERE c.site_id = $1 AND c.counter = $2", site_id, counter)
    return _counter(row) if row else None


async def page(conn: Connection, site_id: SiteId, after: str, limit: int) -> list[Counter]:
    """Up to ``limit`` counters of a site whose name comes after ``after``."""
    return [_counter(row) for row in await conn.fetch(_PAGE, site_id, after, limit)]


async def of_site(conn: Connection, site_id: SiteId) -> list[Counter]:
    """Every counter of a site, by name."""
    rows = await conn.fetch(f"{_READ} WHERE c.site_id = $1 ORDER BY c.counter", site_id)
    return [_counter(row) for row in rows]


async def lock_all(conn: Connection, site_id: SiteId) -> None:
    """Lock every counter of a site, by name."""
    await conn.fetch(_LOCK_ALL, site_id)


async def close_all(conn: Connection, site_id: SiteId, at: datetime) -> None:
    """Close every counter of a site."""
    for counter in await of_site(conn, site_id):
        if counter.state is not CounterState.CLOSED:
            await become(conn, site_id, counter.counter, CounterState.CLOSED, at)


async def _begin_span(conn: Connection, site_id: SiteId, counter: str, at: datetime) -> None:
    """Begin a span; one that goes on ends here, and where one began later, this ends there."""
    await conn.execute(_SPAN_GIVES_WAY, site_id, counter, at)
    await conn.execute(_SPAN_BEGINS, site_id, counter, at)


def _counter(row: Row) -> Counter:
    return Counter(
        site_id=row["site_id"],
        counter=row["counter"],
        purposes=tuple(Purpose(purpose) for purpose in row["purposes"]),
        state=CounterState(row["state"]),
        version=row["version"],
        changed_at=row["changed_at"],
        visit_id=row["visit_id"],
    )


_OPEN = """
INSERT INTO counter AS c (site_id, counter, purposes, state, changed_at)
VALUES ($1, $2, $3, 'open', $4)
ON CONFLICT (site_id, counter) DO UPDATE SET
    purposes = excluded.purposes, state = 'open', version = c.version + 1,
    changed_at = excluded.changed_at
"""
_BECOME = """
UPDATE counter SET state = $3, version = version + 1, changed_at = $4
WHERE site_id = $1 AND counter = $2
"""
# A satellite's counter and the one of headquarters share a name: what the one tells of an hour ago
# meets what the other has opened since. Spans of a counter follow each other, whoever speaks first.
_SPAN_GIVES_WAY = """
UPDATE counter_span SET closed_at = $3
WHERE site_id = $1 AND counter = $2 AND closed_at IS NULL AND opened_at < $3
"""
_SPAN_BEGINS = """
INSERT INTO counter_span (site_id, counter, opened_at, closed_at)
SELECT $1, $2, $3, (SELECT opened_at FROM counter_span
                    WHERE site_id = $1 AND counter = $2 AND closed_at IS NULL AND opened_at > $3)
ON CONFLICT (site_id, counter, opened_at) DO UPDATE SET closed_at = excluded.closed_at
"""
# Also one that ended only because another began: it had ended before.
_SPAN_ENDS = """
UPDATE counter_span s SET closed_at = $3
WHERE s.site_id = $1 AND s.counter = $2 AND s.opened_at <= $3
      AND (s.closed_at IS NULL
           OR (s.closed_at > $3
               AND EXISTS (SELECT FROM counter_span n
                           WHERE n.site_id = s.site_id AND n.counter = s.counter
                                 AND n.opened_at = s.closed_at)))
"""
_LOCK = "SELECT 1 FROM counter WHERE site_id = $1 AND counter = $2 FOR UPDATE"
_LOCK_ALL = "SELECT 1 FROM counter WHERE site_id = $1 ORDER BY counter FOR UPDATE"
_READ = """
SELECT c.*, t.visit_id FROM counter c
LEFT JOIN counter_turn t
    ON t.site_id = c.site_id AND t.counter = c.counter AND t.ended_at IS NULL AND t.is_known
"""
_PAGE = f"{_READ} WHERE c.site_id = $1 AND c.counter > $2 ORDER BY c.counter LIMIT $3"

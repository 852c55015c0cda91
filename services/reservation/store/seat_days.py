"""What availability is computed from, day by day, and what of it has changed since last time.

Changes are read like the outbox: whatever a snapshot could not see has a transaction id of at
least its ``xmin``, so rows from there on, less those seen already, are all that is new.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeAlias

from services.reservation.domain.availability import DayKey, SeatDay, SeatReturn, SeatsAt
from services.reservation.domain.cells import midnight
from shared.db import Connection, Row
from shared.ids import SiteId

KEPT = timedelta(minutes=10)
"""How long changes can be asked for; real time."""
PATIENCE = timedelta(minutes=1)
"""How much older the oldest has to be before any are deleted: whenever seats change there are some
that have just grown too old, and whoever deleted those would never rest.
"""

_LOOK = """
SELECT now.xmin::text AS xmin, c.xid::text AS xid, c.site_id, c.day
FROM (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xmin) AS now
LEFT JOIN (
    SELECT DISTINCT xid, site_id, day FROM seat_change WHERE xid >= $1::text::xid8
) AS c ON true
"""
_START = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text"
# Day by day and cell by cell: joined at once, the planner would read every return there is.
_DAYS = """
SELECT w.site_id, w.day, c.starts_at, c.free, r.seats, r.due_at
FROM unnest($1::text[], $2::date[], $3::timestamptz[], $4::timestamptz[])
    AS w(site_id, day, starts, ends)
CROSS JOIN LATERAL (
    SELECT starts_at, least(capacity, target) - booked AS free FROM cell
    WHERE site_id = w.site_id AND starts_at >= w.starts AND starts_at < w.ends
    OFFSET 0
) AS c
LEFT JOIN LATERAL (
    SELECT seats, due_at FROM seat_return
    WHERE site_id = w.site_id AND starts_at = c.starts_at AND due_at < 'infinity'
    OFFSET 0
) AS r ON true
ORDER BY w.site_id, c.starts_at
"""
# From the oldest on, and not beyond it while it is young: this is asked at every look at what is
# due, and there are as many as minutes of bookings make. The time is the statement's, the same for
# every row: a clock's would be compared anew for each.
_FORGET = """
WITH oldest AS MATERIALIZED (
    SELECT ctid, written_at FROM seat_change
    WHERE (SELECT written_at FROM seat_change ORDER BY xid LIMIT 1)
          < statement_timestamp() - $1::interval - $3::interval
    ORDER BY xid LIMIT $2
)
DELETE FROM seat_change WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM oldest WHERE written_at < statement_timestamp() - $1::interval
))
"""

Change: TypeAlias = tuple[int, SiteId, date | None]
"""The transaction, the site, and the day; no day: the site itself."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a snapshot saw: its ``xmin``, and the changes since an earlier one."""

    xmin: int
    changes: Sequence[Change]


async def start(conn: Connection) -> int:
    """The ``xmin`` from which on changes have to be looked for."""
    return int(await conn.fetchval(_START))


async def look(conn: Connection, since: int) -> Look:
    """Every change that a snapshot with the ``xmin`` of ``since`` could not see, and some more."""
    rows = await conn.fetch(_LOOK, str(since))
    changes = [(int(row["xid"]), SiteId(row["site_id"]), row["day"]) for row in rows if row["xid"]]
    return Look(int(rows[0]["xmin"]), changes)


async def read(conn: Connection, wanted: Collection[DayKey]) -> dict[DayKey, SeatDay]:
    """The seats of these days, all of one snapshot; a day without cells has none."""
    keys = sorted(wanted)
    starts = [midnight(day) for _, day in keys]
    ends = [midnight(day + timedelta(days=1)) for _, day in keys]
    rows = await conn.fetch(_DAYS, [key[0] for key in keys], [key[1] for key in keys], starts, ends)
    found: dict[DayKey, dict[datetime, SeatsAt]] = {key: {} for key in keys}
    for row in rows:
        _add(found[SiteId(row["site_id"]), row["day"]], row)
    return {key: SeatDay(tuple(cells.values())) for key, cells in found.items()}


async def forget(conn: Connection, limit: int) -> int:
    """Delete up to ``limit`` changes that nobody asks for any more, some at a time; how many."""
    return int((await conn.execute(_FORGET, KEPT, limit, PATIENCE)).rpartition(" ")[2])


def _add(cells: dict[datetime, SeatsAt], row: Row) -> None:
    at = row["starts_at"]
    known = cells.get(at) or SeatsAt(at, row["free"])
    if row["due_at"] is not None:
        back = SeatReturn(row["due_at"], row["seats"])
        known = SeatsAt(at, known.free, (*known.returns, back))
    cells[at] = known

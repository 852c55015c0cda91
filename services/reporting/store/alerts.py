"""Alerts as they were seen: one row from the first time until one is seen no more."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NewType
from uuid import UUID

from services.reporting.domain.alerts import Alert, AlertKind, Figure
from services.reporting.store.habits import Between
from shared.db import Connection, Row
from shared.ids import SiteId, new_id

AlertId = NewType("AlertId", UUID)

_ALONE = "SELECT pg_advisory_xact_lock(hashtext('reporting'), hashtext('alerts'))"

_CLOSE = """
UPDATE alert SET closed_at = greatest($3, opened_at)
WHERE closed_at IS NULL
  AND (kind, subject) NOT IN (SELECT * FROM unnest($1::text[], $2::text[]))
"""

_OPEN = """
INSERT INTO alert AS known (alert_id, kind, subject, site_id, since, figures, opened_at)
SELECT alert_id, kind, subject, site_id, since, figures::jsonb, $7
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[])
     AS seen (alert_id, kind, subject, site_id, since, figures)
ON CONFLICT (kind, subject) WHERE closed_at IS NULL DO UPDATE SET figures = excluded.figures
WHERE known.figures <> excluded.figures
"""

_HISTORY = """
SELECT alert_id, kind, subject, site_id, since, figures, opened_at, closed_at, acknowledged_at,
       acknowledged_by
FROM alert
WHERE opened_at < $2 AND coalesce(closed_at >= $1, true)
  AND ($3::text IS NULL OR kind = $3)
  AND ($4::text IS NULL OR site_id = $4)
  AND ($5::boolean IS NULL OR (closed_at IS NULL) = $5)
  AND ($6::timestamptz IS NULL OR (opened_at, alert_id) < ($6, $7::uuid))
ORDER BY opened_at DESC, alert_id DESC
LIMIT $8
"""

# What stands is there whole; what is over fills up.
_LATELY = """
SELECT alert_id, kind, subject, site_id, since, figures, opened_at, closed_at, acknowledged_at,
       acknowledged_by
FROM alert
WHERE opened_at < $2 AND coalesce(closed_at >= $1, true)
ORDER BY closed_at IS NOT NULL, opened_at DESC, alert_id DESC
LIMIT greatest($3, (SELECT count(*) FROM alert WHERE closed_at IS NULL))
"""

_ONE = """
SELECT alert_id, kind, subject, site_id, since, figures, opened_at, closed_at, acknowledged_at,
       acknowledged_by
FROM alert WHERE alert_id = $1 FOR NO KEY UPDATE
"""

_ACKNOWLEDGE = """
UPDATE alert SET acknowledged_at = $2, acknowledged_by = $3 WHERE alert_id = $1
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """An alert with its history; it is open as long as nothing has closed it."""

    alert_id: AlertId
    alert: Alert
    opened_at: datetime
    closed_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """Alerts that were open at any time from ``begins`` to before ``ended``."""

    begins: datetime
    ended: datetime
    kind: AlertKind | None = None
    site_id: SiteId | None = None
    open: bool | None = None
    """Only those that are open, or only those that are not."""


async def alone(conn: Connection) -> None:
    """Let no other process look until this transaction ends: what it saw before would be old."""
    await conn.execute(_ALONE)


async def settle(conn: Connection, found: Sequence[Alert], now: datetime) -> None:
    """Open what was found and is not open, and close what is open and was not found."""
    kinds, subjects = [each.kind for each in found], [each.subject for each in found]
    await conn.execute(_CLOSE, kinds, subjects, now)
    await begin(conn, found, now)


async def begin(conn: Connection, found: Sequence[Alert], now: datetime) -> None:
    """Open what was found and is not open, in one order: two who begin the same never wait in a
    circle."""
    found = sorted(found, key=lambda each: (each.kind, each.subject))
    kinds, subjects = [each.kind for each in found], [each.subject for each in found]
    await conn.execute(
        _OPEN,
        [new_id() for _ in found],
        kinds,
        subjects,
        [each.site_id for each in found],
        [each.since for each in found],
        [json.dumps(dict(each.figures), sort_keys=True) for each in found],
        now,
    )


async def history(
    conn: Connection, wish: Wish, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[Kept]:
    """The newest first, at most ``limit``."""
    at, alert_id = after or (None, None)
    rows = await conn.fetch(
        _HISTORY,
        *(wish.begins, wish.ended, wish.kind, wish.site_id, wish.open),
        *(at, alert_id, limit),
    )
    return [_kept(row) for row in rows]


async def lately(conn: Connection, days: Between, most: int) -> list[Kept]:
    """All that stand, then those over that stood in these days: the newest first, ``most`` in all
    unless more stand."""
    rows = await conn.fetch(_LATELY, days.begins, days.ended, most)
    return [_kept(row) for row in rows]


async def open_(conn: Connection) -> Mapping[tuple[AlertKind, str], Kept]:
    """Every alert that is open, by kind and subject."""
    rows = await conn.fetch("SELECT * FROM alert WHERE closed_at IS NULL")
    return {(kept.alert.kind, kept.alert.subject): kept for kept in map(_kept, rows)}


async def lock(conn: Connection, alert_id: AlertId) -> Kept | None:
    """One alert, which nobody else changes until this transaction ends."""
    row = await conn.fetchrow(_ONE, alert_id)
    return _kept(row) if row else None


async def acknowledge(conn: Connection, alert_id: AlertId, at: datetime, by: str) -> None:
    """Write down who took note of it."""
    await conn.execute(_ACKNOWLEDGE, alert_id, at, by)


def _kept(row: Row) -> Kept:
    figures: dict[str, Figure] = json.loads(row["figures"])
    values: Mapping[str, Any] = {
        name: row[name] for name in ("opened_at", "closed_at", "acknowledged_at", "acknowledged_by")
    }
    alert = Alert(AlertKind(row["kind"]), row["subject"], row["since"], row["site_id"], figures)
    return Kept(AlertId(row["alert_id"]), alert, **values)

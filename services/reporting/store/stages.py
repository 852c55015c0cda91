"""Cards that wait at each stage of preparation, derived from the facts whenever it is asked for."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.db import Connection


class Waiting(StrEnum):
    """Where a card stands that is in nobody's hand yet; the furthest stage it has reached."""

    RECEIVED = "received"
    INSPECTED = "inspected"
    REGISTRY_CHECKED = "registry_checked"
    PRESET = "preset"
    SHELVED = "shelved"
    NOTIFIED = "notified"
    BOOKED = "booked"
    HELD = "held"


# A card on hold waits for nothing but its release. What was booked counts as booked although the
# booking may have been cancelled since: the milestones say what was first reached.
_STANDING = """
SELECT stage, count(*) AS cards, min(since) AS oldest
FROM (
    SELECT CASE
            WHEN held_at IS NOT NULL AND (released_at IS NULL OR released_at < held_at) THEN 'held'
            WHEN booked_at IS NOT NULL THEN 'booked'
            WHEN notified_at IS NOT NULL THEN 'notified'
            WHEN shelved_at IS NOT NULL THEN 'shelved'
            WHEN preset_at IS NOT NULL THEN 'preset'
            WHEN registry_checked_at IS NOT NULL THEN 'registry_checked'
            WHEN inspected_at IS NOT NULL THEN 'inspected'
            ELSE 'received'
        END AS stage,
        coalesce(booked_at, notified_at, shelved_at, preset_at, registry_checked_at, inspected_at,
                 received_at) AS since
    FROM case_fact
    WHERE received_at IS NOT NULL AND completed_at IS NULL AND voided_at IS NULL
      AND disposed_at IS NULL AND rejected_at IS NULL
) AS card
GROUP BY stage
"""

_LEFT = """
SELECT count(*) FILTER (WHERE inspected_at >= $1) AS received,
       count(*) FILTER (WHERE registry_checked_at >= $1) AS inspected,
       count(*) FILTER (WHERE preset_at >= $1) AS registry_checked,
       count(*) FILTER (WHERE shelved_at >= $1) AS preset,
       count(*) FILTER (WHERE notified_at >= $1) AS shelved,
       count(*) FILTER (WHERE booked_at >= $1 AND received_at IS NOT NULL) AS notified,
       count(*) FILTER (WHERE completed_at >= $1 AND received_at IS NOT NULL) AS booked
FROM case_fact
WHERE greatest(inspected_at, registry_checked_at, preset_at, shelved_at, notified_at, booked_at,
               completed_at) >= $1
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """Cards at a stage, and since when the one waits that came there first."""

    stage: Waiting
    cards: int = 0
    oldest: datetime | None = None


async def standing(conn: Connection) -> list[Standing]:
    """Every stage in order, also where nothing waits."""
    rows = {row["stage"]: row for row in await conn.fetch(_STANDING)}
    return [
        Standing(stage, rows[stage]["cards"], rows[stage]["oldest"])
        if stage in rows
        else Standing(stage)
        for stage in Waiting
    ]


async def left_since(conn: Connection, start: datetime) -> dict[Waiting, int]:
    """How many cards have left each stage since ``start``; of holds nothing is counted."""
    row = await conn.fetchrow(_LEFT, start)
    return {Waiting(stage): number for stage, number in row.items()} if row else {}

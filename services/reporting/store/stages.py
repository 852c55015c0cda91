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


# One pass over all cases. A card on hold waits for nothing but its release. What was booked counts
# as booked although the booking may have been cancelled since: milestones say what was first
# reached.
_STAGES = """
SELECT stage, count(*) AS cards, min(since) AS oldest,
       count(*) FILTER (WHERE inspected_at >= $1) AS received,
       count(*) FILTER (WHERE registry_checked_at >= $1) AS inspected,
       count(*) FILTER (WHERE preset_at >= $1) AS registry_checked,
       count(*) FILTER (WHERE shelved_at >= $1) AS preset,
       count(*) FILTER (WHERE notified_at >= $1) AS shelved,
       count(*) FILTER (WHERE booked_at >= $1 AND received_at IS NOT NULL) AS notified,
       count(*) FILTER (WHERE completed_at >= $1 AND received_at IS NOT NULL) AS booked
FROM (
    SELECT *,
        CASE
            WHEN received_at IS NULL OR completed_at IS NOT NULL OR voided_at IS NOT NULL
              OR disposed_at IS NOT NULL OR rejected_at IS NOT NULL THEN NULL
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
) AS card
GROUP BY stage
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """Cards at a stage, since when the one waits that came there first, and how many have left.

    Of holds nothing is counted that has left.
    """

    stage: Waiting
    cards: int
    oldest: datetime | None
    left: int


async def standing(conn: Connection, since: datetime) -> list[Standing]:
    """Every stage in order, also where nothing waits; ``left`` counts from ``since`` on."""
    rows = {row["stage"]: row for row in await conn.fetch(_STAGES, since)}
    left: dict[Waiting, int] = {
        stage: sum(row[stage] for row in rows.values())
        for stage in Waiting
        if stage is not Waiting.HELD
    }
    return [
        Standing(
            stage,
            rows[stage]["cards"] if stage in rows else 0,
            rows[stage]["oldest"] if stage in rows else None,
            left.get(stage, 0),
        )
        for stage in Waiting
    ]

"""Cards that wait at each stage of preparation, derived from the facts whenever it is asked for."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.reporting.store.holds import HELD_SINCE, IS_HELD
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


_OVER = "least(completed_at, voided_at, disposed_at, rejected_at)"
# A card on hold waits for nothing but its release (``store.holds``). What was booked counts as
# booked although the booking may have been cancelled since: milestones say what was first reached.
STAGE = f"""
CASE
    WHEN coalesce(received_at >= {{by}}, true)
      OR {_OVER} < {{by}} THEN NULL
    WHEN {IS_HELD} THEN 'held'
    WHEN booked_at < {{by}} THEN 'booked'
    WHEN notified_at < {{by}} THEN 'notified'
    WHEN shelved_at < {{by}} THEN 'shelved'
    WHEN preset_at < {{by}} THEN 'preset'
    WHEN registry_checked_at < {{by}} THEN 'registry_checked'
    WHEN inspected_at < {{by}} THEN 'inspected'
    ELSE 'received'
END
"""
"""Where the card of a row of facts stands by a moment, in SQL; null for one that waits nowhere."""
_NOW = STAGE.format(by="'infinity'::timestamptz")

# One pass over all cases; holds are looked up of those alone that wait.
_STAGES = f"""
SELECT stage, count(*) AS cards, min(since) AS oldest,
       count(*) FILTER (WHERE inspected_at >= $1 AND inspected_at < $2) AS received,
       count(*) FILTER (WHERE registry_checked_at >= $1 AND registry_checked_at < $2) AS inspected,
       count(*) FILTER (WHERE preset_at >= $1 AND preset_at < $2) AS registry_checked,
       count(*) FILTER (WHERE shelved_at >= $1 AND shelved_at < $2) AS preset,
       count(*) FILTER (WHERE notified_at >= $1 AND notified_at < $2) AS shelved,
       count(*) FILTER (WHERE booked_at >= $1 AND booked_at < $2 AND received_at IS NOT NULL)
           AS notified,
       count(*) FILTER (WHERE completed_at >= $1 AND completed_at < $2 AND received_at IS NOT NULL)
           AS booked
FROM (
    SELECT *, {_NOW} AS stage,
        coalesce(CASE WHEN {_OVER} IS NULL THEN {HELD_SINCE} END, booked_at, notified_at,
                 shelved_at, preset_at, registry_checked_at, inspected_at, received_at) AS since
    FROM case_fact
) AS card
GROUP BY stage
"""  # noqa: S608  our own expression


@dataclass(frozen=True, slots=True)
class Standing:
    """Cards at a stage, since when the one waits that came there first, and how many have left.

    Of holds nothing is counted that has left.
    """

    stage: Waiting
    cards: int
    oldest: datetime | None
    left: int


async def standing(conn: Connection, since: datetime, until: datetime) -> list[Standing]:
    """Every stage in order, also where nothing waits; ``left`` counts from ``since`` on, before
    ``until``."""
    rows = {row["stage"]: row for row in await conn.fetch(_STAGES, since, until)}
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

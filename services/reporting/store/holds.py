"""Holds of cards and their releases: each event is one row, however often it is told.

A card may be held again, and for several reasons at a time; it is released when none is left. So
whether it is on hold at a moment is what was told last before it, and it has been since the first
hold after the last release.
"""

from collections.abc import Sequence

from services.reporting.domain.told import Told
from shared.contracts.preparation import CardHeld, CardReleased
from shared.db import Connection

Change = CardHeld | CardReleased

_KEEP = """
INSERT INTO hold_change (event_id, case_id, kind, told_at, told_sequence)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::bigint[])
ON CONFLICT (event_id) DO NOTHING
"""

# Most cards are never held: their row says so, and nothing is looked up (null would not end it, as
# false does). What a migration took from the past has no sequence: of a hold and a release at one
# time the release counts there.
IS_HELD = """
coalesce(held_at < {by}, false) AND 'held' = (
    SELECT kind FROM hold_change AS told
    WHERE told.case_id = case_fact.case_id AND told_at < {by}
    ORDER BY told_at DESC, told_sequence DESC, kind DESC LIMIT 1
)
"""
"""Whether the card of a row of facts is on hold just before a moment, in SQL."""

HELD_SINCE = """
CASE WHEN held_at IS NOT NULL THEN (
    SELECT min(told_at) FROM hold_change AS told
    WHERE told.case_id = case_fact.case_id AND kind = 'held' AND NOT EXISTS (
        SELECT FROM hold_change AS later
        WHERE later.case_id = told.case_id AND later.kind = 'released'
          AND (later.told_at, later.told_sequence) >= (told.told_at, told.told_sequence)
    )
) END
"""
"""Since when the card of a row of facts is on hold now, in SQL; null for one that is not."""


async def keep(conn: Connection, facts: Sequence[tuple[Told, Change]]) -> None:
    """Cards that must wait, and cards that go on."""
    ordered = sorted(facts, key=lambda fact: fact[0].event)
    await conn.execute(
        _KEEP,
        [told.event for told, _ in ordered],
        [event.case_id for _, event in ordered],
        ["held" if isinstance(event, CardHeld) else "released" for _, event in ordered],
        [told.at for told, _ in ordered],
        [told.sequence for told, _ in ordered],
    )

"""Facts of a card's notice and validity (rules of merging: see ``store.cases``)."""

from collections.abc import Sequence
from datetime import date

from services.reporting.domain.told import Told
from shared.contracts.preparation import CardNotified
from shared.db import Connection
from shared.ids import CaseId

_NOTIFY = """
INSERT INTO case_fact AS known (
    case_id, notice_site, notice_deadline, notice_at, notice_sequence, notice_event,
    card_expires_on
)
SELECT DISTINCT ON (case_id) case_id, site_id, deadline, at, sequence, event,
       max(expires_on) OVER (PARTITION BY case_id)
FROM unnest($1::uuid[], $2::text[], $3::date[], $4::date[], $5::timestamptz[], $6::bigint[],
            $7::uuid[])
     AS told (case_id, site_id, deadline, expires_on, at, sequence, event)
ORDER BY case_id, at DESC, sequence DESC, event DESC
ON CONFLICT (case_id) DO UPDATE SET
    (notice_site, notice_deadline, notice_at, notice_sequence, notice_event) = (
        SELECT notice.*
        FROM (VALUES
            (known.notice_site, known.notice_deadline, known.notice_at, known.notice_sequence,
             known.notice_event),
            (excluded.notice_site, excluded.notice_deadline, excluded.notice_at,
             excluded.notice_sequence, excluded.notice_event)
        ) AS notice (site, deadline, at, sequence, event)
        WHERE notice.at IS NOT NULL
        ORDER BY notice.at DESC, notice.sequence DESC, notice.event DESC
        LIMIT 1
    ),
    card_expires_on = greatest(known.card_expires_on, excluded.card_expires_on)
"""

_EXPIRE = """
INSERT INTO case_fact AS known (case_id, card_expires_on, old_card_expires_on)
SELECT case_id, max(card), max(old)
FROM unnest($1::uuid[], $2::date[], $3::date[]) AS told (case_id, card, old)
GROUP BY case_id
ORDER BY case_id
ON CONFLICT (case_id) DO UPDATE SET
    card_expires_on = greatest(known.card_expires_on, excluded.card_expires_on),
    old_card_expires_on = greatest(known.old_card_expires_on, excluded.old_card_expires_on)
"""


async def notify(conn: Connection, facts: Sequence[tuple[Told, CardNotified]]) -> None:
    """Where the card lies and until when it can be collected; the latest telling counts."""
    await conn.execute(
        _NOTIFY,
        [event.case_id for _, event in facts],
        [event.site_id for _, event in facts],
        [event.pickup_deadline for _, event in facts],
        [event.card_expires_on for _, event in facts],
        [told.at for told, _ in facts],
        [told.sequence for told, _ in facts],
        [told.event for told, _ in facts],
    )


async def expire(conn: Connection, facts: Sequence[tuple[CaseId, date, date | None]]) -> None:
    """Last days of the card and of the one it replaces; the latest day counts."""
    await conn.execute(
        _EXPIRE,
        [case_id for case_id, _, _ in facts],
        [card for _, card, _ in facts],
        [old for _, _, old in facts],
    )

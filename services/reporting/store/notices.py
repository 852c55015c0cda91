"""Facts that a card's arrival and its notice tell, each in one statement (rules of merging: see
``store.cases``): half of all that is written of a card's case is written here.
"""

from collections.abc import Sequence
from datetime import date, datetime

from services.reporting.domain.told import Told
from shared.contracts.preparation import CardNotified
from shared.db import Connection
from shared.ids import CaseId

_NEWER_WARD = """
CASE WHEN known.ward_at IS NULL
       OR (excluded.ward_at, excluded.ward_sequence, excluded.ward_event)
          > (known.ward_at, known.ward_sequence, known.ward_event)
     THEN excluded.{column} ELSE known.{column} END"""
_NEWER_NOTICE = """
CASE WHEN known.notice_at IS NULL
       OR (excluded.notice_at, excluded.notice_sequence, excluded.notice_event)
          > (known.notice_at, known.notice_sequence, known.notice_event)
     THEN excluded.{column} ELSE known.{column} END"""
_WARD = ("ward", "ward_at", "ward_sequence", "ward_event")
_NOTICE = ("notice_site", "notice_deadline", "notice_at", "notice_sequence", "notice_event")
_LATEST = ",\n".join(
    f"{column} = {case.format(column=column)}"
    for case, columns in ((_NEWER_WARD, _WARD), (_NEWER_NOTICE, _NOTICE))
    for column in columns
)

_NOTIFY = f"""
INSERT INTO case_fact AS known (
    case_id, notified_at, card_expires_on, ward, ward_at, ward_sequence, ward_event,
    notice_site, notice_deadline, notice_at, notice_sequence, notice_event
)
SELECT DISTINCT ON (case_id) case_id, min(at) OVER one_case, max(expires_on) OVER one_case,
       ward, at, sequence, event, site_id, deadline, at, sequence, event
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::date[], $5::date[], $6::timestamptz[],
            $7::bigint[], $8::uuid[])
     AS told (case_id, ward, site_id, deadline, expires_on, at, sequence, event)
WINDOW one_case AS (PARTITION BY case_id)
ORDER BY case_id, at DESC, sequence DESC, event DESC
ON CONFLICT (case_id) DO UPDATE SET
    notified_at = least(known.notified_at, excluded.notified_at),
    card_expires_on = greatest(known.card_expires_on, excluded.card_expires_on),
    {_LATEST}
"""  # noqa: S608  only our own column names

_RECEIVE = """
INSERT INTO case_fact AS known (case_id, received_at, card_expires_on, old_card_expires_on)
SELECT case_id, min(at), max(card), max(old)
FROM unnest($1::uuid[], $2::timestamptz[], $3::date[], $4::date[]) AS told (case_id, at, card, old)
GROUP BY case_id
ORDER BY case_id
ON CONFLICT (case_id) DO UPDATE SET
    received_at = least(known.received_at, excluded.received_at),
    card_expires_on = greatest(known.card_expires_on, excluded.card_expires_on),
    old_card_expires_on = greatest(known.old_card_expires_on, excluded.old_card_expires_on)
"""

Arrival = tuple[CaseId, datetime, date, date | None]
"""A card's case, when it came, and the last days of the card and of the one it replaces."""


async def notify(conn: Connection, facts: Sequence[tuple[Told, CardNotified]]) -> None:
    """The first notice as a milestone; ward, place and deadline as told last; validity."""
    await conn.execute(
        _NOTIFY,
        [event.case_id for _, event in facts],
        [event.ward for _, event in facts],
        [event.site_id for _, event in facts],
        [event.pickup_deadline for _, event in facts],
        [event.card_expires_on for _, event in facts],
        [told.at for told, _ in facts],
        [told.sequence for told, _ in facts],
        [told.event for told, _ in facts],
    )


async def receive(conn: Connection, facts: Sequence[Arrival]) -> None:
    """The first arrival as a milestone, and the latest validity of both cards."""
    await conn.execute(_RECEIVE, *(list(column) for column in zip(*facts, strict=True)))

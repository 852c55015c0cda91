"""Quarters of an hour at sites; the latest telling counts (see ``store.cases``)."""

import json
from collections.abc import Sequence

from services.reporting.domain.told import Told
from shared.contracts.issuance import ServiceMeasured
from shared.db import Connection

_TELL = """
INSERT INTO site_measure AS known (
    site_id, starts_at, business_date, booked, late, walk_in, called, waited_seconds,
    longest_wait_seconds, service_times, open_seconds, busy_seconds, abandoned, deferred,
    expected, missed, told_at, told_sequence, told_event
)
SELECT DISTINCT ON (site_id, starts_at) m.*, at, sequence, event
FROM unnest($1::text[], $2::timestamptz[], $3::bigint[], $4::uuid[])
     AS told (body, at, sequence, event),
LATERAL jsonb_to_record(told.body::jsonb) AS m (
    site_id text, starts_at timestamptz, business_date date, booked int, late int, walk_in int,
    called int, waited_seconds int, longest_wait_seconds int, service_times jsonb,
    open_seconds int, busy_seconds int, abandoned int, deferred int, expected int, missed int)
ORDER BY site_id, starts_at, at DESC, sequence DESC, event DESC
ON CONFLICT (site_id, starts_at) DO UPDATE SET
    business_date = excluded.business_date,
    booked = excluded.booked,
    late = excluded.late,
    walk_in = excluded.walk_in,
    called = excluded.called,
    waited_seconds = excluded.waited_seconds,
    longest_wait_seconds = excluded.longest_wait_seconds,
    service_times = excluded.service_times,
    open_seconds = excluded.open_seconds,
    busy_seconds = excluded.busy_seconds,
    abandoned = excluded.abandoned,
    deferred = excluded.deferred,
    expected = excluded.expected,
    missed = excluded.missed,
    told_at = excluded.told_at,
    told_sequence = excluded.told_sequence,
    told_event = excluded.told_event
WHERE (excluded.told_at, excluded.told_sequence, excluded.told_event)
    > (known.told_at, known.told_sequence, known.told_event)
"""


async def tell(conn: Connection, facts: Sequence[tuple[Told, ServiceMeasured]]) -> None:
    """The quarters as they were measured."""
    await conn.execute(
        _TELL,
        [json.dumps(event.model_dump(mode="json")) for _, event in facts],
        [told.at for told, _ in facts],
        [told.sequence for told, _ in facts],
        [told.event for told, _ in facts],
    )

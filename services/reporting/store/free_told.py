"""Free seats as they were told, telling by telling: what was known on each day of the past.

A telling is kept once and never changed, so any order and any repetition keep the same.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from services.reporting.domain.first_free import Telling
from services.reporting.domain.told import Told
from shared.contracts.base import Procedure
from shared.contracts.site import CapacityPublished, DayCapacity
from shared.db import Connection

_KEEP = """
INSERT INTO free_told (told_event, site_id, procedure, told_at, told_sequence, first_day, free)
SELECT event, site_id, procedure, at, sequence, first_day, string_to_array(free, ',', '-')::int[]
FROM unnest($1::text[], $2::text[], $3::date[], $4::text[], $5::timestamptz[], $6::bigint[],
            $7::uuid[]) AS told (site_id, procedure, first_day, free, at, sequence, event)
ON CONFLICT DO NOTHING
"""

# Bookings are told only with the next morning's telling (at 0:30): it says how a day ended, and
# nothing of that day does. Where none came before noon, or not yet, the latest of the day counts.
# A telling replaces what was said of its days alone, so several make up what was known. Those
# before one that begins within a week of its own day, and so is whole, are out of date. A site that
# has said nothing for a week says nothing, and one that had said nothing by then is not known yet.
_KNOWN = """
SELECT evening, site_id, procedure, first_day, free
FROM (
    SELECT evening, told.*,
           count(*) FILTER (WHERE told_on <= evening) OVER place AS before,
           max(told_at) FILTER (WHERE told_on <= evening AND first_day <= told_on + 7)
               OVER place AS whole_at,
           min(told_at) FILTER (WHERE told_on > evening) OVER place AS morning_at,
           min(told_at) FILTER (WHERE told_on > evening AND first_day <= told_on + 7)
               OVER place AS whole_morning_at
    FROM unnest($1::date[]) AS evening
    JOIN free_told AS told ON told_on BETWEEN evening - 6 AND evening + 1
     AND told_at < (evening + 1 + time '12:00') AT TIME ZONE 'Asia/Tokyo'
    WINDOW place AS (PARTITION BY evening, site_id, procedure)
) AS near
WHERE before > 0
  AND (told_on <= evening OR told_at <= coalesce(whole_morning_at, morning_at))
  AND told_at >= coalesce(whole_morning_at, whole_at) IS NOT FALSE
ORDER BY evening, told_at, told_sequence, told_event
"""


async def keep(conn: Connection, facts: Sequence[tuple[Told, CapacityPublished]]) -> None:
    """What was free on days to come."""
    found = [(told, event) for told, event in facts if event.days]
    await conn.execute(
        _KEEP,
        [event.site_id for _, event in found],
        [event.procedure for _, event in found],
        [min(day.business_date for day in event.days) for _, event in found],
        [_row(event.days) for _, event in found],
        [told.at for told, _ in found],
        [told.sequence for told, _ in found],
        [told.event for told, _ in found],
    )


async def known(conn: Connection, evenings: Sequence[date]) -> list[Telling]:
    """What says how each evening was, in the order in which it was told."""
    rows = await conn.fetch(_KNOWN, list(evenings))
    return [Telling(row[0], row[1], Procedure(row[2]), row[3], row[4]) for row in rows]


def _row(days: Sequence[DayCapacity]) -> str:
    """The days from the first to the last; a dash where nothing is said of one."""
    free = {day.business_date: day.free for day in days}
    first, last = min(free), max(free)
    every = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return ",".join(str(free.get(day, "-")) for day in every)

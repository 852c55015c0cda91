"""Cards under way between sites; what a sealed batch was told of first counts
(see ``store.cases``).
"""

from collections.abc import Sequence
from datetime import datetime

from shared.contracts.preparation import CardDispatched
from shared.db import Connection
from shared.ids import BatchId, CaseId

End = tuple[BatchId, CaseId, datetime]
"""A batch, a card of it, and when the card came or was given up."""

_DISPATCH = """
INSERT INTO transfer_fact AS known (
    batch_id, case_id, dispatched_at, from_site, to_site, due_on
)
SELECT DISTINCT ON (batch_id, case_id) *
FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[], $6::date[])
     AS told (batch_id, case_id, at, from_site, to_site, due_on)
ORDER BY batch_id, case_id, at, from_site, to_site, due_on
ON CONFLICT (batch_id, case_id) DO UPDATE SET
    dispatched_at = excluded.dispatched_at,
    from_site = excluded.from_site,
    to_site = excluded.to_site,
    due_on = excluded.due_on
WHERE known.dispatched_at IS NULL
   OR (excluded.dispatched_at, excluded.from_site, excluded.to_site, excluded.due_on)
      < (known.dispatched_at, known.from_site, known.to_site, known.due_on)
"""

_END = """
INSERT INTO transfer_fact AS known (batch_id, case_id, {column})
SELECT batch_id, case_id, min(at)
FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS told (batch_id, case_id, at)
GROUP BY batch_id, case_id
ORDER BY batch_id, case_id
ON CONFLICT (batch_id, case_id) DO UPDATE SET {column} = least(known.{column}, excluded.{column})
"""
_ARRIVE, _FAIL = (_END.format(column=f"{end}_at") for end in ("arrived", "failed"))


async def dispatch(conn: Connection, facts: Sequence[tuple[datetime, CardDispatched]]) -> None:
    """Cards that left, and when they should be there."""
    await conn.execute(
        _DISPATCH,
        [event.batch_id for _, event in facts],
        [event.case_id for _, event in facts],
        [at for at, _ in facts],
        [event.from_site_id for _, event in facts],
        [event.to_site_id for _, event in facts],
        [event.due_on for _, event in facts],
    )


async def arrive(conn: Connection, ends: Sequence[End]) -> None:
    """Cards that are there."""
    await conn.execute(_ARRIVE, *_columns(ends))


async def fail(conn: Connection, ends: Sequence[End]) -> None:
    """Cards that were given up."""
    await conn.execute(_FAIL, *_columns(ends))


def _columns(ends: Sequence[End]) -> tuple[list[BatchId], list[CaseId], list[datetime]]:
    return [each[0] for each in ends], [each[1] for each in ends], [each[2] for each in ends]

"""The inbox: an event is handled once per consumer.

The claim is a unique key, inserted in the handler's transaction: it commits with the effect or
not at all, and a second consumer of the same event waits for that and then finds it taken.
"""

from collections.abc import Iterable
from uuid import UUID

from shared.db import Connection

_CLAIM = """
INSERT INTO inbox (consumer, event_id)
SELECT $1, event_id FROM unnest($2::uuid[]) AS event_id
ON CONFLICT DO NOTHING
RETURNING event_id
"""


async def claim(conn: Connection, consumer: str, event_ids: Iterable[UUID]) -> set[UUID]:
    """Claim events and return those not handled before.

    Ids are claimed in their own order, so that two consumers of overlapping batches never wait
    for each other in a circle.
    """
    rows = await conn.fetch(_CLAIM, consumer, sorted(set(event_ids)))
    return {row["event_id"] for row in rows}

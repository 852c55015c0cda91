"""Dead letters: what an operator can do about a message that could not be handled.

Replaying or discarding one lets its key go on; both are audited. Nothing is dropped unasked.
"""

import json
from dataclasses import dataclass
from datetime import datetime

from shared.db import Connection, Row
from shared.errors import FieldError, NotFound, Text, Unprocessable
from shared.messaging import inbox
from shared.security.audit import PersonalDataError
from shared.unit import Unit

_COLUMNS = """id, consumer, subject, event_id, topic, partition, offset_, headers, attempt, reason,
traceparent, parked_at,
(SELECT count(*) - 1 FROM parked behind
 WHERE behind.consumer = parked.consumer AND behind.subject = parked.subject) AS waiting"""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that used up its tries. ``waiting`` later messages of its key stand behind it."""

    id: int
    consumer: str
    subject: str
    type: str
    topic: str
    partition: int
    offset: int
    attempts: int
    reason: str
    traceparent: str | None
    parked_at: datetime
    waiting: int


class NoSuchDeadLetter(NotFound):
    """The id names no dead letter (any more)."""

    slug = "no-such-dead-letter"
    title = Text("There is no such dead letter", "該当するデッドレターはありません")
    remedy = Text(
        "List the dead letters; it may have been replayed or discarded already.",
        "一覧を確認してください。すでに再処理または破棄されている可能性があります。",
    )


class ReasonRefused(Unprocessable):
    """The reason of a discard holds personal data; carries none of it."""

    slug = "reason-refused"
    title = Text("The reason holds personal data", "理由に個人情報が含まれています")
    remedy = Text(
        "Give references only: no My Number, no e-mail address.",
        "参照番号のみを記入してください。個人番号やメールアドレスは記入できません。",
    )

    def __init__(self) -> None:
        super().__init__(errors=(FieldError("reason", self.title, self.remedy),))


async def list_dead_letters(
    conn: Connection, *, after: int = 0, limit: int = 50
) -> list[DeadLetter]:
    """Dead letters in the order they were parked, those with an id greater than ``after``."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM parked WHERE dead AND id > $1 ORDER BY id LIMIT $2",  # noqa: S608
        after,
        limit,
    )
    return [_letter(row) for row in rows]


async def show(conn: Connection, letter_id: int) -> DeadLetter:
    """One dead letter. Raises ``NoSuchDeadLetter``."""
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM parked WHERE dead AND id = $1",  # noqa: S608
        letter_id,
    )
    if row is None:
        raise NoSuchDeadLetter
    return _letter(row)


async def replay(unit: Unit, letter_id: int) -> None:
    """Give it its tries again, from now on. Raises ``NoSuchDeadLetter``."""
    done = await unit.conn.fetchval(
        """UPDATE parked SET dead = false, attempt = 0, next_attempt_at = now()
           WHERE id = $1 AND dead RETURNING subject""",
        letter_id,
    )
    if done is None:
        raise NoSuchDeadLetter
    unit.audit("dead_letter.replayed", subject=done, dead_letter=letter_id)


async def discard(unit: Unit, letter_id: int, reason: str) -> None:
    """Drop it for a ``reason``, so that its key goes on without it, now and in every replay.

    Raises ``NoSuchDeadLetter``, and ``ReasonRefused`` where the reason holds personal data.
    """
    row = await unit.conn.fetchrow(
        """DELETE FROM parked WHERE id = $1 AND dead
           RETURNING consumer, subject, event_id, topic, partition, offset_""",
        letter_id,
    )
    if row is None:
        raise NoSuchDeadLetter
    if row["event_id"]:
        # Left out for good: read again from offset zero, it would come after what followed it.
        await inbox.claim(unit.conn, row["consumer"], [row["event_id"]])
    try:
        unit.audit(
            "dead_letter.discarded",
            subject=row["subject"],
            dead_letter=letter_id,
            event=str(row["event_id"]),
            origin=f"{row['topic']}/{row['partition']}/{row['offset_']}",
            reason=reason,
        )
    except PersonalDataError:
        raise ReasonRefused from None


def _letter(row: Row) -> DeadLetter:
    return DeadLetter(
        id=row["id"],
        consumer=row["consumer"],
        subject=row["subject"],
        type=json.loads(row["headers"]).get("ce_type", ""),
        topic=row["topic"],
        partition=row["partition"],
        offset=row["offset_"],
        attempts=row["attempt"],
        reason=row["reason"] or "",
        traceparent=row["traceparent"],
        parked_at=row["parked_at"],
        waiting=row["waiting"],
    )

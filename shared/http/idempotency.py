"""Idempotency-Key: a command that creates has its effect once, however often it is sent.

The answer is stored in the transaction of the command itself, so both exist or neither does. A
lock on the key, held to the end of that transaction, keeps a twin from running beside it; a
command that fails leaves nothing and may be tried again under the same key.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from pydantic import BaseModel

from shared.db import Connection, Row
from shared.errors import BadRequest, Conflict, FieldError, Problem, Text, Unprocessable
from shared.security.my_number import refuse_my_number
from shared.writes import Write, write

HEADER = "Idempotency-Key"
LONGEST = 255
Body: TypeAlias = BaseModel | Mapping[str, object] | bytes
"""What makes two requests the same: a model, plain members, or the bytes of an upload."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One command under its key. ``scope`` is room, route and caller: keys of others differ."""

    scope: str
    key: str
    request_hash: bytes

    def row(self, number: int) -> "Claim":
        """The claim of one row of this request; in a scope that no caller's own key lies in."""
        return Claim(f"{self.scope} row", f"{self.key} {number}", self.request_hash)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: HTTP status and JSON body."""

    status: int
    body: bytes


class KeyMissing(BadRequest):
    """A command that creates needs a key."""

    slug = "idempotency-key-missing"
    title = Text("Idempotency-Key is needed", "Idempotency-Key が必要です")
    remedy = Text(
        "Send a new UUID in the Idempotency-Key header, the same one when you repeat the request.",
        "Idempotency-Key ヘッダーに新しいUUIDを付け、再送時は同じ値を使ってください。",
    )


class KeyReused(Unprocessable):
    """The same key came with another request."""

    slug = "idempotency-key-reused"
    title = Text("This key belongs to another request", "このキーは別のリクエストで使われています")
    remedy = Text(
        "Use a new Idempotency-Key for a new request.",
        "新しいリクエストには新しい Idempotency-Key を使ってください。",
    )


class InFlight(Conflict):
    """The first request under this key is still being worked on."""

    slug = "request-in-flight"
    title = Text("The same request is still in work", "同じリクエストを処理中です")
    remedy = Text(
        "Wait a moment and repeat the request with the same key.",
        "少し待ってから、同じキーでもう一度送信してください。",
    )

    @property
    def headers(self) -> dict[str, str]:
        """When to ask again, in seconds."""
        return {"Retry-After": "1"}


def checked(key: str | None) -> str:
    """The key as sent, which is kept. Raises ``KeyMissing``, ``BadRequest`` where it is malformed,
    and ``MyNumberRefused``.
    """
    if key is None:
        raise KeyMissing
    if not 1 <= len(key) <= LONGEST or not (key.isascii() and key.isprintable()):
        message = Text(
            f"Must have 1 to {LONGEST} printable ASCII characters.",
            f"1〜{LONGEST}文字の印字可能なASCII文字で指定してください。",
        )
        raise BadRequest(errors=[FieldError(HEADER, message, KeyMissing.remedy)])
    refuse_my_number(HEADER, key)
    return key


def request_hash(method: str, target: str, body: Body) -> bytes:
    """SHA-256 over method, target (path and query) and the body in its canonical form.

    Two bodies are the same when they mean the same: order and white space of JSON do not count.
    """
    digest = hashlib.sha256(f"{method}\n{target}\n".encode())
    digest.update(_canonical(body))
    return digest.digest()


async def recall(conn: Connection, claim: Claim) -> Answer | None:
    """Take the key for this transaction; the stored answer, if there is one.

    Raises ``InFlight`` while another transaction holds the key, and ``KeyReused`` where the
    stored answer belongs to another request.
    """
    row = await conn.fetchrow(_RECALL_ONE, claim.scope, claim.key)
    if row is None or not row["is_own"]:
        raise InFlight
    found = _recalled(claim, row if row["status"] is not None else None)
    if isinstance(found, Problem):
        raise found
    return found


async def recall_all(
    conn: Connection, claims: Sequence[Claim]
) -> list[Answer | InFlight | KeyReused | None]:
    """``recall`` for claims of different keys at once, in their order; refusals are returned."""
    rows = await conn.fetch(_RECALL, [c.scope for c in claims], [c.key for c in claims])
    return [_answered(claim, row) for claim, row in zip(claims, rows, strict=True)]


def _answered(claim: Claim, row: Row) -> Answer | InFlight | KeyReused | None:
    if not row["is_own"]:
        return InFlight()
    return _recalled(claim, row if row["status"] is not None else None)


def _recalled(claim: Claim, row: Row | None) -> Answer | KeyReused | None:
    if row is None:
        return None
    if row["request_hash"] != claim.request_hash:
        return KeyReused()
    return Answer(status=row["status"], body=row["body"])


async def remember(conn: Connection, claim: Claim, answer: Answer) -> None:
    """Store the answer; it becomes visible with the effect of the command."""
    await write(conn, [remembered([(claim, answer)])])


def remembered(answered: Sequence[tuple[Claim, Answer]]) -> Write:
    """``remember`` for at least one, together with other writes: ``unit.last(...)``."""
    if len(answered) == 1:
        ((claim, answer),) = answered
        values = (claim.scope, claim.key, claim.request_hash, answer.status, answer.body)
        return Write(_REMEMBER_ONE, values)
    return Write(
        _REMEMBER,
        (
            [claim.scope for claim, _ in answered],
            [claim.key for claim, _ in answered],
            [claim.request_hash for claim, _ in answered],
            [answer.status for _, answer in answered],
            [answer.body for _, answer in answered],
        ),
    )


async def purge(conn: Connection, *, older_than: timedelta) -> int:
    """Forget answers older than ``older_than`` (real time); how many were forgotten."""
    forgotten: int = await conn.fetchval(_PURGE, older_than)
    return forgotten


def _canonical(body: Body) -> bytes:
    if isinstance(body, bytes):
        return body
    plain = body.model_dump(mode="json") if isinstance(body, BaseModel) else body
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), default=str).encode()


# The function locks a key first, and looks with a snapshot that is younger. Each key is looked for
# by itself: a join whose plan was made while there were no answers would read them all.
_RECALL = """
    SELECT found.is_own, found.request_hash, found.status, found.body
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS claim(scope, key, n)
    CROSS JOIN LATERAL recall_answer(claim.scope, claim.key) AS found
    ORDER BY n
"""
# For one key without arrays: their plan would be made anew each time.
_RECALL_ONE = "SELECT is_own, request_hash, status, body FROM recall_answer($1, $2)"
_REMEMBER_ONE = """
answered AS (
    INSERT INTO idempotency (scope, key, request_hash, status, body) VALUES ($1, $2, $3, $4, $5)
)
"""
_REMEMBER = """
answered AS (
    INSERT INTO idempotency (scope, key, request_hash, status, body)
    SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::int[], $5::bytea[])
)
"""
_PURGE = """
    WITH forgotten AS (DELETE FROM idempotency WHERE created_at < now() - $1::interval RETURNING 1)
    SELECT count(*) FROM forgotten
"""

"""What was done is written in the transaction that did it: no change without its entry, no entry
of a change that was rolled back. Entries hold references, never personal data.

Entries are append-only (triggers refuse UPDATE, DELETE and TRUNCATE), and ``sealer`` chains them.
Nothing here deletes old entries.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final, Self

import pydantic_core

from shared.db import Connection
from shared.ids import SiteId
from shared.security.my_number import contains_my_number
from shared.security.principal import Principal
from shared.writes import Write, write

Reference = str | int

_MAIL: Final = re.compile(r"[^\s@＠﹫][@＠﹫][^\s@＠﹫]")

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

MANY: Final = 200
"""From so many entries on they are copied, which costs less for each."""

_COLUMNS: Final = (
    "at",
    "actor",
    "roles",
    "action",
    "subject",
    "site_id",
    "refs",
    "trace_id",
)
_APPEND: Final = """
audited AS (
    INSERT INTO audit_entry (at, actor, roles, action, subject, site_id, refs, trace_id)
    SELECT at, actor, string_to_array(roles, ' '), action, subject, site_id, refs::jsonb, trace_id
    FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                $7::text[], $8::text[])
        WITH ORDINALITY AS entry (at, actor, roles, action, subject, site_id, refs, trace_id, n)
    ORDER BY n
)
"""
# One entry without arrays: their plan would be made anew each time.
_APPEND_ONE: Final = """
audited AS (
    INSERT INTO audit_entry (at, actor, roles, action, subject, site_id, refs, trace_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
)
"""


class PersonalDataError(ValueError):
    """Code tried to audit something other than a reference; names the field, not the value."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act. ``subject`` is the case or site it was about, ``action`` a verb such as
    ``card.shelve`` or ``contact.read``, ``at`` the time of the unit.

    Raises ``PersonalDataError`` for a text that holds a My Number or looks like an e-mail address.
    """

    at: datetime
    actor: str
    roles: tuple[str, ...]
    action: str
    subject: str
    site_id: SiteId | None = None
    references: Mapping[str, Reference] = field(default_factory=dict)
    trace_id: str | None = None

    def __post_init__(self) -> None:
        _require_reference("action", self.action)
        _require_reference("subject", self.subject)
        _require_reference("site_id", self.site_id or "")
        for name, value in self.references.items():
            _require_reference(name, str(value))

    @classmethod
    def by(
        cls,
        principal: Principal,
        action: str,
        *,
        at: datetime,
        subject: str,
        site_id: SiteId | None = None,
        references: Mapping[str, Reference] | None = None,
        trace_id: str | None = None,
    ) -> Self:
        """The entry for an act of ``principal``."""
        return cls(
            at=at,
            actor=principal.subject,
            roles=tuple(sorted(principal.roles)),
            action=action,
            subject=subject,
            site_id=site_id,
            references=dict(references or {}),
            trace_id=trace_id,
        )


async def append(conn: Connection, entries: Sequence[AuditEntry]) -> None:
    """Write ``entries`` in their order, in one statement, in the caller's transaction."""
    if len(entries) >= MANY:
        await conn.copy_records_to_table(
            "audit_entry", records=map(_written, entries), columns=_COLUMNS
        )
    elif entries:
        await write(conn, [few(entries)])


def few(entries: Sequence[AuditEntry]) -> Write:
    """``append`` of less than ``MANY`` entries, and one at least, together with other writes."""
    if len(entries) == 1:
        return Write(_APPEND_ONE, _written(entries[0]))
    values = (
        [entry.at for entry in entries],
        [entry.actor for entry in entries],
        [" ".join(entry.roles) for entry in entries],
        [entry.action for entry in entries],
        [entry.subject for entry in entries],
        [entry.site_id for entry in entries],
        [_json(entry.references) for entry in entries],
        [entry.trace_id for entry in entries],
    )
    return Write(_APPEND, values)


def _written(entry: AuditEntry) -> tuple[object, ...]:
    return (
        entry.at,
        entry.actor,
        entry.roles,
        entry.action,
        entry.subject,
        entry.site_id,
        _json(entry.references),
        entry.trace_id,
    )


def _json(references: Mapping[str, Reference]) -> str:
    return pydantic_core.to_json(references).decode()


def _require_reference(name: str, value: str) -> None:
    # Most references are cases and batches; a UUID is neither a My Number nor an address.
    if _UUID.fullmatch(value):
        return
    try:
        _require_harmless(value)
    except PersonalDataError:
        _refuse(name, value)


@lru_cache(maxsize=1024)
def _require_harmless(value: str) -> None:
    """Actions, sites, reasons and counts come again and again. What is refused is not remembered:
    an error is never cached.
    """
    if contains_my_number(value) or _MAIL.search(value):
        raise PersonalDataError


def _refuse(name: str, value: str) -> None:
    if contains_my_number(value):
        raise PersonalDataError(f"audit {name}: holds a My Number; give a reference")
    raise PersonalDataError(f"audit {name}: looks like an e-mail address; give a reference")

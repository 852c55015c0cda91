"""One unit, one transaction: state, inbox claims, audit entries and events commit together.

Events and audit entries are kept until the block ends and written last, set-based, and few of them
in one statement. Nothing else in the project commits.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from shared.clock import Clock
from shared.contracts.base import Event
from shared.db import Connection, Database
from shared.ids import SiteId, new_id
from shared.messaging import outbox
from shared.messaging.envelope import Message
from shared.security import audit
from shared.security.audit import AuditEntry
from shared.security.principal import Principal
from shared.writes import Write, write


class Unit:
    """What a handler works with: a connection, the time, who acts, and what it has to say."""

    def __init__(
        self,
        conn: Connection,
        *,
        room: str,
        source: str,
        now: datetime,
        principal: Principal,
        traceparent: str | None,
    ) -> None:
        self.conn = conn
        self.room = room
        self.source = source
        self.now = now
        self.principal = principal
        self.traceparent = traceparent
        self.process_spans: Mapping[UUID, str] = {}
        self._roles = tuple(sorted(principal.roles))
        self._trace_id = _trace_id(traceparent)
        self._cause: Message[Event] | None = None
        self._events: list[outbox.OutboxRow] = []
        self._entries: list[audit.AuditEntry] = []
        self._last: list[Write] = []

    def emit(
        self,
        event: Event,
        *,
        cause: Message[Event] | None = None,
        time: datetime | None = None,
        topic: str | None = None,
    ) -> None:
        """Publish ``event`` when this unit commits.

        ``cause`` is the message that led to it: the event continues its trace and bears its time,
        so that handling the message later, or again, tells the same story. ``topic`` is needed
        only where a type is published on several.
        """
        cause = cause or self._cause
        self._events.append(
            outbox.OutboxRow(
                id=new_id(),
                topic=topic or event.topic or f"{self.room}.events",
                type=event.type,
                subject=event.subject,
                time=time or (cause.time if cause else self.now),
                traceparent=self._trace_of(cause),
                data=event.__pydantic_serializer__.to_json(event),
            )
        )

    def audit(
        self,
        action: str,
        *,
        subject: str,
        site_id: SiteId | None = None,
        **references: str | int,
    ) -> None:
        """Record who did ``action`` to ``subject``; references only, never personal data."""
        self._entries.append(
            audit.AuditEntry(
                at=self.now,
                actor=self.principal.subject,
                roles=self._roles,
                action=action,
                subject=subject,
                site_id=site_id,
                references=references,
                trace_id=self._trace_id,
            )
        )

    def last(self, what: Write) -> None:
        """Write this at the end, with what there is to say; one of a kind for a unit."""
        self._last.append(what)

    def part(
        self, principal: Principal, traceparent: str | None, *, now: datetime | None = None
    ) -> "Unit":
        """This unit as ``principal`` sees it: same transaction, own events and audit.

        ``now`` is the business time of what is told of afterwards, otherwise the unit's own. What
        the part has to say counts only once this unit takes it over (``adopt``).
        """
        return type(self)(
            self.conn,
            room=self.room,
            source=self.source,
            now=now or self.now,
            principal=principal,
            traceparent=traceparent,
        )

    def adopt(self, part: "Unit") -> None:
        """Say what ``part`` had to say, after what was said so far."""
        self._events += part._events
        self._entries += part._entries

    def caused_by(self, message: Message[Event] | None) -> None:
        """Take ``message`` as the cause of what is emitted next."""
        self._cause = message

    @property
    def entries(self) -> Sequence[AuditEntry]:
        """What was audited so far."""
        return tuple(self._entries)

    @property
    def events(self) -> Sequence[outbox.OutboxRow]:
        """What was said so far."""
        return tuple(self._events)

    async def flush(self) -> None:
        """Write what was kept. Called once, by ``Units``, right before the commit."""
        writes = [*self._last]
        if len(self._entries) >= audit.MANY:
            await audit.append(self.conn, self._entries)
        elif self._entries:
            writes.append(audit.few(self._entries))
        if 0 < len(self._events) < outbox.MANY:
            writes.append(outbox.few(self.source, self._events))
        await write(self.conn, writes)
        if len(self._events) >= outbox.MANY:
            await outbox.append(self.conn, self.source, self._events)

    def _trace_of(self, cause: Message[Event] | None) -> str | None:
        if cause is None:
            return self.traceparent
        return self.process_spans.get(cause.id, cause.traceparent)


class Units:
    """Begins units against one room's database."""

    unit_type: type[Unit] = Unit
    """What is begun; a room whose units have more to write names its own."""

    def __init__(self, database: Database, *, room: str, source: str, clock: Clock) -> None:
        self._database = database
        self._room = room
        self._source = source
        self.clock = clock

    @asynccontextmanager
    async def begin(
        self, principal: Principal, *, traceparent: str | None = None
    ) -> AsyncIterator[Unit]:
        """A unit that commits when the block ends and leaves no trace when it raises."""
        async with self._database.transaction() as conn:
            unit = self.unit_type(
                conn,
                room=self._room,
                source=self._source,
                now=self.clock.now(),
                principal=principal,
                traceparent=traceparent,
            )
            yield unit
            await unit.flush()


def _trace_id(traceparent: str | None) -> str | None:
    return traceparent.split("-")[1] if traceparent else None

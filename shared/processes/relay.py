"""The relay process: publishes the room's outbox and seals its audit."""

import logging
from contextlib import AsyncExitStack

from shared.http.ops import serve_ops
from shared.messaging.kafka import connected
from shared.messaging.relay import Relay
from shared.processes.process import Work, after
from shared.room import Resources, Room
from shared.security.checkpoints import AuditSigner, CheckpointStore
from shared.security.sealer import Sealer

log = logging.getLogger(__name__)


async def works(_: AsyncExitStack, room: Room, resources: Resources) -> list[Work]:
    """Publish, seal, and say how it goes."""
    settings, metrics = resources.settings, resources.metrics
    relay = Relay(room.name, resources.doors.database_url, settings, metrics)
    checks, publishing = dict(resources.checks), []
    # A satellite's events are said by headquarters, when they work its journal.
    if resources.doors.satellite is None:
        checks["kafka"] = connected(relay, settings)
        publishing.append(after(resources.checks, relay.run))
    return [
        serve_ops(settings.host, resources.doors.relay_port, checks, metrics),
        *publishing,
        after(resources.checks, _sealer(room, resources).run),
    ]


def _sealer(room: Room, resources: Resources) -> Sealer:
    settings = resources.settings
    audit_url, key_file = settings.audit_database_url, settings.audit_signing_key_file
    if audit_url is None or key_file is None:
        log.warning("no audit checkpoints: audit_database_url or audit_signing_key_file is not set")
    return Sealer(
        resources.doors.database_url,
        checkpoints=CheckpointStore(audit_url, settings.source(room.name)) if audit_url else None,
        signer=AuditSigner.read(key_file) if key_file else None,
    )

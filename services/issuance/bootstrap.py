"""The issuance room: the only place that wires it."""

from pathlib import Path

from services.issuance.events import PUBLISHES, SUBSCRIBES
from shared.room import Room

ROOM = Room(
    name="issuance",
    migrations=Path(__file__).parent / "migrations",
    publishes=PUBLISHES,
    subscribes=SUBSCRIBES,
    api="services.issuance.api:build",
    due="services.issuance.due:works",
    beside="services.issuance.post:works",
    planned_once=True,
)

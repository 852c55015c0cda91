"""The room as the kernel runs it; the only wiring."""

from pathlib import Path

from services.reporting.events import PUBLISHES, SUBSCRIBES
from shared.room import Room

ROOM = Room(
    name="reporting",
    migrations=Path(__file__).parent / "migrations",
    publishes=PUBLISHES,
    subscribes=SUBSCRIBES,
    api="services.reporting.api:build",
    beside="services.reporting.signals:works",
)

"""The room as the kernel starts it."""

from pathlib import Path

from services.preparation.events import PUBLISHES, SUBSCRIBES
from shared.room import Room

ROOM = Room(
    name="preparation",
    migrations=Path(__file__).parent / "migrations",
    publishes=PUBLISHES,
    subscribes=SUBSCRIBES,
    api="services.preparation.api:build",
    due="services.preparation.due:works",
)

"""The reservation room put together."""

from pathlib import Path

from services.reservation.events import PUBLISHES, SUBSCRIBES
from shared.room import Room

ROOM = Room(
    name="reservation",
    migrations=Path(__file__).parent / "migrations",
    publishes=PUBLISHES,
    subscribes=SUBSCRIBES,
    api="services.reservation.api:build",
    due="services.reservation.due:works",
    beside="services.reservation.post:works",
    planned_once=True,
)

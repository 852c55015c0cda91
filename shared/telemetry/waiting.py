"""How much of something waits, and how long the oldest of it has: what alerts ask of a queue."""

from datetime import datetime

from prometheus_client import Gauge

from shared.telemetry.metrics import Metrics


class Waiting:
    """``<name>_waiting`` and ``<name>_oldest_age_seconds``: both 0 while nothing waits.

    ``what`` says of what they tell.
    """

    def __init__(self, metrics: Metrics, name: str, what: str) -> None:
        self._count = Gauge(f"{name}_waiting", what, registry=metrics.registry)
        self._age = Gauge(
            f"{name}_oldest_age_seconds",
            "Age of the oldest of them; 0 when there is none.",
            registry=metrics.registry,
        )

    def seen(self, count: int, since: datetime | None, now: datetime) -> None:
        """So many wait at ``now``, the oldest of them since ``since``."""
        self._count.set(count)
        self._age.set(max(0.0, (now - since).total_seconds()) if since else 0.0)

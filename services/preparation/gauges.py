"""Figures of this room for dashboards and alerts, looked at every few seconds by who consumes."""

from collections.abc import Callable
from time import monotonic

from prometheus_client import Gauge

from services.preparation.store import alarms
from shared.calendar import business_date
from shared.due import DueWork
from shared.telemetry.metrics import Metrics
from shared.unit import Unit

WATCH_SECONDS = 15.0
"""Real time: figures are for people who watch, however business time runs."""


class TransferMetrics:
    """What alerts ask of batches between sites."""

    def __init__(self, metrics: Metrics) -> None:
        self.overdue = Gauge(
            "madoguchi_preparation_transfers_overdue",
            "Batches with cards that are not there: late (past their day) or missing (emptied).",
            ["state"],
            registry=metrics.registry,
        )
        self.cards = Gauge(
            "madoguchi_preparation_transfer_cards_overdue",
            "Cards of those batches that are not there.",
            ["state"],
            registry=metrics.registry,
        )

    async def measure(self, unit: Unit) -> None:
        """Count what is not there."""
        for one in await alarms.overdue(unit.conn, business_date(unit.now)):
            self.overdue.labels(one.state).set(one.batches)
            self.cards.labels(one.state).set(one.cards)


def watch(metrics: Metrics, clock: Callable[[], float] = monotonic) -> DueWork:
    """Due: look at the figures again. It is never more than looking, so nothing stays due."""
    gauges, last = TransferMetrics(metrics), [-WATCH_SECONDS]

    async def work(unit: Unit) -> int:
        if clock() - last[0] >= WATCH_SECONDS:
            last[0] = clock()
            await gauges.measure(unit)
        return 0

    return work

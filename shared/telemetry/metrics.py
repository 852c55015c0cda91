"""Every figure a process publishes, in one object with a registry of its own.

The names are a contract with dashboards and alerts: they only ever get more.
"""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10)
"""Bucket bounds in seconds; 10 ms and 150 ms are the aims for p50 and p99."""


class Metrics:
    """The collectors of one process; created by its composition root."""

    content_type = CONTENT_TYPE_PLAIN_0_0_4

    def __init__(self, *, service: str, role: str) -> None:
        self.registry = registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        self._info(service, role)
        self.outbox_unpublished = Gauge(
            "madoguchi_outbox_unpublished",
            "Outbox rows committed and not yet published.",
            registry=registry,
        )
        self.outbox_oldest_age = Gauge(
            "madoguchi_outbox_oldest_age_seconds",
            "Age of the oldest unpublished outbox row; 0 when there is none.",
            registry=registry,
        )
        self.relay_published = Counter(
            "madoguchi_relay_published", "Events acknowledged by Kafka.", registry=registry
        )
        self.inbox_duplicates = Counter(
            "madoguchi_inbox_duplicates",
            "Messages seen before and skipped.",
            registry=registry,
        )
        self.handler_seconds = Histogram(
            "madoguchi_handler_seconds",
            "Time of one call of a handler, with its batch.",
            ["handler"],
            buckets=SECONDS,
            registry=registry,
        )
        self.messages_handled = Counter(
            "madoguchi_messages_handled",
            "Messages by type and how they ended: handled, duplicate, parked, dead.",
            ["type", "outcome"],
            registry=registry,
        )
        self.consumer_lag = Gauge(
            "madoguchi_consumer_lag",
            "Messages between the consumer's position and the partition's end.",
            ["topic", "partition"],
            registry=registry,
        )
        self.parked_messages = Gauge(
            "madoguchi_parked_messages",
            "Messages set aside behind a failed one of their key.",
            registry=registry,
        )
        self.dead_letters = Gauge(
            "madoguchi_dead_letters",
            "Messages that used up their tries and wait for an operator.",
            registry=registry,
        )
        self.business_time = Gauge(
            "madoguchi_business_time_seconds",
            "Business time as this process knows it, in seconds since 1970; replayed or not.",
            registry=registry,
        )
        self.due_done = Counter(
            "madoguchi_due_done",
            "What became due by the clock and was done, by the name of the work.",
            ["work"],
            registry=registry,
        )
        self.due_failures = Counter(
            "madoguchi_due_failures",
            "Batches of due work that failed and stayed due.",
            ["work"],
            registry=registry,
        )
        self.due_through = Gauge(
            "madoguchi_due_through_seconds",
            "Business time up to which all that was due is done, in seconds since 1970.",
            registry=registry,
        )
        self.http_request_seconds = Histogram(
            "madoguchi_http_request_seconds",
            "Time to answer a request, by route template.",
            ["method", "route", "status"],
            buckets=SECONDS,
            registry=registry,
        )

    def _info(self, service: str, role: str) -> None:
        info = Gauge(
            "madoguchi_process_info",
            "1; says who this is.",
            ["service", "role"],
            registry=self.registry,
        )
        info.labels(service, role).set(1)

    def render(self) -> bytes:
        """Everything, in the Prometheus text format."""
        return generate_latest(self.registry)

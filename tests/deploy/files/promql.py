"""What a PromQL expression reads: metrics, and the labels it chooses or groups by."""

import re
from dataclasses import dataclass, field

import promql_parser as promql

from services.issuance.post import JournalMetrics
from services.preparation.gauges import TransferMetrics
from services.reporting.signals import Signals
from services.reservation.post import MailMetrics
from shared.telemetry.metrics import Metrics

TARGET_LABELS = frozenset({"room", "process", "job", "instance"})
"""Put on by Prometheus from the scrape configuration."""
FOREIGN: dict[str, frozenset[str]] = {
    "up": frozenset(),
    "probe_success": frozenset(),
    "probe_http_status_code": frozenset(),
}
"""Metrics of Prometheus and of the blackbox exporter."""


@dataclass
class Reads:
    """Names of metrics, and the labels used beside them."""

    metrics: set[str] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)


def reads(expression: str) -> Reads:
    """What ``expression`` reads; Grafana's variables are filled first.

    Raises ``ValueError`` if it is not PromQL.
    """
    filled = re.sub(r"\$__(rate_interval|interval|range)", "5m", expression)
    found = Reads()

    def visit(node: promql.Expr) -> None:
        if isinstance(node, promql.VectorSelector):
            found.metrics.add(node.name or "")
            found.labels |= {matcher.name for matcher in node.matchers.matchers}
        if isinstance(node, promql.AggregateExpr) and node.modifier is not None:
            found.labels |= set(node.modifier.labels)

    promql.walk(promql.parse(filled), pre_visit=visit)
    return found


def published() -> dict[str, frozenset[str]]:
    """Every series a process of ours publishes, with its labels."""
    metrics = Metrics(service="any", role="any")
    MailMetrics(metrics)
    TransferMetrics(metrics)
    JournalMetrics(metrics)
    Signals(metrics)
    registry = metrics.registry
    series: dict[str, frozenset[str]] = dict(FOREIGN)
    for collector in registry._collector_to_names:
        labels = frozenset(getattr(collector, "_labelnames", ()))
        for name in registry._collector_to_names[collector]:
            series[name] = labels | ({"le"} if name.endswith("_bucket") else frozenset())
    return series


def unknown(expression: str) -> list[str]:
    """Metrics that nobody publishes and labels that none of the expression's metrics has."""
    series = published()
    found = reads(expression)
    known = TARGET_LABELS.union(*(series.get(metric, frozenset()) for metric in found.metrics))
    return sorted(found.metrics - series.keys()) + sorted(found.labels - known)

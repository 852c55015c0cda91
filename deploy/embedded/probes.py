"""What a running process says of itself: readiness and figures, over loopback HTTP.

Invariant: a probe never waits longer than its time-out and never raises; silence is an answer.
"""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from deploy.embedded.ports import LOOPBACK

TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a process is ready, and for what it waits (dependency: reason)."""

    ready: bool
    missing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Figures:
    """What `status` shows of a process's metrics; None where it does not tell."""

    consumer_lag: int | None = None  # messages, over all partitions
    outbox_unpublished: int | None = None  # rows
    outbox_oldest_s: float | None = None
    dead_letters: int | None = None
    projections_behind: int | None = None  # read models to be rebuilt after an upgrade


def readiness(port: int) -> Readiness:
    """Ask `/readyz`."""
    status, body = _get(port, "/readyz")
    if status is None:
        return Readiness(False, {"http": "no answer"})
    try:
        checks = json.loads(body).get("checks", {})
        missing = {name: check.get("why", "") for name, check in checks.items() if not check["ok"]}
    except (ValueError, AttributeError, KeyError, TypeError):
        missing = {}
    return Readiness(status == 200, missing)


def figures(port: int) -> Figures:
    """Ask `/metrics`."""
    status, body = _get(port, "/metrics")
    if status != 200:
        return Figures()
    sums = _sums(body)
    return Figures(
        consumer_lag=_whole(sums.get("madoguchi_consumer_lag")),
        outbox_unpublished=_whole(sums.get("madoguchi_outbox_unpublished")),
        outbox_oldest_s=sums.get("madoguchi_outbox_oldest_age_seconds"),
        dead_letters=_whole(sums.get("madoguchi_dead_letters")),
        projections_behind=_whole(sums.get("madoguchi_reporting_projections_behind")),
    )


def _sums(text: str) -> dict[str, float]:
    """Each metric's total over its labels."""
    totals: dict[str, float] = {}
    for line in text.splitlines():
        if line.startswith("madoguchi_"):
            series, _, value = line.rpartition(" ")
            name = series.partition("{")[0]
            totals[name] = totals.get(name, 0.0) + float(value)
    return totals


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _get(port: int, path: str) -> tuple[int | None, str]:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return None, ""
    finally:
        connection.close()

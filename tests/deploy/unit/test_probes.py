"""Readiness and figures are read from what processes really serve."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import typer

from deploy.cli import status as command
from deploy.embedded.ports import free_port
from deploy.embedded.probes import Figures, figures, readiness
from services.reporting.signals import Signals
from shared.telemetry.metrics import Metrics


@contextmanager
def serving(status: int, body: bytes) -> Iterator[int]:
    """A process that answers every path the same; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_a_missing_dependency_is_named() -> None:
    body = b'{"checks": {"kafka": {"ok": false, "why": "not connected"}, "db": {"ok": true}}}'
    with serving(503, body) as port:
        told = readiness(port)
    assert not told.ready
    assert told.missing == {"kafka": "not connected"}


def test_ready_is_ready() -> None:
    with serving(200, b'{"checks": {}}') as port:
        assert readiness(port).ready


def test_silence_is_an_answer() -> None:
    port = free_port()
    assert readiness(port).missing == {"http": "no answer"}
    assert figures(port) == Figures()


def test_an_upgrade_that_asks_for_a_rebuild_is_told_with_the_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = Metrics(service="reporting", role="consume")
    Signals(metrics).behind.set(2)
    with serving(200, metrics.render()) as port:
        told = figures(port)
    line = command.Line("reporting-consume", "ready", 1, 80, "", "", told)
    monkeypatch.setattr(command, "gather", lambda _: [line])
    with pytest.raises(typer.Exit) as ended:
        command.status(Path())
    assert ended.value.exit_code == 0, "nothing is out of order"
    said = " ".join(capsys.readouterr().out.split())
    assert "2 read models lack what only the past can tell" in said
    assert "run madoguchi projections rebuild" in said


def test_figures_are_summed_over_partitions() -> None:
    metrics = Metrics(service="reservation", role="consume")
    metrics.consumer_lag.labels("a", "0").set(3)
    metrics.consumer_lag.labels("a", "1").set(4)
    metrics.outbox_unpublished.set(5)
    metrics.outbox_oldest_age.set(1.5)
    metrics.dead_letters.set(2)
    with serving(200, metrics.render()) as port:
        assert figures(port) == Figures(7, 5, 1.5, 2)

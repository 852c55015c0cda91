"""Trace ids are valid with or without a collector, and one flow keeps one trace."""

import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from shared.telemetry.otlp import exporting_provider
from shared.telemetry.tracing import (
    Kind,
    configure_tracing,
    current_ids,
    current_traceparent,
    messaging_attributes,
    span,
)
from shared.telemetry.unrecorded import UnrecordedTracerProvider

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACE_ID = PARENT.split("-")[1]


@pytest.fixture(autouse=True)
def unrecorded() -> None:
    configure_tracing(service="test", role="api")


def test_outside_any_span_there_is_no_trace() -> None:
    assert current_traceparent() is None
    assert current_ids() is None


def test_a_trace_begins_and_its_children_keep_it() -> None:
    with span("outer"):
        outer = current_ids()
        with span("inner"):
            inner = current_ids()
        assert current_ids() == outer
    assert outer is not None
    assert inner is not None
    assert outer[0] == inner[0]
    assert outer[1] != inner[1]


def test_a_stored_traceparent_is_continued() -> None:
    with span("elsewhere"), span("handle", parent=PARENT, kind=Kind.CONSUMER):
        header = current_traceparent()
    assert header is not None
    assert header.startswith(f"00-{TRACE_ID}-")
    assert header.endswith("-01")
    assert header != PARENT


@pytest.mark.parametrize("parent", ["", "nonsense", "00-" + "0" * 32 + "-" + "0" * 16 + "-00"])
def test_a_malformed_traceparent_begins_a_trace(parent: str) -> None:
    with span("handle", parent=parent):
        ids = current_ids()
    assert ids is not None
    assert set(ids[0]) != {"0"}


def test_an_exception_passes_and_the_trace_ends() -> None:
    with pytest.raises(KeyError), span("failing"):
        raise KeyError("x")
    assert current_ids() is None


def test_other_instrumentation_gets_valid_spans() -> None:
    tracer = UnrecordedTracerProvider().get_tracer("library")
    with tracer.start_as_current_span("library work") as current:
        assert current.get_span_context().is_valid
        assert not current.is_recording()
        assert trace.get_current_span() is current


def test_messaging_attributes_leave_out_what_is_unknown() -> None:
    assert messaging_attributes("process", "site.events", partition=3, offset=0, batch=2) == {
        "messaging.system": "kafka",
        "messaging.operation.type": "process",
        "messaging.operation.name": "process",
        "messaging.destination.name": "site.events",
        "messaging.destination.partition.id": "3",
        "messaging.kafka.offset": 0,
        "messaging.batch.message_count": 2,
    }


def test_without_an_endpoint_the_sdk_is_not_imported() -> None:
    code = (
        "import sys; from shared.telemetry.tracing import configure_tracing as c;"
        "c(service='x', role='relay'); sys.exit('opentelemetry.sdk' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.fixture
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """A real HTTP server that keeps what it is sent."""
    received: list[ExportTraceServiceRequest] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            body = self.rfile.read(int(self.headers["content-length"]))
            received.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", received
    server.shutdown()
    thread.join()
    server.server_close()


def test_spans_reach_the_collector_without_what_exceptions_say(
    collector: tuple[str, list[ExportTraceServiceRequest]], monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, received = collector
    provider = exporting_provider(service="issuance", role="api", endpoint=endpoint, ratio=1.0)
    monkeypatch.setattr("shared.telemetry.tracing.trace.get_tracer", provider.get_tracer)
    with pytest.raises(ValueError, match="himitsu"), span("handle", parent=PARENT, links=[PARENT]):
        raise ValueError("himitsu")
    provider.shutdown()
    (request,) = received
    (resource,) = request.resource_spans
    names = {each.key: each.value.string_value for each in resource.resource.attributes}
    assert names["service.name"] == "madoguchi-issuance"
    (sent,) = resource.scope_spans[0].spans
    assert (sent.name, sent.trace_id.hex()) == ("handle", TRACE_ID)
    assert len(sent.links) == 1
    assert sent.status.message == "ValueError"
    assert b"himitsu" not in request.SerializeToString()


def test_a_ratio_of_nothing_records_only_what_the_caller_records(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider = exporting_provider(service="x", role="api", endpoint="http://127.0.0.1:1", ratio=0)
    monkeypatch.setattr("shared.telemetry.tracing.trace.get_tracer", provider.get_tracer)
    with span("new") as own:
        assert not own.is_recording()
        assert own.get_span_context().is_valid
    with span("caller's", parent=PARENT.removesuffix("01") + "00") as unsampled:
        assert not unsampled.is_recording()

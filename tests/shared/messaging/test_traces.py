"""One citizen's flow is one trace: request, outbox row, message, handler, and what it emits."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.db import Database, Row
from shared.messaging.envelope import Envelope, Message, encode
from shared.messaging.processing import Processor
from shared.messaging.spans import sending
from shared.messaging.subscriptions import each, on
from shared.security.principal import Principal
from shared.telemetry.tracing import current_traceparent, span
from shared.unit import Unit
from tests.support.messaging import StepTaken, case, metrics, raw_record, units


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    return spans


async def follow(unit: Unit, message: Message[StepTaken]) -> None:
    """A handler that answers each step with the next."""
    unit.emit(StepTaken(case_id=message.data.case_id, step=message.data.step + 1))


async def _last_row(database: Database) -> Row:
    async with database.reader() as conn:
        row = await conn.fetchrow("SELECT * FROM outbox ORDER BY sequence DESC LIMIT 1")
    assert row is not None
    return row


def _named(spans: InMemorySpanExporter, name: str) -> ReadableSpan:
    (found,) = [one for one in spans.get_finished_spans() if one.name == name]
    return found


def _ids(traceparent: str) -> tuple[str, str]:
    _, trace_id, span_id, _ = traceparent.split("-")
    return trace_id, span_id


async def test_a_handlers_event_continues_the_trace_of_the_request(
    kernel_database: Database, exporter: InMemorySpanExporter
) -> None:
    room = units(kernel_database)
    with span("POST /v1/steps") as request:
        async with room.begin(Principal.system("t"), traceparent=current_traceparent()) as unit:
            unit.emit(StepTaken(case_id=case(), step=1))
    row = await _last_row(kernel_database)
    sent = sending(row["topic"], row["subject"], row["traceparent"])
    assert sent is not None
    sent()
    key, headers, value = encode(
        Envelope(
            **{name: row[name] for name in ("id", "source", "type", "subject", "time")},
            **{name: row[name] for name in ("sequence", "traceparent", "data")},
        )
    )
    processor = Processor("t", room, [on(StepTaken, each(follow))], metrics=metrics())
    await processor.handle_batch([raw_record(key, headers, value, 0, row["topic"])])

    answer = await _last_row(kernel_database)
    process = _named(exporter, "process test.step_taken.v1")
    send = _named(exporter, "send preparation.events")
    trace_id = trace.format_trace_id(request.get_span_context().trace_id)
    request_id = trace.format_span_id(request.get_span_context().span_id)
    assert _ids(row["traceparent"]) == (trace_id, request_id)
    assert process.context is not None
    assert process.parent is not None
    assert send.parent is not None
    assert process.parent.span_id == send.parent.span_id == request.get_span_context().span_id
    assert _ids(answer["traceparent"]) == (trace_id, trace.format_span_id(process.context.span_id))
    assert process.attributes is not None
    assert process.attributes["messaging.kafka.message.key"] == row["subject"]


async def test_a_trace_nobody_records_is_passed_on_as_it_is(
    kernel_database: Database, exporter: InMemorySpanExporter
) -> None:
    unrecorded = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
    key, headers, value = encode(
        Envelope(
            id=case(),
            source="/s",
            type=StepTaken.type,
            subject="k",
            time=units(kernel_database).clock.now(),
            sequence=1,
            traceparent=unrecorded,
            data=StepTaken(case_id=case(), step=1).model_dump_json().encode(),
        )
    )
    processor = Processor(
        "t", units(kernel_database), [on(StepTaken, each(follow))], metrics=metrics()
    )
    await processor.handle_batch([raw_record(key, headers, value, 0, StepTaken.topic)])
    assert (await _last_row(kernel_database))["traceparent"] == unrecorded
    assert exporter.get_finished_spans() == ()

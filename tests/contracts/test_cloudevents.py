"""Our records and those of the CloudEvents SDK are the same, whichever of the two writes them."""

from datetime import datetime

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from shared.contracts.base import Event
from shared.contracts.catalog import EVENTS
from shared.messaging.envelope import decode, encode
from tests.contracts.golden_files import envelope_of
from tests.contracts.samples import SAMPLES

every_event = pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)


def as_cloud_event(sample: Event) -> CloudEvent:
    """``sample`` as a program written with the SDK would build it."""
    envelope = envelope_of(sample)
    attributes = {
        "specversion": "1.0",
        "id": str(envelope.id),
        "source": envelope.source,
        "type": envelope.type,
        "subject": envelope.subject,
        "time": envelope.time,
        "sequence": str(envelope.sequence),
        "datacontenttype": "application/json",
    }
    return CloudEvent(attributes, sample.model_dump(mode="json"))


@every_event
def test_the_sdk_reads_what_we_write(event: type[Event]) -> None:
    sample = SAMPLES[event.type]
    key, headers, value = encode(envelope_of(sample))
    read = from_binary(KafkaMessage(dict(headers), key, value), JSONFormat())
    expected = as_cloud_event(sample)
    attributes = {**expected.get_attributes(), "partitionkey": sample.subject}
    assert read.get_attributes() == attributes
    assert isinstance(read.get_time(), datetime)
    assert read.get_data() == expected.get_data()


@every_event
def test_we_read_what_the_sdk_writes(event: type[Event]) -> None:
    sample = SAMPLES[event.type]
    written = to_binary(as_cloud_event(sample), JSONFormat(), lambda e: e.get_subject())
    assert isinstance(written.value, bytes)
    message = decode(
        event, written.headers.items(), written.value, topic="t", partition=0, offset=0
    )
    envelope = envelope_of(sample)
    assert message.data == sample
    assert (message.id, message.source, message.time, message.sequence) == (
        envelope.id,
        envelope.source,
        envelope.time,
        envelope.sequence,
    )


@every_event
def test_both_write_the_same_headers_and_key(event: type[Event]) -> None:
    sample = SAMPLES[event.type]
    key, headers, _ = encode(envelope_of(sample))
    written = to_binary(as_cloud_event(sample), JSONFormat(), lambda e: e.get_subject())
    assert written.headers == {k: v for k, v in headers if k != "traceparent"}
    assert written.key == key.decode()

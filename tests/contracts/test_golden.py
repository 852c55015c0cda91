"""Every event keeps its form on the wire: the golden files are the promise to readers."""

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from shared.contracts.base import Event
from shared.contracts.catalog import EVENTS
from shared.contracts.clock import ClockAdvanced
from shared.messaging.envelope import Headers, Message, decode, encode
from tests.contracts.golden_files import FOLDER, envelope_of, path_of, record_of
from tests.contracts.samples import SAMPLES

every_event = pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)


def golden(event: type[Event]) -> dict[str, Any]:
    """The golden record of ``event``."""
    record: dict[str, Any] = json.loads(path_of(event.type).read_text(encoding="utf-8"))
    return record


def read(event: type[Event], record: dict[str, Any]) -> Message[Event]:
    """``record`` as a consumer reads it."""
    headers: Headers = [(name, text.encode()) for name, text in record["headers"].items()]
    value = json.dumps(record["value"]).encode()
    return decode(event, headers, value, topic=record["topic"], partition=3, offset=41)


def test_every_event_has_one_sample_and_one_golden_file() -> None:
    names = {event.type for event in EVENTS}
    assert SAMPLES.keys() == names
    assert {path.stem for path in FOLDER.glob("*.json")} == names


@every_event
def test_a_sample_is_written_exactly_as_its_golden_file(event: type[Event]) -> None:
    sample = SAMPLES[event.type]
    record = golden(event)
    assert record_of(sample) == record
    _, headers, value = encode(envelope_of(sample))
    assert [name for name, _ in headers] == list(record["headers"])
    compact = json.dumps(record["value"], ensure_ascii=False, separators=(",", ":"))
    assert value.decode() == compact


@every_event
def test_a_golden_file_is_read_as_its_sample(event: type[Event]) -> None:
    envelope = envelope_of(SAMPLES[event.type])
    assert read(event, golden(event)) == Message(
        id=envelope.id,
        type=event.type,
        source=envelope.source,
        subject=SAMPLES[event.type].subject,
        time=envelope.time,
        sequence=7,
        traceparent=envelope.traceparent,
        data=SAMPLES[event.type],
        topic=golden(event)["topic"],
        partition=3,
        offset=41,
    )


@every_event
def test_a_reader_ignores_what_a_later_release_adds(event: type[Event]) -> None:
    record = golden(event)
    record["headers"]["ce_later"] = "unknown"
    record["value"] = with_more(record["value"])
    assert read(event, record).data == SAMPLES[event.type]


def with_more(value: Any) -> Any:
    """``value`` with an unknown field in each of its objects."""
    if isinstance(value, dict):
        return {**{key: with_more(part) for key, part in value.items()}, "added_later": {"a": [1]}}
    return [with_more(part) for part in value] if isinstance(value, list) else value


@every_event
def test_an_event_is_frozen_and_equal_by_content(event: type[Event]) -> None:
    sample = SAMPLES[event.type]
    assert hash(sample) == hash(sample.model_copy(deep=True))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(sample, next(iter(event.model_fields)), None)


def test_a_time_without_an_offset_is_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        ClockAdvanced(now=datetime(2025, 7, 14, 10, 0))  # noqa: DTZ001 - the case under test


def test_a_time_is_kept_in_utc_whatever_offset_it_came_with() -> None:
    japan = datetime(2025, 7, 14, 10, 0, tzinfo=timezone(timedelta(hours=9)))
    assert ClockAdvanced(now=japan).model_dump_json() == '{"now":"2025-07-14T01:00:00Z"}'

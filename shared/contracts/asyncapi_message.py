"""One event as an AsyncAPI message: its CloudEvents headers, its Kafka key and its body."""

from typing import Any

from shared.contracts.base import CaseEvent, Event

Document = dict[str, Any]
MESSAGE_BINDING = "0.5.0"

CLOUD_EVENT: Document = {
    "type": "object",
    "description": "CloudEvents 1.0, Kafka binary binding: each attribute is a record header.",
    "required": [
        "ce_specversion",
        "ce_id",
        "ce_source",
        "ce_type",
        "ce_subject",
        "ce_time",
        "ce_sequence",
        "content-type",
    ],
    "properties": {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_id": {
            "type": "string",
            "format": "uuid",
            "description": "Identity of the event; the same event may come twice.",
        },
        "ce_source": {
            "type": "string",
            "pattern": "^/[0-9]{6}/[a-z]+$",
            "description": "City code and service.",
        },
        "ce_type": {"type": "string", "description": "Dotted, past tense, versioned."},
        "ce_subject": {"type": "string", "description": "What it is about; the record's key."},
        "ce_time": {"type": "string", "format": "date-time", "description": "Business time."},
        "ce_sequence": {
            "type": "string",
            "pattern": "^[1-9][0-9]*$",
            "description": "Counts the events of a source about a subject, from 1.",
        },
        "content-type": {"type": "string", "const": "application/json"},
        "traceparent": {
            "type": "string",
            "pattern": "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
            "description": "W3C trace context of the unit that published it.",
        },
    },
}


def message(event: type[Event], example: Document | None = None) -> Document:
    """The message of ``event``; ``example`` is a record with ``headers`` and ``value``."""
    told: Document = {
        "name": event.type,
        "title": event.__name__,
        "summary": (event.__doc__ or "").strip(),
        "contentType": "application/json",
        "headers": _headers(event),
        "payload": {"$ref": f"#/components/schemas/{event.type}"},
        "bindings": {"kafka": {"key": _key(event), "bindingVersion": MESSAGE_BINDING}},
    }
    if example is not None:
        told["examples"] = [{"headers": example["headers"], "payload": example["value"]}]
    return told


def _headers(event: type[Event]) -> Document:
    return {
        "type": "object",
        "allOf": [
            {"$ref": "#/components/schemas/CloudEvent"},
            {"type": "object", "properties": {"ce_type": {"const": event.type}}},
        ],
    }


def _key(event: type[Event]) -> Document:
    if issubclass(event, CaseEvent):
        return {"type": "string", "format": "uuid", "description": "case_id"}
    if event.topic == "site.events":
        return {"type": "string", "description": "site_id"}
    return {"type": "string", "description": "One key: all of them keep one order."}

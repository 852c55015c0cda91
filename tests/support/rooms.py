"""The four rooms as their composition roots describe them, and histories for them to hear."""

import base64
import hashlib
import random
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from aiokafka.structs import ConsumerRecord

from shared.contracts.base import Event
from shared.contracts.catalog import topics_of
from shared.ids import CaseId, derived_id
from shared.messaging.envelope import Envelope, encode
from shared.room import Room
from tests.contracts import samples
from tests.support.messaging import NOON, raw_record

NAMES = ("preparation", "reservation", "issuance", "reporting")
_OWN_IDS = ("booking_id", "visit_id", "party_id")
_OWN_HASHES = ("number_key", "login_key")


def room(name: str) -> Room:
    """A room by its name."""
    found: Room = import_module(f"services.{name}.bootstrap").ROOM
    return found


def history(cases: int, seed: int = 1) -> list[ConsumerRecord]:
    """What ``cases`` cases and two sites went through: every type of event is in it.

    Each case takes its own cut of the whole life, so that predecessors are missing too.
    """
    choose = random.Random(seed)
    streams = [list(_life(number, choose)) for number in range(cases)]
    streams.append([event for event in samples.SAMPLES.values() if _is_about_a_site(event)])
    records: list[ConsumerRecord] = []
    while any(streams):
        stream = choose.choice([waiting for waiting in streams if waiting])
        records.append(_record(stream.pop(0), len(records)))
    return records


def _life(number: int, choose: random.Random) -> Iterator[Event]:
    case_id = CaseId(derived_id("history", number))
    for event in samples.SAMPLES.values():
        if _is_about_a_site(event) or (number and choose.random() < 0.3):
            continue
        own: dict[str, Any] = {
            name: derived_id(case_id, name) for name in _OWN_IDS if hasattr(event, name)
        }
        own |= {name: _hash(case_id, name) for name in _OWN_HASHES if hasattr(event, name)}
        yield event.model_copy(update={"case_id": case_id, **own})


def _hash(case_id: CaseId, name: str) -> str:
    """As a keyed hash is told; no two cases share a number."""
    digest = hashlib.sha256(f"{case_id}:{name}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _is_about_a_site(event: Event) -> bool:
    return not hasattr(event, "case_id")


def _record(event: Event, offset: int) -> ConsumerRecord:
    topic: str = sorted(topics_of(type(event)))[0]
    key, headers, value = encode(
        Envelope(
            id=derived_id("event", offset),
            source="/141305/history",
            type=event.type,
            subject=event.subject,
            time=NOON,
            sequence=offset + 1,
            traceparent=None,
            data=event.model_dump_json().encode(),
        )
    )
    return raw_record(key, headers, value, offset, topic)


def chunks(records: Sequence[ConsumerRecord], size: int) -> Iterator[Sequence[ConsumerRecord]]:
    """``records`` in polls of ``size``."""
    for first in range(0, len(records), size):
        yield records[first : first + size]

"""The catalogue is what the architecture names, and no event can carry personal data."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from shared.contracts import clock, issuance, preparation, reporting, reservation, site
from shared.contracts.base import CaseOpened, Event
from shared.contracts.catalog import BY_TYPE, EVENTS, by_topic, named, topics_of
from shared.contracts.schemas import schema_of

NAMED_BY_THE_ARCHITECTURE = {
    "preparation.events": "case.opened, card.applied, card.shipped, card.received, "
    "card.inspected, card.rejected, card.registry_checked, card.held, card.released, card.voided, "
    "card.preset, card.shelved, card.notified, card.notice_returned, card.dispatched, "
    "card.arrived, card.transfer_failed, card.disposal_due, card.disposed",
    "reservation.events": "case.opened, booking.confirmed, booking.moved, booking.cancelled, "
    "booking.missed, booking.fulfilled, waitlist.offered, contact.erased, availability.searched",
    "site.events": "site.planned, site.opened, site.changed, site.wind_down_started, "
    "site.closed, capacity.published, day.closed, national_system.suspended, "
    "national_system.resumed",
    "issuance.events": "case.opened, visit.checked_in, visit.called, visit.completed, "
    "visit.deferred, visit.abandoned, visit.missed, visit.paused, "
    "card_switch.accepted, card.issued, certificate.renewed, "
    "certificate.failed, pin.reset, service.measured",
    "reporting.events": "forecast.published",
    "clock.events": "clock.advanced",
}
PERSONAL = re.compile(
    r"name|kana|birth|address|street|mail|phone|contact|my_number|individual|password|photo|face"
    r"|image|document_(no|number)|notice_number|(?<![a-z])(age|fax|gender|pin|sex|tel)(?![a-z])"
)
NO_PERSON = {"site.name", "site.name.ja", "site.name.en"}
every_event = pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)


def test_each_topic_carries_exactly_the_events_the_architecture_names() -> None:
    told = {topic: {event.type for event in events} for topic, events in by_topic().items()}
    assert told == {
        topic: {f"{name}.v1" for name in names.split(", ")}
        for topic, names in NAMED_BY_THE_ARCHITECTURE.items()
    }


@pytest.mark.parametrize("module", [clock, issuance, preparation, reporting, reservation, site])
def test_every_event_written_down_is_in_the_catalogue(module: object) -> None:
    written = {
        value.type
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Event) and hasattr(value, "type")
    }
    assert written <= BY_TYPE.keys()


@every_event
def test_class_and_type_say_the_same(event: type[Event]) -> None:
    words = re.findall(r"[a-z]+", event.type.removesuffix(".v1"))
    assert event.__name__ == "".join(word.title() for word in words)
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*\.v[1-9]\d*", event.type)


@every_event
def test_no_field_is_named_like_personal_data(event: type[Event]) -> None:
    suspicious = {path for path in fields(event) if PERSONAL.search(path.rpartition(".")[2])}
    assert suspicious <= NO_PERSON


@pytest.mark.parametrize("field", ["family_name", "birth_date", "email", "my_number", "pin"])
def test_the_guard_sees_personal_data(field: str) -> None:
    assert PERSONAL.search(field)


@every_event
def test_every_field_says_what_it_means(event: type[Event]) -> None:
    schema = schema_of(event)
    for part in (schema, *schema.get("$defs", {}).values()):
        assert part["description"]
        for name, field in part.get("properties", {}).items():
            assert field.get("description"), f"{event.type} {name}"


def test_an_unknown_type_is_refused_with_what_to_do() -> None:
    assert named("case.opened.v1") is CaseOpened
    with pytest.raises(LookupError, match=r"'card\.lost\.v1'.*upgrade"):
        named("card.lost.v1")


def test_a_case_may_be_opened_on_three_topics() -> None:
    assert topics_of(CaseOpened) == ("preparation.events", "reservation.events", "issuance.events")


def fields(event: type[Event]) -> Iterator[str]:
    """The paths of all fields of ``event``, parts included."""
    schema = schema_of(event)

    def walk(node: dict[str, Any], path: str) -> Iterator[str]:
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
        for part in (*node.get("anyOf", ()), *([node["items"]] if "items" in node else [])):
            yield from walk(part, path)
        for name, child in node.get("properties", {}).items():
            below = f"{path}.{name}".lstrip(".")
            yield below
            yield from walk(child, below)

    return walk(schema, "")

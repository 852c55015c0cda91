"""The AsyncAPI document is valid, says what the tables say, and its examples keep its schemas."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from shared.contracts.asyncapi import Installation, RoomTables, document
from shared.contracts.base import CaseOpened
from shared.contracts.catalog import EVENTS, topics_of
from shared.contracts.issuance import CardIssued
from shared.contracts.preparation import CardNotified, CardPreset
from shared.contracts.schemas import all_schemas
from tests.contracts.golden_files import path_of

OWNER = {"site": "reservation", "clock": "simulation"}
GOLDEN = {e.type: json.loads(path_of(e.type).read_text(encoding="utf-8")) for e in EVENTS}


def installation() -> Installation:
    """An installation with every topic and example."""
    topics = {topic for event in EVENTS for topic in topics_of(event)}
    partitions = {topic: 1 if topic == "clock.events" else 12 for topic in topics}
    return Installation("Madoguchi", "0.1.0", "A city's counters", partitions, GOLDEN)


def every_room() -> list[RoomTables]:
    """Tables of the whole house: each event with its publisher; reporting hears all others."""
    places = [(event, topic) for event in EVENTS for topic in topics_of(event)]
    publishes: dict[str, list[tuple[Any, str]]] = {}
    for event, topic in places:
        owner = topic.removesuffix(".events")
        publishes.setdefault(OWNER.get(owner, owner), []).append((event, topic))
    own = tuple(publishes.pop("reporting"))
    rooms = [RoomTables(room, tuple(told), ()) for room, told in publishes.items()]
    heard = tuple(place for place in places if place not in own)
    return [*rooms, RoomTables("reporting", own, heard)]


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    """The document of the whole house."""
    return document(installation(), every_room())


def refs(node: Any) -> Iterator[str]:
    """Every reference in ``node``."""
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == "$ref")
        node = list(node.values())
    for part in node if isinstance(node, list) else ():
        yield from refs(part)


def at(root: dict[str, Any], ref: str) -> Any:
    """What ``ref`` leads to."""
    node: Any = root
    for step in ref.removeprefix("#/").split("/"):
        node = node[step]
    return node


def validator(whole: dict[str, Any], ref: str) -> Draft202012Validator:
    """A validator of the schema that ``ref`` leads to inside ``whole``."""
    registry = Registry[Any]().with_resource("urn:whole", DRAFT202012.create_resource(whole))
    return Draft202012Validator(
        {"$ref": f"urn:whole{ref}"},
        registry=registry,
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


def test_the_document_is_asyncapi_3(whole: dict[str, Any]) -> None:
    # faststream's model asks for a pathname; the specification leaves it out where none is.
    servers = {name: {"pathname": "", **server} for name, server in whole["servers"].items()}
    read = ApplicationSchema.model_validate({**whole, "servers": servers})
    assert read.asyncapi == "3.0.0"
    assert set(read.channels) == {topic for event in EVENTS for topic in topics_of(event)}


def test_every_reference_leads_somewhere(whole: dict[str, Any]) -> None:
    found = set(refs(whole))
    assert len(found) > 100
    for ref in found:
        assert at(whole, ref)


def test_operations_say_what_the_tables_say() -> None:
    issued = (CardIssued, "issuance.events")
    rooms = [
        RoomTables("issuance", (issued,), ((CardNotified, "preparation.events"),)),
        RoomTables(
            "preparation",
            ((CaseOpened, "preparation.events"), (CardNotified, "preparation.events")),
            (issued,),
        ),
    ]
    made = document(installation(), rooms)
    assert {
        name: (told["action"], [ref["$ref"] for ref in told["messages"]])
        for name, told in made["operations"].items()
    } == {
        "issuance.send.issuance.events": (
            "send",
            ["#/channels/issuance.events/messages/card.issued.v1"],
        ),
        "issuance.receive.preparation.events": (
            "receive",
            ["#/channels/preparation.events/messages/card.notified.v1"],
        ),
        "preparation.send.preparation.events": (
            "send",
            [
                "#/channels/preparation.events/messages/card.notified.v1",
                "#/channels/preparation.events/messages/case.opened.v1",
            ],
        ),
        "preparation.receive.issuance.events": (
            "receive",
            ["#/channels/issuance.events/messages/card.issued.v1"],
        ),
    }


def test_topics_have_their_kafka_bindings(whole: dict[str, Any]) -> None:
    bindings = {name: c["bindings"]["kafka"] for name, c in whole["channels"].items()}
    assert bindings["site.events"]["partitions"] == 12
    assert bindings["clock.events"]["partitions"] == 1
    key = whole["components"]["messages"]["card.issued.v1"]["bindings"]["kafka"]["key"]
    assert key == {"type": "string", "format": "uuid", "description": "case_id"}
    group = whole["operations"]["reporting.receive.site.events"]["bindings"]["kafka"]["groupId"]
    assert group == {"type": "string", "enum": ["reporting"]}


@pytest.mark.parametrize("event_type", sorted(GOLDEN))
def test_a_golden_record_keeps_the_documents_schemas(
    whole: dict[str, Any], event_type: str
) -> None:
    told = whole["components"]["messages"][event_type]
    record = GOLDEN[event_type]
    headers = f"#/components/messages/{event_type}/headers"
    validator(whole, headers).validate(record["headers"])
    validator(whole, told["payload"]["$ref"]).validate(record["value"])
    assert told["examples"] == [{"headers": record["headers"], "payload": record["value"]}]
    assert not validator(whole, headers).is_valid({**record["headers"], "ce_type": "other.v1"})
    assert not validator(whole, told["payload"]["$ref"]).is_valid({})


@pytest.mark.parametrize("event_type", sorted(GOLDEN))
def test_a_schema_stands_alone(event_type: str) -> None:
    schema = all_schemas()[event_type]
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(GOLDEN[event_type]["value"])


def test_the_order_of_tables_makes_no_difference(whole: dict[str, Any]) -> None:
    turned = document(installation(), list(reversed(every_room())))
    assert json.dumps(turned) == json.dumps(whole)


def test_two_publishers_of_one_event_are_refused() -> None:
    told = ((CardPreset, "preparation.events"),)
    rooms = [RoomTables("preparation", told, ()), RoomTables("issuance", told, ())]
    with pytest.raises(ValueError, match=r"card\.preset\.v1 .*issuance and by preparation; take"):
        document(installation(), rooms)


def test_an_event_on_a_topic_of_others_is_refused() -> None:
    room = RoomTables("reporting", (), ((CardPreset, "site.events"), (CaseOpened, "site.events")))
    with pytest.raises(
        ValueError, match=r"card\.preset\.v1 .*preparation\.events\.\n.*case\.op.* or "
    ):
        document(installation(), [room])

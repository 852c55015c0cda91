"""A change that only adds passes; any other is found, named and given a remedy."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from shared.contracts.compatibility import breaks
from shared.contracts.schemas import all_schemas

Schema = dict[str, Any]
Change = Callable[[Schema], object]

BASE: Schema = {
    "type": "object",
    "required": ["case_id", "place", "reason", "days"],
    "properties": {
        "case_id": {"type": "string", "format": "uuid", "description": "The case."},
        "place": {"$ref": "#/$defs/Place"},
        "reason": {"$ref": "#/$defs/Reason"},
        "days": {"type": "array", "items": {"type": "integer", "minimum": 0}},
        "review_on": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
    },
    "$defs": {
        "Place": {
            "type": "object",
            "required": ["ward"],
            "properties": {"ward": {"type": "string", "pattern": "^[0-9]{6}$"}},
        },
        "Reason": {"type": "string", "enum": ["lost", "late"]},
    },
}


def compared(change: Change) -> list[str]:
    """What the comparison says of ``change`` made to the base schema."""
    new = copy.deepcopy(BASE)
    change(new)
    return [str(found) for found in breaks({"card.sent.v1": BASE}, {"card.sent.v1": new})]


def props(schema: Schema) -> Schema:
    """The fields of ``schema``."""
    fields: Schema = schema["properties"]
    return fields


def place(schema: Schema) -> Schema:
    """The part of ``schema`` that says where."""
    part: Schema = schema["$defs"]["Place"]
    return part


NEW_PART = {"type": "object", "required": ["x"], "properties": {"x": {"type": "integer"}}}


@pytest.mark.parametrize(
    "change",
    [
        lambda s: None,
        lambda s: props(s).update(note={"type": "string", "default": ""}),
        lambda s: props(s).update(extra={"anyOf": [NEW_PART, {"type": "null"}], "default": None}),
        lambda s: props(s).update(more={"type": "array", "items": NEW_PART, "default": []}),
        lambda s: props(place(s)).update(floor={"type": "integer", "default": 1}),
        lambda s: s["$defs"]["Reason"]["enum"].append("stolen"),
        lambda s: props(s)["case_id"].update(description="Said better."),
        lambda s: (
            s["$defs"].update(Spot=place(s)),
            props(s)["place"].update({"$ref": "#/$defs/Spot"}),
        ),
    ],
    ids=["none", "field", "part", "list", "below", "value", "words", "renamed part"],
)
def test_additions_pass(change: Change) -> None:
    assert compared(change) == []


@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        (lambda s: props(s).pop("review_on"), "review_on", "the field was removed"),
        (lambda s: props(place(s)).pop("ward"), "place.ward", "the field was removed"),
        (
            lambda s: props(s)["case_id"].update(type="integer"),
            "case_id",
            "type changed from string to integer",
        ),
        (
            lambda s: props(s)["review_on"]["anyOf"].pop(),
            "review_on",
            "type changed from null, string to string",
        ),
        (
            lambda s: props(s)["days"]["items"].update(type="number"),
            "days[]",
            "type changed from integer to number",
        ),
        (
            lambda s: (props(s).update(by={"type": "string"}), s["required"].append("by")),
            "by",
            "the new field is required",
        ),
        (
            lambda s: (
                props(place(s)).update(floor={"type": "integer"}),
                place(s)["required"].append("floor"),
            ),
            "place.floor",
            "the new field is required",
        ),
        (lambda s: s["required"].append("review_on"), "review_on", "it became required"),
        (lambda s: s["required"].remove("days"), "days", "no longer required"),
        (lambda s: s["$defs"]["Reason"]["enum"].remove("late"), "reason", "taken away: late"),
        (lambda s: s["$defs"]["Reason"].pop("enum"), "reason", "no longer an enumeration"),
        (lambda s: props(s)["case_id"].update(enum=["a"]), "case_id", "became an enumeration"),
        (lambda s: props(s)["days"]["items"].update(minimum=1), "days[]", "rules changed: minimum"),
        (lambda s: props(s)["days"].update(minItems=1), "days", "rules changed: minItems"),
        (lambda s: props(s)["case_id"].pop("format"), "case_id", "rules changed: format"),
        (lambda s: props(place(s))["ward"].update(pattern="."), "place.ward", "changed: pattern"),
        (lambda s: props(s)["review_on"].update(default=""), "review_on", "changed: default"),
    ],
)
def test_any_other_change_is_found(change: Change, field: str, problem: str) -> None:
    (found,) = compared(change)
    assert found.startswith(f"card.sent.v1 {field}: ")
    assert problem in found
    assert found.count(". ") == 1  # the problem, then what to do about it


def test_a_removed_event_is_found_and_a_new_one_passes() -> None:
    (found,) = breaks({"card.sent.v1": BASE}, {"card.sent.v2": BASE})
    assert str(found).startswith("card.sent.v1: the event was removed. Topics keep their events")


def test_the_contracts_are_compatible_with_themselves() -> None:
    assert breaks(all_schemas(), all_schemas()) == []


@pytest.mark.parametrize("event_type", sorted(all_schemas()))
def test_removing_any_field_of_any_event_is_found(event_type: str) -> None:
    old = all_schemas()[event_type]
    for field in old["properties"]:
        new = copy.deepcopy(old)
        del new["properties"][field]
        assert any(found.field == field for found in breaks({event_type: old}, {event_type: new}))

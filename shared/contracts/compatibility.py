"""Within a version, changes only add: what a reader of the last release relied on stays.

A new value of an enumeration passes, as it adds; deploy its readers before its publisher.
Descriptions may change freely.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.contracts.schemas import Schema

_SHAPE = {"$defs", "$id", "$ref", "$schema", "additionalProperties", "anyOf", "description"}
_SHAPE |= {"enum", "examples", "items", "prefixItems", "properties", "required", "title", "type"}


@dataclass(frozen=True)
class Break:
    """A change that a reader of the last release would not survive; ``field`` is empty for all."""

    event: str
    field: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.event}{' ' + self.field if self.field else ''}: {self.problem} {self.remedy}"


@dataclass(frozen=True)
class Facts:
    """What a reader may rely on about one field."""

    types: tuple[str, ...]
    required: bool
    values: frozenset[str] | None
    rules: tuple[tuple[str, str], ...]


def breaks(old: Mapping[str, Schema], new: Mapping[str, Schema]) -> list[Break]:
    """What ``new`` breaks of ``old``; both are schemas by event type."""
    found: list[Break] = []
    for event in sorted(old):
        if event not in new:
            remedy = "Topics keep their events: bring it back and publish a new version beside it."
            found.append(Break(event, "", "the event was removed.", remedy))
        else:
            found += _event_breaks(event, facts_of(old[event]), facts_of(new[event]))
    return found


def _event_breaks(event: str, old: dict[str, Facts], new: dict[str, Facts]) -> Iterator[Break]:
    for field in sorted(old.keys() - new.keys()):
        yield Break(event, field, "the field was removed.", "Bring it back, or publish a v+1.")
    for field in sorted(new.keys() - old.keys()):
        if new[field].required and _parent(field) in {"", *old}:
            remedy = "Give it a default: events published before do not carry it."
            yield Break(event, field, "the new field is required.", remedy)
    for field in sorted(old.keys() & new.keys()):
        yield from (
            Break(event, field, problem, remedy)
            for problem, remedy in _differences(old[field], new[field])
        )


def _differences(old: Facts, new: Facts) -> Iterator[tuple[str, str]]:
    if old.types != new.types:
        change = f"its type changed from {_list(old.types)} to {_list(new.types)}."
        yield change, "Keep the type and add a field of the new type beside it."
    if new.required and not old.required:
        yield "it became required.", "Keep its default: events published before may lack it."
    if old.required and not new.required:
        yield "it is no longer required.", "Keep it required: readers rely on finding it."
    if old.values is None and new.values is not None:
        yield "it became an enumeration.", "Keep it open, or add a field beside it."
    elif old.values is not None and new.values is None:
        yield "it is no longer an enumeration.", "Keep it closed, or add a field beside it."
    elif gone := (old.values or frozenset()) - (new.values or frozenset()):
        yield f"values were taken away: {_list(sorted(gone))}.", "Bring them back."
    if old.rules != new.rules:
        changed = sorted({name for name, _ in {*old.rules} ^ {*new.rules}})
        yield f"its rules changed: {_list(changed)}.", "Keep them, or add a field beside it."


def facts_of(schema: Schema) -> dict[str, Facts]:
    """Facts by field path, as in ``site.hours[].weekday``."""
    return dict(_walk(schema, schema.get("$defs", {}), "", required=True))


def _walk(
    node: Schema, defs: Mapping[str, Schema], path: str, *, required: bool
) -> Iterator[tuple[str, Facts]]:
    options = _options(node, defs)
    if path:
        yield path, _facts(node, options, required)
    for option in options:
        needed = option.get("required", [])
        for name, child in option.get("properties", {}).items():
            yield from _walk(child, defs, f"{path}.{name}".lstrip("."), required=name in needed)
        if "items" in option:
            yield from _walk(option["items"], defs, f"{path}[]", required=True)


def _options(node: Schema, defs: Mapping[str, Schema]) -> list[Schema]:
    if "$ref" in node:
        return _options(defs[node["$ref"].rsplit("/", 1)[-1]], defs)
    if "anyOf" in node:
        return [option for part in node["anyOf"] for option in _options(part, defs)]
    return [node]


def _facts(node: Schema, options: list[Schema], required: bool) -> Facts:
    enums = [option["enum"] for option in options if "enum" in option]
    parts: list[dict[str, Any]] = [node, *options]
    rules = {(k, repr(v)) for part in parts for k, v in part.items() if k not in _SHAPE}
    return Facts(
        types=tuple(sorted({str(option.get("type", "any")) for option in options})),
        required=required,
        values=frozenset(str(value) for enum in enums for value in enum) if enums else None,
        rules=tuple(sorted(rules)),
    )


def _parent(field: str) -> str:
    if field.endswith("[]"):
        return field.removesuffix("[]")
    return field.rpartition(".")[0]


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)

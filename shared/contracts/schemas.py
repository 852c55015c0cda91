"""The JSON Schema of each event: what a reader accepts, one self-contained document per type.

These documents are checked in, and a release is compared with the one before through them.
"""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from shared.contracts.base import Event
from shared.contracts.catalog import EVENTS

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Plain(GenerateJsonSchema):
    """Leaves out the titles pydantic makes from field names: they say nothing new."""

    def field_title_should_be_set(
        self, schema: core_schema.CoreSchema | core_schema.ModelField | Any
    ) -> bool:
        return False


def schema_of(event: type[Event]) -> Schema:
    """The schema of the body of ``event``, with its parts under ``$defs``."""
    body = event.model_json_schema(schema_generator=_Plain)
    return {"$schema": DIALECT, "$id": f"urn:madoguchi:event:{event.type}", **body}


def all_schemas(events: tuple[type[Event], ...] = EVENTS) -> dict[str, Schema]:
    """The schemas of ``events`` by type."""
    return {event.type: schema_of(event) for event in events}

"""The OpenAPI document of a room: who may call each route, and that every error is a problem."""

from typing import Any

from fastapi import FastAPI

from shared.http.problems import MEDIA_TYPE, ProblemDocument
from shared.security.access import Access, AccessTable, SiteRule
from shared.security.principal import Role

PROBLEM_RESPONSE: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem document (RFC 9457) in the language of Accept-Language.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
    }
}

_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "Staff and systems: a token of the identity provider. Citizens: a short token "
    "issued after login with the notice number.",
}

_SITES = {
    SiteRule.NONE: "",
    SiteRule.ANY: "",
    SiteRule.PATH: "; staff at the site in the path",
    SiteRule.QUERY: "; staff at the site in the query",
    SiteRule.BODY: "; staff at the site in the body",
    SiteRule.RESOURCE: "; staff at the site concerned, citizens their own cases",
}


class RoomApi(FastAPI):
    """A FastAPI app whose document carries its access table."""

    access: AccessTable

    def openapi(self) -> dict[str, Any]:
        """The document, made at the first call."""
        if self.openapi_schema is None:
            schema = super().openapi()
            _add_components(schema)
            for path, operations in schema.get("paths", {}).items():
                for method, operation in operations.items():
                    _add_access(operation, self.access[(method.upper(), path)])
            self.openapi_schema = schema
        return self.openapi_schema


def _add_components(schema: dict[str, Any]) -> None:
    components = schema.setdefault("components", {})
    components.setdefault("securitySchemes", {})["bearer"] = _BEARER
    model = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas = components.setdefault("schemas", {})
    schemas.update(model.pop("$defs", {}))
    schemas["ProblemDocument"] = model


def _add_access(operation: dict[str, Any], access: Access) -> None:
    roles = ", ".join(f"`{role}`" for role in sorted(access.roles))
    text = f"**Open to:** {roles}{_SITES[access.site]}."
    operation["description"] = "\n\n".join(filter(None, [operation.get("description"), text]))
    bearer: dict[str, list[str]] = {"bearer": []}
    operation["security"] = [{}, bearer] if Role.PUBLIC in access.roles else [bearer]

"""Which entry of the access table belongs to a request: settled once, when the app is built."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.requests import Request
from starlette.types import Scope

from shared.errors import NotFound
from shared.security.access import Access, AccessTable


@dataclass(frozen=True, slots=True)
class Entry:
    """A served route: its whole template and who may call it."""

    path: str
    access: Access


class RouteTable:
    """Looks up by the route object that the framework chose, never by matching paths again."""

    def __init__(self, entries: Mapping[tuple[int, str], Entry]) -> None:
        self._entries = entries

    @classmethod
    def of(cls, app: FastAPI, access: AccessTable) -> "RouteTable":
        """The table of an app that ``verify_table`` has accepted.

        Raises ``ValueError`` where one router is included twice: its routes would be ambiguous.
        """
        entries: dict[tuple[int, str], Entry] = {}
        for context in iter_route_contexts(app.routes):
            for method in context.methods or ():
                rule = access.get((method, context.path or ""))
                key = (id(context.original_route), method)
                if rule is None:
                    continue
                if key in entries:
                    raise ValueError(f"{method} {context.path} comes from a router included twice")
                entries[key] = Entry(context.path or "", rule)
        return cls(entries)

    def entry(self, scope: Scope) -> Entry:
        """The entry of the route that serves ``scope``; without one, nothing is served."""
        entry = self._find(scope)
        if entry is None:
            raise NotFound
        return entry

    def name(self, scope: Scope) -> str | None:
        """The template of the route that served ``scope``, for metrics and spans."""
        entry = self._find(scope)
        return entry.path if entry else None

    def _find(self, scope: Scope) -> Entry | None:
        return self._entries.get((id(scope.get("route")), scope["method"]))


def route_table_of(request: Request) -> RouteTable:
    """The table of the app that serves ``request``."""
    table: RouteTable = request.app.state.route_table
    return table

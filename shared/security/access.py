"""Authorization is a table, one entry per route: what is not in the table is not served, and what
is in the table but not served stops the start. ``check`` is the only place that reads an entry.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import Mount, WebSocketRoute

from shared.errors import Forbidden, Text, Unauthorized
from shared.ids import SiteId
from shared.security.principal import EVERY_SITE, STAFF_ROLES, Principal, Role


class SiteRule(StrEnum):
    """Where a request names the site that a staff role must be bound to."""

    NONE = "none"
    """Of no matter to people; a program must be of every site."""
    ANY = "any"
    """Of no matter, nor to a program of some sites: nothing of any other site is told or changed.
    """
    PATH = "path"
    """The path parameter ``site_id``."""
    QUERY = "query"
    """The query parameter ``site_id``; left out, only staff of every site pass."""
    BODY = "body"
    """The field ``site_id`` of the JSON body; left out, only staff of every site pass."""
    RESOURCE = "resource"
    """The loaded resource: the command itself calls ``principal.require_site``."""


_NAMED = frozenset({SiteRule.PATH, SiteRule.QUERY, SiteRule.BODY})


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call a route. ``public`` among the roles opens it to everybody."""

    roles: frozenset[Role]
    site: SiteRule = SiteRule.NONE


AccessTable = Mapping[tuple[str, str], Access]
"""("POST", "/v1/bookings") -> Access."""


class AccessTableError(Exception):
    """The table and the routes of an app differ; the message names every difference."""


class RoleForbidden(Forbidden):
    """None of the caller's roles is among those a route is open to."""

    def __init__(self, roles: frozenset[Role]) -> None:
        names = ", ".join(sorted(roles))
        super().__init__(
            Text(
                f"Your role does not allow this; it needs one of: {names}.",
                f"この操作に必要な役割がありません（次のいずれかが必要です: {names}）。",
            ),
            extras={"roles": sorted(roles)},
        )


def allow(*roles: Role, site: SiteRule = SiteRule.NONE) -> Access:
    """An entry of the table, as a room writes it."""
    return Access(frozenset(roles), site)


def check(access: Access, principal: Principal, site_id: SiteId | None) -> None:
    """Let the principal pass, or raise ``Unauthorized`` (no token) or ``Forbidden`` (role, site).

    ``site_id`` is what the request names under ``access.site``, None if it names none. A role
    that is not bound to sites (``public``, ``citizen``) passes on the role alone. A program of some
    sites (a satellite) passes only where the entry looks at sites, or says ``ANY``.
    """
    granted = access.roles & (principal.roles | {Role.PUBLIC})
    if not granted:
        raise Unauthorized if principal.is_anonymous else RoleForbidden(access.roles)
    if granted <= STAFF_ROLES and access.site in _NAMED:
        principal.require_site(EVERY_SITE if site_id is None else site_id)
    if granted == {Role.SYSTEM} and access.site is SiteRule.NONE:
        principal.require_site(EVERY_SITE)


def verify_table(
    app: FastAPI, table: AccessTable, *, open_paths: Collection[str] = frozenset()
) -> None:
    """Raise ``AccessTableError`` unless every route has an entry and every entry a route.

    ``open_paths`` are served without an entry: documentation and probes.
    """
    served = {key for key in _served(app) if key[1] not in open_paths}
    problems = [
        *(f"no access entry for the route {_name(key)}" for key in sorted(served - set(table))),
        *(f"access entry without a route: {_name(key)}" for key in sorted(set(table) - served)),
        *(_flaws(table)),
    ]
    if problems:
        raise AccessTableError("; ".join(problems))


def _flaws(table: AccessTable) -> Iterator[str]:
    for key, access in sorted(table.items()):
        if not access.roles:
            yield f"access entry without a role: {_name(key)}"
        if access.site is SiteRule.PATH and "{site_id}" not in key[1]:
            yield f"access entry reads the site from a path that has no {{site_id}}: {_name(key)}"


def _served(app: FastAPI) -> Iterator[tuple[str, str]]:
    # Included routers are resolved lazily: ``app.routes`` alone does not list what they serve.
    for context in iter_route_contexts(app.routes):
        yield from _keys(context)


def _keys(context: RouteContext) -> Iterator[tuple[str, str]]:
    path = context.path or "/"
    route = context.original_route
    if isinstance(route, WebSocketRoute):
        yield ("WEBSOCKET", path)
    elif isinstance(route, Mount):
        yield ("MOUNT", path)
    else:
        methods = context.methods or {"ANY"}
        # Starlette adds HEAD to a GET; it reads the same and needs no entry of its own.
        implied = {"HEAD"} if "GET" in methods else set()
        yield from ((method, path) for method in methods - implied)


def _name(key: tuple[str, str]) -> str:
    return f"{key[0]} {key[1]}"

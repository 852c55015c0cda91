"""One request, authorized: who asks, and the units in which the asked-for work is done.

No route runs before its entry in the access table let the caller pass: ``current_call`` is a
dependency of the whole app, not of single routes.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import pydantic_core
from fastapi import Depends, Header
from starlette.requests import Request
from starlette.responses import Response

from shared.http import idempotency
from shared.http.groups import Answered, Groups
from shared.http.idempotency import Answer, Body, Claim
from shared.http.resources import Resources, resources_of
from shared.http.routes import Entry, route_table_of
from shared.ids import SiteId
from shared.security.access import Access, SiteRule, check
from shared.security.my_number import refuse_my_number
from shared.security.principal import Principal
from shared.telemetry.tracing import current_traceparent
from shared.unit import Unit

R = TypeVar("R")
C = TypeVar("C")
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
_ROWS_FOLLOW = Answer(202, b"")
"""What stands under the key of a request of many rows; the rows have their own answers."""
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


@dataclass(frozen=True, slots=True)
class Call:
    """One authorized request. ``route`` is the template, as in the access table."""

    request: Request
    principal: Principal
    access: Access
    route: str
    resources: Resources

    def unit(self) -> AbstractAsyncContextManager[Unit]:
        """A unit of this caller, in the trace of this request; commits when its block ends."""
        return self.resources.units.begin(self.principal, traceparent=current_traceparent())

    async def once(
        self,
        body: Body,
        command: Callable[[Unit], Awaitable[R]],
        *,
        status: int = 201,
        location: str | None = None,
    ) -> Response:
        """Run ``command`` in a unit, once per Idempotency-Key, and answer with what it returns.

        ``body`` is what makes two requests the same: the request model, or the bytes (or their
        digest) of an upload. What the command returns (a model, mapping or dataclass) becomes the
        JSON body, None an empty one.
        ``location`` is a template over the answer's fields: ``"/v1/bookings/{booking_id}"``.

        Raises ``KeyMissing``, ``InFlight`` (409), ``KeyReused`` (422), and what ``command``
        raises; then nothing is stored.
        """
        found = await self._once(self._claim(body), command, status)
        return self._answered(found.answer, location, replayed=found.replayed)

    async def rows(self, body: Body) -> Claim:
        """Take the key for a request of many rows, before any of them is worked.

        Each row then has its effect under a key of its own, that of the request with its number,
        so a request that was cut off is finished by sending it again.
        Raises ``KeyMissing``, ``InFlight`` (409), and ``KeyReused`` (422) where the key came with
        other rows.
        """
        claim = self._claim(body)
        async with self.unit() as unit:
            if await idempotency.recall(unit.conn, claim) is None:
                unit.last(idempotency.remembered([(claim, _ROWS_FOLLOW)]))
        return claim

    async def row(
        self,
        number: int,
        rows: Claim,
        command: Callable[[Unit], Awaitable[R]],
        *,
        status: int = 200,
    ) -> Answered:
        """``once`` for one row of a request that has many, in a unit of its own.

        ``rows`` is what ``self.rows`` gave. Raises what ``once`` raises.
        """
        return await self._once(rows.row(number), command, status)

    async def row_together(
        self, number: int, rows: Claim, groups: Groups[C], command: C, *, status: int = 201
    ) -> Answered:
        """``row`` for a command of a kind that is grouped."""
        claim = rows.row(number)
        return await groups.answer(command, self.principal, current_traceparent(), claim, status)

    async def _once(
        self, claim: Claim, command: Callable[[Unit], Awaitable[R]], status: int
    ) -> Answered:
        async with self.unit() as unit:
            stored = await idempotency.recall(unit.conn, claim)
            if stored is not None:
                return Answered(stored, replayed=True)
            fresh = Answer(status, _json(await command(unit)))
            unit.last(idempotency.remembered([(claim, fresh)]))
        return Answered(fresh, replayed=False)

    async def together(
        self,
        body: Body,
        groups: Groups[C],
        command: C,
        *,
        status: int = 201,
        location: str | None = None,
    ) -> Response:
        """``once`` for a command of a kind that is grouped: others may share its transaction."""
        claim = self._claim(body)
        found = await groups.answer(command, self.principal, current_traceparent(), claim, status)
        return self._answered(found.answer, location, replayed=found.replayed)

    def _answered(self, answer: Answer, location: str | None, *, replayed: bool) -> Response:
        headers = {"Idempotency-Replayed": "true"} if replayed else {}
        if location is not None:
            root = self.request.scope.get("root_path", "")
            headers["Location"] = root + _filled(location, answer.body)
        media_type = "application/json" if answer.body else None
        return Response(answer.body, answer.status, headers, media_type)

    def _claim(self, body: Body) -> Claim:
        request = self.request
        key = idempotency.checked(request.headers.get(idempotency.HEADER))
        target = f"{request.scope['path']}?{request.scope['query_string'].decode()}"
        return Claim(
            scope=f"{self.resources.room} {request.method} {self.route} {self.principal.subject}",
            key=key,
            request_hash=idempotency.request_hash(request.method, target, body),
        )


async def current_call(request: Request) -> Call:
    """Who calls, checked against the access table.

    Raises ``Unauthorized`` (no token, or a bad one), ``Forbidden`` (role, site) and
    ``MyNumberRefused``; what a file holds is refused by the room that reads it.
    """
    resources, table = resources_of(request), route_table_of(request)
    entry = table.entry(request.scope)
    principal = await resources.authenticate(request.headers.get("authorization"))
    check(entry.access, principal, await _site_of(request, entry.access.site))
    await _refuse_my_numbers(request)
    # Not the call itself: it holds the request, and a request that holds itself is freed late.
    request.state.passed = (principal, entry)
    return Call(request, principal, entry.access, entry.path, resources)


async def call_of(request: Request) -> Call:
    """The call that was authorized before any other dependency of its route was looked at.

    As a dependency it is cheap: what a route names twice the framework works out twice.
    """
    passed: tuple[Principal, Entry] = request.state.passed
    principal, entry = passed
    return Call(request, principal, entry.access, entry.path, resources_of(request))


async def _current_call_once(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias=idempotency.HEADER,
            description=(
                "A UUID of your own for this command; repeat it when you repeat the request. "
                "1 to 255 characters; required."
            ),
        ),
    ] = None,
) -> Call:
    return await call_of(request)


CallDep = Annotated[Call, Depends(call_of)]
"""For routes that read or change: ``call: CallDep``."""

OnceDep = Annotated[Call, Depends(_current_call_once)]
"""For routes that use ``call.once``: documents the Idempotency-Key header too."""


async def _site_of(request: Request, rule: SiteRule) -> SiteId | None:
    match rule:
        case SiteRule.PATH:
            named: Any = request.path_params.get("site_id")
        case SiteRule.QUERY:
            named = request.query_params.get("site_id")
        case SiteRule.BODY:
            named = await _body_site(request)
        case SiteRule.NONE | SiteRule.ANY | SiteRule.RESOURCE:
            named = None
    return SiteId(named) if isinstance(named, str) else None


async def _body_site(request: Request) -> object:
    body = await _body(request)
    return body.get("site_id") if isinstance(body, Mapping) else None


async def _refuse_my_numbers(request: Request) -> None:
    refuse_my_number("", dict(request.path_params))
    if request.scope["query_string"]:
        query = request.query_params
        refuse_my_number("", {name: query.getlist(name) for name in query})
    if request.method not in _BODILESS:
        refuse_my_number("", await _body(request))


async def _body(request: Request) -> object:
    """The body as the framework read it: a form, JSON, or None for anything else."""
    kind = request.headers.get("content-type", "").lower()
    if kind.startswith(_FORMS):
        return await request.form()
    if "json" not in kind:
        return None
    try:
        return await request.json()
    except ValueError:
        return None  # the model will refuse it in better words


def _json(result: object) -> bytes:
    return b"" if result is None else pydantic_core.to_json(result)


def _filled(template: str, body: bytes) -> str:
    return template.format_map(pydantic_core.from_json(body))

"""Around every request: a server span, its time in the metrics, a size limit and a last resort.

Plain ASGI, no task of its own, so context variables and cancellation pass through. Neither spans
nor logs carry the query string or a concrete path: both may hold what must not be kept.
"""

import logging
from collections.abc import Callable
from time import perf_counter

from opentelemetry.trace import Span, Status, StatusCode
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import TooLarge
from shared.http.problems import answer, unexpected
from shared.telemetry.metrics import Metrics
from shared.telemetry.tracing import Kind, span

RouteName = Callable[[Scope], str | None]
"""The template of the route that served a request, None where none did."""

_UNMATCHED = "(none)"
_QUIET = frozenset({"/livez", "/readyz", "/metrics", "/timez"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

logger = logging.getLogger("madoguchi.http")


class Telemetry:
    """A server span per request (OpenTelemetry HTTP conventions), its duration, a log line.

    An event stream lasts as long as its listener likes: it is measured up to its beginning.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, route_name: RouteName) -> None:
        self._app = app
        self._metrics = metrics
        self._route_name = route_name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _QUIET:
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        parent = Headers(scope=scope).get("traceparent")
        started, status = perf_counter(), 500
        begun: float | None = None

        async def observe(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status = message["status"]
                begun = perf_counter() if _is_stream(message) else None
            await send(message)

        attributes = {"http.request.method": method, "url.scheme": scope.get("scheme", "http")}
        with span(method, parent=parent, kind=Kind.SERVER, attributes=attributes) as current:
            try:
                await self._app(scope, receive, observe)
            finally:
                route = self._route_name(scope) or _UNMATCHED
                _describe(current, method, route, status)
                self._measure(method, route, status, (begun or perf_counter()) - started)

    def _measure(self, method: str, route: str, status: int, seconds: float) -> None:
        self._metrics.http_request_seconds.labels(method, route, status).observe(seconds)
        logger.info(
            "%s %s %s",
            method,
            route,
            status,
            extra={"http_status": status, "duration_ms": round(seconds * 1000, 1)},
        )


def _is_stream(message: Message) -> bool:
    kind = Headers(raw=message.get("headers", [])).get("content-type", "")
    return kind.startswith("text/event-stream")


def _describe(current: Span, method: str, route: str, status: int) -> None:
    if not current.is_recording():
        return
    current.update_name(f"{method} {route}")
    current.set_attribute("http.route", route)
    current.set_attribute("http.response.status_code", status)
    if status >= 500:
        current.set_status(Status(StatusCode.ERROR))


class LastResort:
    """Turns what nobody foresaw into a 500 problem, inside the span, so that both share an id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def observe(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, observe)
        except Exception as error:  # the edge: whatever it is, the caller gets a problem
            if started:
                raise
            response = unexpected(error, Headers(scope=scope).get("accept-language"))
            await response(scope, receive, send)


class BodyLimit:
    """Refuses a body of more than ``limit`` bytes, declared or not, as a 413 problem."""

    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if _declared(headers) > self._limit:
            response = answer(TooLarge(), headers.get("accept-language"))
            await response(scope, receive, send)
            return
        read = 0

        async def count() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._limit:
                # The framework passes this kind on from wherever the body is being read.
                raise HTTPException(status_code=TooLarge.status)
            return message

        await self._app(scope, count, send)


def _declared(headers: Headers) -> int:
    length = headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0


class SafeHeaders:
    """Headers that keep a browser from guessing types, framing answers or keeping addresses."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def protect(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("X-Frame-Options", "DENY")
                headers.setdefault("Referrer-Policy", "no-referrer")
            await send(message)

        await self._app(scope, receive, protect if scope["type"] == "http" else send)

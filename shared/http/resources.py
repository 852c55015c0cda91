"""What an app needs from its process; put together by the composition root, shared with tests."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from starlette.requests import Request

from shared.http.ops import Check
from shared.security.principal import Principal
from shared.telemetry.metrics import Metrics
from shared.unit import Units

Authenticate = Callable[[str | None], Awaitable[Principal]]
"""Turns an Authorization header into a principal (none: anonymous), or raises ``Unauthorized``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """The parts behind the routes of one room."""

    room: str
    units: Units
    authenticate: Authenticate
    metrics: Metrics
    checks: Mapping[str, Check] = field(default_factory=dict)
    cors_origins: tuple[str, ...] = ()
    body_limit: int = 16 * 1024 * 1024
    """Bytes of a request body, uploads included."""
    answers_kept: timedelta = timedelta(hours=24)
    """How long an answer is remembered under its Idempotency-Key."""


def resources_of(request: Request) -> Resources:
    """The resources of the app that serves ``request``."""
    resources: Resources = request.app.state.resources
    return resources

"""Every error answer is a problem document (RFC 9457) in the caller's language.

No input value, exception text or stack leaves the house here; the trace id in ``instance`` is the
thread by which an operator finds the rest in the logs.
"""

import json
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from shared.errors import (
    BadRequest,
    Conflict,
    FieldError,
    Forbidden,
    Language,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    Problem,
    ServiceUnavailable,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    Unprocessable,
)
from shared.http.language import negotiate
from shared.http.validation import field_errors
from shared.messaging.failure import is_infrastructure
from shared.telemetry.tracing import current_ids

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = 5
"""Seconds after which a caller may try again when the infrastructure was away."""

_BY_STATUS: Mapping[int, type[Problem]] = {
    kind.status: kind
    for kind in (
        BadRequest,
        Unauthorized,
        Forbidden,
        NotFound,
        MethodNotAllowed,
        NotAcceptable,
        Conflict,
        TooLarge,
        Unprocessable,
        TooManyRequests,
        ServiceUnavailable,
    )
}

logger = logging.getLogger("madoguchi.http")


class ProblemField(BaseModel):
    """One field that cannot be accepted."""

    field: str = Field(description="Path of the field as sent, for example `guests.0.birth_date`.")
    message: str
    remedy: str


class ProblemDocument(BaseModel):
    """RFC 9457 problem document; `type` is stable, the texts follow Accept-Language (ja, en)."""

    type: str = Field(examples=["urn:madoguchi:problem:not-found"])
    title: str
    status: int
    detail: str
    remedy: str = Field(description="What the caller can do.")
    instance: str | None = Field(None, description="Names this occurrence by its trace id.")
    errors: list[ProblemField] | None = None


class InvalidRequest(Unprocessable):
    """Fields of the request do not have the form the API describes."""

    slug = "invalid-request"


def document(problem: Problem, language: Language) -> dict[str, Any]:
    """The problem as the members of its document."""
    ids = current_ids()
    body: dict[str, Any] = {
        **problem.extras,
        "type": f"urn:madoguchi:problem:{problem.slug}",
        "title": problem.title.to(language),
        "status": problem.status,
        "detail": problem.detail.to(language),
        "remedy": problem.remedy.to(language),
    }
    if ids is not None:
        body["instance"] = f"urn:madoguchi:trace:{ids[0]}"
    if problem.errors:
        body["errors"] = [_field(error, language) for error in problem.errors]
    return body


def answer(problem: Problem, accept_language: str | None) -> Response:
    """The HTTP answer that says ``problem``."""
    language = negotiate(accept_language)
    return Response(
        json.dumps(document(problem, language), ensure_ascii=False).encode(),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={
            **problem.headers,
            "Content-Language": language,
            "Vary": "Accept-Language",
            "Cache-Control": "no-store",
        },
    )


async def on_problem(request: Request, error: Exception) -> Response:
    """Answer a ``Problem``."""
    if not isinstance(error, Problem):
        raise error
    return answer(error, request.headers.get("accept-language"))


async def on_invalid(request: Request, error: Exception) -> Response:
    """Answer a request that does not fit its models."""
    if not isinstance(error, RequestValidationError):
        raise error
    problem = InvalidRequest(errors=field_errors(error.errors()))
    return answer(problem, request.headers.get("accept-language"))


async def on_http_error(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: no such route, method, body too large."""
    if not isinstance(error, HTTPException):
        raise error
    response = answer(_of_status(error.status_code), request.headers.get("accept-language"))
    response.headers.update(error.headers or {})
    return response


def unexpected(error: Exception, accept_language: str | None) -> Response:
    """Log what nobody foresaw, and answer without a word of it.

    A database or broker that is away is a 503: the same request may succeed in a moment.
    """
    if is_infrastructure(error):
        logger.error("something this room needs is away", exc_info=error)
        return answer(ServiceUnavailable(retry_after=RETRY_AFTER), accept_language)
    logger.error("unexpected error", exc_info=error)
    return answer(Problem(), accept_language)


HANDLERS: Mapping[
    int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]
] = {
    Problem: on_problem,
    RequestValidationError: on_invalid,
    HTTPException: on_http_error,
}


def _of_status(status: int) -> Problem:
    known = _BY_STATUS.get(status)
    if known is not None:
        return known()
    return BadRequest() if status < 500 else Problem()


def _field(error: FieldError, language: Language) -> dict[str, str]:
    return {
        "field": error.field,
        "message": error.message.to(language),
        "remedy": error.remedy.to(language),
    }

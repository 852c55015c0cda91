"""A resource's version as a strong ETag: nobody overwrites what they have not read.

RFC 9110, sections 8.8.3, 13.1.1 and 13.1.2.
"""

import re
from typing import Annotated

from fastapi import Header
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from shared.errors import PreconditionFailed, PreconditionRequired

_TAG = re.compile(r'(?P<weak>W/)?"(?P<opaque>[^"]*)"')

IfMatch = Annotated[
    str | None, Header(alias="If-Match", description="ETag of the version you read; required.")
]
"""For routes that change: ``if_match: IfMatch = None``."""


def etag(version: int) -> str:
    """The strong ETag of ``version``."""
    return f'"{version}"'


def require_match(if_match: str | None, version: int) -> None:
    """Let a change of ``version`` pass only if the caller has read it.

    Raises ``PreconditionRequired`` (428) without a header, ``PreconditionFailed`` (412) where it
    names other versions. A weak tag never matches.
    """
    if if_match is None:
        raise PreconditionRequired
    if if_match.strip() != "*" and str(version) not in _tags(if_match, weak=False):
        raise PreconditionFailed


def is_known(if_none_match: str | None, version: int) -> bool:
    """Whether the caller already has ``version``; weak tags count."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or str(version) in _tags(if_none_match, weak=True)


def tagged(request: Request, body: BaseModel, version: int) -> Response:
    """The answer of a GET: the body with its ETag, or 304 if the caller has this version.

    Private and revalidated each time: what is shown depends on who asks.
    """
    headers = {"ETag": etag(version), "Cache-Control": "private, no-cache"}
    if is_known(request.headers.get("if-none-match"), version):
        return Response(status_code=304, headers=headers)
    return Response(body.model_dump_json().encode(), media_type="application/json", headers=headers)


def _tags(header: str, *, weak: bool) -> set[str]:
    return {tag["opaque"] for tag in _TAG.finditer(header) if weak or not tag["weak"]}

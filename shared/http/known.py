"""Questions open to everybody that were asked before: their words are not looked at twice.

Working out and checking a query costs many times what an answer from memory does. Without
credentials, what the checks of a request say depends on its route and its words alone, so words
that have passed them once are kept with what answers them. Whoever sends credentials goes the whole
way, and so do words that were refused.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

Answering: TypeAlias = Callable[[Request], Awaitable[Response]]
"""Answers one question, whoever asks it; may look at headers of the request, but not for who."""

KEPT = 1024
LONGEST = 500
"""Bytes of a query that is kept: strangers choose their words."""


async def known(request: Request, answering: Answering) -> Response:
    """Answer with ``answering``, now and when the same is asked again at this route.

    Only for what an anonymous caller was allowed to ask.
    """
    request.state.answering = answering
    return await answering(request)


class KnownQuestions(APIRoute):
    """A route without path parameters that reads, and answers with ``known``."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Serves a request: by the words that are known, or the whole way."""
        whole = super().get_route_handler()
        kept: dict[bytes, Answering] = {}

        async def handle(request: Request) -> Response:
            if "authorization" in request.headers:
                return await whole(request)
            words: bytes = request.scope["query_string"]
            if (answering := kept.get(words)) is not None:
                return await answering(request)
            response = await whole(request)
            if len(words) <= LONGEST and hasattr(request.state, "answering"):
                if len(kept) >= KEPT:
                    kept.clear()
                kept[words] = request.state.answering
            return response

        return handle

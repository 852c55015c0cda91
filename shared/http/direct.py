"""Commands asked for so often that the framework's own way to them would cost more than they do.

A request as the API describes it is answered straight: the same access check, the same model, then
the command. Anything else (other media types, what is no JSON, what does not fit the model) goes
the framework's whole way, so every refusal is its own. The document describes the route as it does
any other.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from shared.http.call import Call, current_call

B = TypeVar("B", bound=BaseModel)
_JSON = "application/json"


def straight(model: type[B], answering: Callable[[Call, B], Awaitable[Response]]) -> type[APIRoute]:
    """The class of a route whose body is a ``model`` and which ``answering`` answers.

    ``answering`` does all that the route's own dependencies do, after the access check.
    """

    class Straight(APIRoute):
        """Serves without working out dependencies."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            """Serves a request straight, or the whole way."""
            whole = super().get_route_handler()

            async def handle(request: Request) -> Response:
                if request.headers.get("content-type") != _JSON:
                    return await whole(request)
                try:
                    sent = await request.json()
                except ValueError:
                    return await whole(request)
                call = await current_call(request)
                try:
                    body = model.model_validate(sent)
                except ValueError:
                    return await whole(request)
                return await answering(call, body)

            return handle

    return Straight

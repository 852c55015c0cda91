"""Every test has an app of its own, and most of the time to build one goes into routes that are the
same in each: what FastAPI reckons of a route's function and models. Here it does so once for a run.

Apps stay apart: what is kept knows the route and how it was included, and nothing of an app, so
that ``dependency_overrides`` have no effect.
"""

from dataclasses import replace
from typing import Any, Final

from fastapi import routing

_KEPT: Final = "reckoned_for_tests"


def reckon_once() -> None:
    """From now on. Raises ``AttributeError`` where FastAPI is built another way."""
    reckon = routing._EffectiveRouteContext.from_api_route

    def known(*, original_route: routing.APIRoute, include_context: Any) -> Any:
        if type(original_route) is not routing.APIRoute:
            # One of our own may keep for its app what it has learnt, as ``KnownQuestions`` does.
            return reckon(original_route=original_route, include_context=include_context)
        how = replace(include_context, dependency_overrides_provider=None)
        # With the route, so that those of a router that is built anew go with it.
        kept: list[tuple[Any, Any]] = original_route.__dict__.setdefault(_KEPT, [])
        for included, reckoned in kept:
            if included == how:
                return reckoned
        made = reckon(original_route=original_route, include_context=how)
        kept.append((how, made))
        return made

    routing._EffectiveRouteContext.from_api_route = known  # type: ignore[method-assign]

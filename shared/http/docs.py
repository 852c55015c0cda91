"""Interactive documentation at ``/docs``, with every asset from this machine.

Addresses are relative, so it works behind any prefix.
"""

from importlib.util import find_spec
from pathlib import Path

from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

DOCS_PATHS = frozenset({"/docs", "/docs-assets", "/openapi.json"})


def docs_routes(title: str) -> list[BaseRoute]:
    """``/docs`` and its assets."""

    async def docs(_: Request) -> Response:
        return get_swagger_ui_html(
            openapi_url="openapi.json",
            title=title,
            swagger_js_url="docs-assets/swagger-ui-bundle.js",
            swagger_css_url="docs-assets/swagger-ui.css",
            swagger_favicon_url="docs-assets/favicon-32x32.png",
            # The validator badge would send the document to a public service.
            swagger_ui_parameters={"validatorUrl": None, "tryItOutEnabled": True},
        )

    return [
        Route("/docs", docs, include_in_schema=False),
        Mount("/docs-assets", StaticFiles(directory=_assets()), name="docs-assets"),
    ]


def _assets() -> Path:
    """Where the package ``fastapi-swagger`` keeps Swagger UI; only its files are used."""
    spec = find_spec("fastapi_swagger")
    if spec is None or spec.origin is None:
        raise RuntimeError("install the package fastapi-swagger: it carries the files of /docs")
    return Path(spec.origin).parent / "resources"

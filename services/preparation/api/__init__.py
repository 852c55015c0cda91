"""HTTP → command. ``build`` makes the app of this room from what its process holds open."""

from fastapi import FastAPI

from services.preparation.access import ACCESS
from services.preparation.api import (
    assignments,
    cards,
    disposals,
    ends,
    holds,
    imports,
    lots,
    manifests,
    notices,
    outlook,
    outlook_forecast,
    paces,
    printing,
    registry_changes,
    shelves,
    stages,
    status,
    stock_takes,
    transfers,
    unclaimed,
    worklists,
)
from services.preparation.handlers.expectations import Expectations
from services.preparation.settings import PreparationSettings
from services.preparation.tools import Tools
from shared.http.app import create_app
from shared.room import Resources

_DESCRIPTION = """
From J-LIS lot to notice: lots are imported, cards go through inspection, registry check, preset
and shelf, and a notice invites the citizen. Every step can be taken for one card or for many; a
repeated step does no harm. Texts come in Japanese or English by `Accept-Language`.
"""

# Named steps stand before the step that is a parameter.
_MODULES = (
    lots,
    imports,
    manifests,
    cards,
    holds,
    ends,
    stages,
    assignments,
    registry_changes,
    shelves,
    stock_takes,
    transfers,
    paces,
    unclaimed,
    notices,
    printing,
    disposals,
    outlook,
    outlook_forecast,
    worklists,
    status,
)


def build(resources: Resources) -> FastAPI:
    """The app. Raises ``ValueError`` naming a key ring that is missing or malformed."""
    app = create_app(
        title="Preparation (交付準備)",
        description=_DESCRIPTION,
        routers=[module.router for module in _MODULES],
        access=ACCESS,
        resources=resources,
    )
    app.state.tools = Tools.read(resources.settings, resources.doors, PreparationSettings())
    app.state.expectations = Expectations()
    return app

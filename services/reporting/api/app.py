"""Puts the room's routes, its access table and its page together."""

from fastapi import FastAPI

from services.reporting.access import ACCESS
from services.reporting.api import cases, forecasts, monthly, plan, series, sites, totals
from services.reporting.api.dashboard import dashboard
from shared.calendar import BusinessCalendar
from shared.http.app import create_app
from shared.http.resources import Resources


def build(resources: Resources) -> FastAPI:
    """The app of the reporting room."""
    app = create_app(
        title="Madoguchi reporting",
        description=(
            "What has been done, counted: the plan's monthly table, the four official totals, "
            "and the cases behind each figure. "
            "処理件数の月次集計、公式の4累計、各数値の根拠となる案件を提供します。"
        ),
        routers=[
            monthly.router,
            plan.router,
            totals.router,
            cases.router,
            sites.router,
            series.router,
            forecasts.router,
            dashboard(),
        ],
        access=ACCESS,
        resources=resources,
    )
    app.state.calendar = BusinessCalendar()
    return app

"""Puts the room's routes, its access table and its page together."""

from fastapi import FastAPI

from services.reporting.access import ACCESS
from services.reporting.api import (
    alerts,
    cases,
    equity,
    forecasts,
    habits,
    monthly,
    pickup,
    plan,
    series,
    sites,
    totals,
    wards,
    ways,
)
from services.reporting.api.board.board import Board
from services.reporting.api.board.live import Live
from services.reporting.api.board.pages import DOOR, Templates, making_ready, pages
from services.reporting.api.dashboard import dashboard
from services.reporting.gateways.processes import Processes
from services.reporting.settings import ReportingSettings
from shared.calendar import BusinessCalendar
from shared.http.app import create_app
from shared.http.page_session import PageSession
from shared.http.resources import Resources


def build(resources: Resources) -> FastAPI:
    """The app of the reporting room."""
    settings, calendar = ReportingSettings(), BusinessCalendar()
    templates = Templates.load()
    board = Board(resources.units, calendar, Processes(settings.metrics_urls))
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
            ways.router,
            pickup.router,
            habits.router,
            equity.router,
            alerts.router,
            wards.router,
            dashboard(),
            pages(board, Live(settings.dashboard_listeners), templates),
        ],
        access=ACCESS,
        resources=resources,
        lifespan=making_ready(templates),
    )
    app.add_middleware(PageSession, door=DOOR)
    app.state.calendar, app.state.settings = calendar, settings
    return app

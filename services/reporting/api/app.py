"""Puts the room's routes, its access table and its page together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.reporting.access import ACCESS
from services.reporting.api import (
    alert_history,
    alerts,
    behind,
    cases,
    charts,
    committee,
    equity,
    forecasts,
    habits,
    monthly,
    pickup,
    plan,
    searches,
    series,
    sites,
    stages,
    totals,
    wards,
    ways,
)
from services.reporting.api.board.board import Board
from services.reporting.api.board.entrance import DOOR
from services.reporting.api.board.live import Live
from services.reporting.api.board.pages import Templates, making_ready, pages
from services.reporting.api.dashboard import dashboard
from services.reporting.api.open_data import open_data
from services.reporting.gateways.drawing import Drawing
from services.reporting.gateways.processes import Processes
from services.reporting.settings import ReportingSettings
from shared.calendar import BusinessCalendar
from shared.http.app import Lifespan, create_app
from shared.http.page_session import SHOWN, PageSession, refusals
from shared.http.page_sign_in import PageSignIn, Provider
from shared.http.resources import Resources
from shared.settings import KernelSettings


def build(resources: Resources) -> FastAPI:
    """The app of the reporting room."""
    settings, calendar = ReportingSettings(), BusinessCalendar()
    templates, drawing = Templates.load(), Drawing()
    provider = Provider.of(settings, KernelSettings())
    entrance = PageSignIn(DOOR, templates.look, provider)
    board = Board(
        resources.units, calendar, Processes(settings.metrics_urls), band=settings.forecast_band
    )
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
            behind.router,
            sites.router,
            series.router,
            forecasts.router,
            ways.router,
            stages.router,
            pickup.router,
            habits.router,
            searches.router,
            equity.router,
            alerts.router,
            alert_history.router,
            charts.router,
            committee.committee(),
            open_data(KernelSettings().city_code),
            wards.router,
            dashboard(),
            pages(board, Live(settings.dashboard_listeners), templates, entrance),
        ],
        access=ACCESS,
        resources=resources,
        lifespan=_serving(making_ready(templates), drawing, provider),
    )
    app.add_middleware(PageSession, door=DOOR)
    for shown in SHOWN:
        app.add_exception_handler(shown, refusals(DOOR, templates.look.refused))
    app.state.calendar, app.state.settings = calendar, settings
    app.state.drawing = drawing
    return app


def _serving(ready: Lifespan, drawing: Drawing, provider: Provider | None) -> Lifespan:
    @asynccontextmanager
    async def serving(app: FastAPI) -> AsyncIterator[None]:
        async with ready(app):
            try:
                yield
            finally:
                drawing.close()
                if provider is not None:
                    await provider.http.aclose()

    return serving

"""GET /v1/alerts: what asks for a decision now."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.api import documents
from services.reporting.api.filters import SiteFilter, today
from services.reporting.api.lists import columns, version_of
from services.reporting.domain.alerts import TITLES, Alert, AlertKind, Figure
from services.reporting.handlers import alerts
from services.reporting.handlers.alerts import Watch
from services.reporting.settings import ReportingSettings
from shared.calendar import TOKYO
from shared.errors import Language
from shared.http.call import CallDep
from shared.http.etag import tagged
from shared.http.paging import Page, PageDep
from shared.http.tables import Table, TableDep
from shared.ids import SiteId

router = APIRouter(prefix="/v1/alerts", tags=["alerts"])

_TITLES = (
    ("kind", "Kind", "種別"),
    ("title", "What is wrong", "内容"),
    ("subject", "Where", "対象"),
    ("since", "Since", "発生時点"),
    ("figures", "Figures", "数値"),
)


class AlertLine(BaseModel):
    """Something that asks for somebody, as long as its facts are so."""

    kind: AlertKind
    title: str
    subject: str = Field(description="Tells one of its kind from another.")
    site_id: SiteId | None
    since: datetime | None = Field(description="When it began, where the facts tell it.")
    figures: Mapping[str, Figure]


@router.get(
    "",
    summary="What asks for a decision now",
    response_model=Page[AlertLine],
    responses=documents.files(),
)
async def alerts_now(
    *,
    request: Request,
    call: CallDep,
    wanted: TableDep,
    page: PageDep,
    kind: Annotated[AlertKind | None, Query(description="Without it, all.")] = None,
    site_id: SiteFilter = None,
) -> Response:
    """In order of kind and subject. Nothing is kept: who looks later sees what is so then."""
    settings: ReportingSettings = request.app.state.settings
    watch = Watch(today(call.resources.units.clock), settings.forecast_band)
    async with call.unit() as unit:
        found = await alerts.found(unit, watch)
    lines = [
        _line(each, wanted.language)
        for each in found
        if kind in (None, each.kind) and site_id in (None, each.site_id)
    ]
    if wanted.format != "json":
        rows = [(a.kind, a.title, a.subject, a.since, _told(a.figures)) for a in lines]
        return await wanted.answer(Table("alerts", columns(_TITLES), rows))
    after = page.after(tuple[str, str])
    rest = [line for line in lines if after is None or _key(line) > after]
    shown = page.page(rest[: page.fetch], key=_key, item=lambda line: line)
    return tagged(request, shown, version_of(shown))


def _line(found: Alert, language: Language) -> AlertLine:
    return AlertLine(
        kind=found.kind,
        title=TITLES[found.kind].to(language),
        subject=found.subject,
        site_id=found.site_id,
        since=found.since.astimezone(TOKYO) if found.since else None,
        figures=found.figures,
    )


def _told(figures: Mapping[str, Figure]) -> str:
    return "; ".join(f"{name}: {value}" for name, value in figures.items())


def _key(line: AlertLine) -> tuple[str, str]:
    return (line.kind, line.subject)

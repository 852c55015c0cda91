"""GET /v1/alerts: what asks for a decision now."""

from collections.abc import Mapping
from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.api import documents
from services.reporting.api.alert_lines import KindFilter, figures_told, local
from services.reporting.api.filters import SiteFilter, today
from services.reporting.api.lists import columns, version_of
from services.reporting.api.spans import CalendarDep
from services.reporting.domain.alerts import TITLES, Alert, AlertKind, Figure
from services.reporting.handlers import alert_history
from services.reporting.handlers.alerts import Watch
from services.reporting.settings import ReportingSettings
from services.reporting.store.alerts import AlertId, Kept
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
    ("opened_at", "Seen first", "発生"),
    ("acknowledged_by", "Taken note of by", "確認者"),
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
    alert_id: AlertId | None = Field(description="By which it is kept and taken note of.")
    opened_at: datetime | None = Field(description="When it was first seen.")
    acknowledged_at: datetime | None
    acknowledged_by: str | None = Field(description="Account of who took note of it first.")


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
    calendar: CalendarDep,
    kind: KindFilter = None,
    site_id: SiteFilter = None,
) -> Response:
    """In order of kind and subject, from the facts as they are; `/history` has what was so before.

    What is shown here is written down with it, so it has an id and stays in the history.
    """
    settings: ReportingSettings = request.app.state.settings
    watch = Watch(today(call.resources.units.clock), settings.forecast_band, calendar)
    async with call.unit() as unit:
        found, kept = await alert_history.seen(unit, watch)
    lines = [
        _line(each, kept.get((each.kind, each.subject)), wanted.language)
        for each in found
        if kind in (None, each.kind) and site_id in (None, each.site_id)
    ]
    if wanted.format != "json":
        rows = [_row(line) for line in lines]
        return await wanted.answer(Table("alerts", columns(_TITLES), rows))
    after = page.after(tuple[str, str])
    rest = [line for line in lines if after is None or _key(line) > after]
    shown = page.page(rest[: page.fetch], key=_key, item=lambda line: line)
    return tagged(request, shown, version_of(shown))


def _line(found: Alert, kept: Kept | None, language: Language) -> AlertLine:
    return AlertLine(
        kind=found.kind,
        title=TITLES[found.kind].to(language),
        subject=found.subject,
        site_id=found.site_id,
        since=found.since and local(found.since),
        figures=found.figures,
        alert_id=kept and kept.alert_id,
        opened_at=local(kept.opened_at) if kept else None,
        acknowledged_at=local(kept.acknowledged_at) if kept and kept.acknowledged_at else None,
        acknowledged_by=kept and kept.acknowledged_by,
    )


def _row(line: AlertLine) -> list[str | datetime | None]:
    return [
        *(line.kind, line.title, line.subject, line.since, line.opened_at),
        line.acknowledged_by,
        figures_told(line.figures),
    ]


def _key(line: AlertLine) -> tuple[str, str]:
    return (line.kind, line.subject)

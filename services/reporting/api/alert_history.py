"""/v1/alerts/history: which alerts there were, from when to when, and who took note of them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.api import documents
from services.reporting.api.alert_lines import KindFilter, figures_told, local
from services.reporting.api.filters import SiteFilter
from services.reporting.api.lists import columns, version_of
from services.reporting.api.spans import DaysDep
from services.reporting.domain.alerts import TITLES, AlertKind, Figure
from services.reporting.handlers import alert_history
from services.reporting.store import alerts as stored
from services.reporting.store.alerts import AlertId, Kept, Wish
from services.reporting.store.habits import Between
from shared.errors import Language
from shared.http.call import CallDep
from shared.http.etag import tagged
from shared.http.language import negotiate
from shared.http.paging import Page, PageDep
from shared.http.tables import Table, TableDep
from shared.ids import SiteId

router = APIRouter(prefix="/v1/alerts", tags=["alerts"])

MOST_ROWS = 20_000
"""Rows of one file."""
_TITLES = (
    ("alert_id", "Alert", "警告"),
    ("kind", "Kind", "種別"),
    ("title", "What was wrong", "内容"),
    ("subject", "Where", "対象"),
    ("opened_at", "Seen first", "発生"),
    ("closed_at", "Seen no more", "解消"),
    ("acknowledged_at", "Taken note of", "確認"),
    ("acknowledged_by", "By", "確認者"),
    ("figures", "Figures", "数値"),
)


class AlertState(StrEnum):
    """Whether an alert still stands."""

    OPEN = "open"
    CLOSED = "closed"


class KeptLine(BaseModel):
    """An alert, from when it was first seen until it was seen no more."""

    alert_id: AlertId
    kind: AlertKind
    title: str
    subject: str = Field(description="Tells one of its kind from another.")
    site_id: SiteId | None
    figures: dict[str, Figure] = Field(description="As they were seen last.")
    opened_at: datetime
    closed_at: datetime | None = Field(description="None while it stands.")
    acknowledged_at: datetime | None
    acknowledged_by: str | None = Field(description="Account of who took note of it first.")


@router.get(
    "/history",
    summary="Which alerts there were",
    response_model=Page[KeptLine],
    responses=documents.files(),
)
async def history(
    *,
    request: Request,
    call: CallDep,
    wanted: TableDep,
    page: PageDep,
    days: DaysDep,
    kind: KindFilter = None,
    site_id: SiteFilter = None,
    state: Annotated[AlertState | None, Query(description="Without it, both.")] = None,
) -> Response:
    """Those that stood at any time of these days, the newest first. Looked for once a minute, when
    the metrics are read too, and whenever somebody asks for /v1/alerts or the dashboard's Today:
    what began and ended between two looks, and nobody was shown, is not there. An end is told by
    the next look."""
    between = Between.of(days.first, days.last)
    open_ = None if state is None else state is AlertState.OPEN
    wish = Wish(between.begins, between.ended, kind, site_id, open_)
    whole = wanted.format != "json"
    after = None if whole else page.after(tuple[datetime, UUID])
    async with call.unit() as unit:
        found = await stored.history(
            unit.conn, wish, after=after, limit=MOST_ROWS if whole else page.fetch
        )
    if whole:
        rows = [_row(_line(each, wanted.language)) for each in found]
        name = f"alerts-{days.first}-{days.last}"
        return await wanted.answer(Table(name, columns(_TITLES), rows))
    shown = page.page(
        found,
        key=lambda each: (each.opened_at, each.alert_id),
        item=lambda each: _line(each, wanted.language),
    )
    return tagged(request, shown, version_of(shown))


@router.post("/{alert_id}:acknowledge", summary="Say that you have taken note of an alert")
async def acknowledge(alert_id: AlertId, request: Request, call: CallDep) -> KeptLine:
    """Again, or by another, it changes nothing: who was first stays. It does not end the alert,
    which stands as long as its facts do."""
    async with call.unit() as unit:
        kept = await alert_history.acknowledge(unit, alert_id)
    return _line(kept, negotiate(request.headers.get("accept-language")))


def _line(kept: Kept, language: Language) -> KeptLine:
    alert = kept.alert
    return KeptLine(
        alert_id=kept.alert_id,
        kind=alert.kind,
        title=TITLES[alert.kind].to(language),
        subject=alert.subject,
        site_id=alert.site_id,
        figures=dict(alert.figures),
        opened_at=local(kept.opened_at),
        closed_at=kept.closed_at and local(kept.closed_at),
        acknowledged_at=kept.acknowledged_at and local(kept.acknowledged_at),
        acknowledged_by=kept.acknowledged_by,
    )


def _row(line: KeptLine) -> list[str | datetime | None]:
    return [
        *(str(line.alert_id), line.kind, line.title, line.subject, line.opened_at),
        *(line.closed_at, line.acknowledged_at, line.acknowledged_by),
        figures_told(line.figures),
    ]

"""GET /v1/reports/committee: a month as a paper for the committee, in Japanese or English.

One HTML file with its pictures in it and nothing from elsewhere: to be kept, sent and printed.
"""

import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.reporting.api.committee_words import SECTIONS, WORDS, as_of, tiles, titled
from services.reporting.api.equity import (
    NEAR_KM,
    SPREAD_TITLES,
    WARD_TITLES,
    SpreadLine,
    WardLine,
    rounded,
)
from services.reporting.api.filters import today
from services.reporting.api.lists import columns, table
from services.reporting.api.page import PageStyle
from services.reporting.api.plan_tables import plan_table
from services.reporting.api.spans import CalendarDep
from services.reporting.api.tables import totals_table
from services.reporting.api.ways import LEAD_TIME_TITLES, lead_time_line
from services.reporting.domain.accuracy import months_before
from services.reporting.domain.alerts import TITLES
from services.reporting.gateways.drawing import Drawing
from services.reporting.handlers import committee as handlers
from services.reporting.handlers.committee import Month, Question
from shared.calendar import FiscalYear
from shared.errors import BadRequest, FieldError, Language, Text
from shared.http.call import CallDep
from shared.http.etag import etag, is_known
from shared.http.language import negotiate
from shared.http.tables import Cell, Table

_WARD_KEYS = frozenset({"ward", "least_ward", "most_ward"})
MonthParam = Annotated[
    str | None,
    Query(
        pattern=r"^2\d{3}-(0[1-9]|1[0-2])$",
        description="The month; without it, the last that is over.",
        examples=["2026-06"],
    ),
]


class MonthTooEarly(BadRequest):
    """The month lies before the fiscal years that are counted."""

    slug = "month-too-early"
    title = Text("There is no report of this month", "この年月の報告はありません")
    remedy = Text("Ask for April 2019 or later.", "2019年4月以降を指定してください。")

    def __init__(self) -> None:
        message = Text("Is before April 2019.", "2019年4月より前です。")
        super().__init__(errors=(FieldError("month", message, self.remedy),))


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the paper: a table, and a picture (SVG in base64) where there is one."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    picture: str | None = None
    note: str | None = None


def committee() -> APIRouter:
    """The route."""
    router = APIRouter(prefix="/v1/reports", tags=["reports"])
    paper = PageStyle.load("committee", "img-src data:")

    @router.get(
        "/committee", response_class=HTMLResponse, summary="A month as a paper for the committee"
    )
    async def month_paper(
        *,
        request: Request,
        call: CallDep,
        calendar: CalendarDep,
        month: MonthParam = None,
        lang: Annotated[
            Language | None, Query(description="ja or en; without it, Accept-Language decides.")
        ] = None,
    ) -> Response:
        """What was done and expected, what waits, how long it takes, how even it is."""
        language = lang or negotiate(request.headers.get("accept-language"))
        day = today(call.resources.units.clock)
        shown = _month(month, day)
        band = request.app.state.settings.forecast_band
        question = Question(shown, language, calendar, band, NEAR_KM, day)
        async with call.unit() as unit:
            found = await handlers.read(unit, question)
        drawing: Drawing = request.app.state.drawing
        drawn = [await drawing.draw(spec, "svg") for spec in (found.months, found.waiting)]
        months, waiting = (b64encode(svg).decode() for svg in drawn)
        sections = _sections(found, question, months, waiting)
        html = paper.template.render(
            css=paper.css,
            lang=language,
            title=titled(shown, language),
            as_of=as_of(question.days.last, language, running=question.is_running),
            words={key: text.to(language) for key, text in WORDS.items()},
            tiles=tiles(found, shown, language, running=question.is_running),
            sections=sections,
        )
        return _answer(request, html, paper, language)

    return router


def _month(month: str | None, present: date) -> date:
    """The first day of the month asked for. Raises ``MonthTooEarly``."""
    if month is None:
        return max(months_before(present.replace(day=1), 1), FiscalYear(1).first)
    asked = date.fromisoformat(f"{month}-01")
    if asked < FiscalYear(1).first:
        raise MonthTooEarly
    return asked


def _sections(found: Month, asked: Question, months: str, waiting: str) -> list[Section]:
    say = asked.language
    lead = [lead_time_line(each, say) for each in found.lead_times]
    wards = [WardLine(**rounded(each)) for each in found.wards]
    spreads = [SpreadLine(**rounded(each)) for each in found.spreads]
    rows = [(TITLES[a.kind].to(say), *map(str, a.figures.values())) for a in found.alerts]
    alerts = Table("alerts", columns(_ALERTS), rows)
    plan = plan_table("plan", found.plan, None, say, asked.today.replace(day=1))
    named = partial(_named, found.names)
    return [
        _section("plan", _without(plan, {"service", "fiscal_year", "basis"}), say, months),
        _section("totals", named(totals_table(asked.days.last, found.totals)), say, waiting),
        _section("lead_times", _without(table("", LEAD_TIME_TITLES, lead), {"span", "ward"}), say),
        _section("wards", named(table("", WARD_TITLES, wards)), say),
        _section("spreads", named(table("", SPREAD_TITLES, spreads)), say),
        _section("alerts", alerts, say),
    ]


_ALERTS = (
    ("title", "What is wrong", "内容"),
    ("version", "Version", "版"),
    ("month", "Month", "年月"),
    ("service", "Procedure", "手続"),
    ("forecast", "Forecast", "予想"),
    ("actual", "Actual", "実績"),
    ("band", "Band", "許容幅"),
)


def _section(key: str, shown: Table, language: Language, picture: str | None = None) -> Section:
    title, note = SECTIONS[key]
    return Section(
        title=title.to(language),
        heads=[column.title.to(language) for column in shown.columns],
        rows=[[_shown(cell) for cell in row] for row in shown.rows],
        picture=picture,
        note=note.to(language) if note else None,
    )


def _without(shown: Table, left_out: set[str]) -> Table:
    kept = [n for n, column in enumerate(shown.columns) if column.key not in left_out]
    rows = [[row[n] for n in kept] for row in shown.rows]
    return Table(shown.name, [shown.columns[n] for n in kept], rows)


def _named(names: Mapping[str, str], shown: Table) -> Table:
    """The table with wards called by their names, where these are known."""
    at = {n for n, column in enumerate(shown.columns) if column.key in _WARD_KEYS}
    rows = [
        [names.get(str(cell), cell) if n in at else cell for n, cell in enumerate(row)]
        for row in shown.rows
    ]
    return Table(shown.name, shown.columns, rows)


def _shown(cell: Cell) -> str:
    match cell:
        case None:
            return "–"
        case int():
            return f"{cell:,}"
        case float():
            return f"{cell:,.2f}"
        case _:
            return str(cell)


def _answer(request: Request, html: str, paper: PageStyle, language: Language) -> Response:
    version = int.from_bytes(hashlib.sha256(html.encode()).digest()[:8])
    headers = {
        "ETag": etag(version),
        "Cache-Control": "private, no-cache",
        "Content-Language": language,
        "Vary": "Accept-Language",
        "Content-Security-Policy": paper.policy,
    }
    if is_known(request.headers.get("if-none-match"), version):
        return Response(status_code=304, headers=headers)
    return HTMLResponse(html, headers=headers)

"""From when can citizens book, who works at which desk, and what would more people bring."""

from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.preparation.api import forecast_tables as tables
from services.preparation.api.drawing import Line, Picture, drawn
from services.preparation.api.outlook_query import CHART, TABLE
from services.preparation.api.parts import LanguageDep, ToolsDep
from services.preparation.domain.desks import Desk, Extra, Period
from services.preparation.handlers import outlook
from services.preparation.handlers.outlook import Start, WhatIf
from services.preparation.tools import Tools
from shared.calendar import business_date
from shared.errors import BadRequest, FieldError, Text
from shared.http.call import Call, CallDep
from shared.http.tables import TableDep

router = APIRouter(prefix="/v1/outlook", tags=["outlook"])

MOST_WEEKS = 52
_FIRST, _LAST = date(2000, 1, 1), date(2999, 12, 31)

Weeks = Annotated[int, Query(ge=1, le=MOST_WEEKS, description="How many weeks, this one first.")]
Day = Annotated[date, Query(ge=_FIRST, le=_LAST)]


class UntilBeforeFrom(BadRequest):
    """They leave before they come."""

    slug = "until-before-from"
    title = Text("They leave before they come", "終了日が開始日より前です")

    def __init__(self) -> None:
        message = Text("until lies before from.", "until が from より前です。")
        remedy = Text("Send a later day, or none.", "from 以降の日を指定するか、省略してください。")
        super().__init__(errors=(FieldError("until", message, remedy),))


class People(BaseModel):
    """How many work at a desk from a day on."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"people": 3}]})

    people: float = Field(ge=0, le=999, description="Halves stand for half days.")


def _extra(
    call: CallDep,
    desk: Annotated[Desk, Query(description="The stage to which they take cards.")],
    people: Annotated[float, Query(ge=-99, le=99, description="How many more (or fewer).")],
    first: Annotated[
        Day | None, Query(alias="from", description="Their first day; default: today.")
    ] = None,
    until: Annotated[Day | None, Query(description="Their last day; default: they stay.")] = None,
) -> Extra:
    start = first or business_date(call.resources.units.clock.now())
    if until is not None and until < start:
        raise UntilBeforeFrom
    return Extra(desk, people, start, until)


ExtraDep = Annotated[Extra, Depends(_extra)]


@router.get("/forecast", response_class=Response, responses=TABLE)
async def forecast(call: CallDep, wanted: TableDep, tools: ToolsDep) -> Response:
    """By ward, from which day the citizens of waiting cards, and of one that arrives now, can book.

    Counted from what waits, who works, what usually arrives, and the free seats published.
    """
    begun = await _start(call, tools, 1)
    return await wanted.answer(tables.wards(outlook.of_wards(begun)))


@router.get("/forecast/weeks", response_class=Response, responses=TABLE)
async def forecast_weeks(
    call: CallDep, wanted: TableDep, tools: ToolsDep, weeks: Weeks = 12
) -> Response:
    """By the week in which cards arrive: the first day that can be booked, and lead times."""
    begun = await _start(call, tools, weeks)
    return await wanted.answer(tables.weeks(outlook.of_weeks(begun, weeks)))


@router.get("/what-if", response_class=Response, responses=TABLE)
async def what_if(
    call: CallDep, wanted: TableDep, tools: ToolsDep, extra: ExtraDep, weeks: Weeks = 12
) -> Response:
    """What more people at a desk from a day on would bring: each week beside things as they are."""
    return await wanted.answer(tables.what_if(await _tried(call, tools, extra, weeks)))


@router.get("/what-if/chart", response_class=Response, responses=CHART)
async def what_if_chart(
    call: CallDep, *, language: LanguageDep, tools: ToolsDep, extra: ExtraDep, weeks: Weeks = 12
) -> Response:
    """The same as a picture: half of each week's cards within so many business days."""
    found = await _tried(call, tools, extra, weeks)
    lines = [
        Line(
            _AS_IS.to(language),
            [(w.week, w.before.lead_time.p50) for w in found if w.before.lead_time],
        ),
        Line(
            _name(extra).to(language),
            [(w.week, w.after.lead_time.p50) for w in found if w.after.lead_time],
        ),
    ]
    return drawn(Picture(_LEAD.to(language), _DAYS.to(language), lines), language)


@router.get("/desks", response_class=Response, responses=TABLE)
async def desks(call: CallDep, wanted: TableDep, tools: ToolsDep) -> Response:
    """Who works at each desk now and from later days on, and what a day's work there is."""
    begun = await _start(call, tools, 1)
    return await wanted.answer(tables.desks(begun.staffed, begun.situation.today, wanted.language))


@router.put("/desks/{desk}/periods/{from_on}", status_code=204, response_class=Response)
async def plan(call: CallDep, desk: Desk, from_on: date, body: People) -> Response:
    """Plan how many people work at a desk from a day on, until its next period."""
    async with call.unit() as unit:
        await outlook.plan(unit, Period(desk, from_on, body.people))
    return Response(status_code=204)


@router.delete("/desks/{desk}/periods/{from_on}", status_code=204, response_class=Response)
async def unplan(call: CallDep, desk: Desk, from_on: date) -> Response:
    """Take back what was planned from that day on."""
    async with call.unit() as unit:
        await outlook.unplan(unit, desk, from_on)
    return Response(status_code=204)


_LEAD: Final = Text("Lead time by week of arrival (half within)", "受領週別の準備期間（中央値）")
_DAYS: Final = Text("business days", "開庁日")
_AS_IS: Final = Text("as things are", "現状")


def _name(extra: Extra) -> Text:
    count = f"{extra.people:+g}"
    return Text(
        f"{count} at {extra.desk.label.en.lower()} from {extra.from_on}",
        f"{extra.desk.label.ja} {count}人（{extra.from_on}から）",
    )


async def _start(call: Call, tools: Tools, weeks: int) -> Start:
    async with call.unit() as unit:
        return await outlook.start(unit, tools.calendar, tools.settings, weeks)


async def _tried(call: Call, tools: Tools, extra: Extra, weeks: int) -> list[WhatIf]:
    return outlook.what_if(await _start(call, tools, weeks), extra, weeks)

"""/v1/reports/bookings and /first-free: how citizens come, and how the first free day moved."""

import asyncio
from dataclasses import asdict
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.api import documents
from services.reporting.api.filters import today
from services.reporting.api.lists import listed
from services.reporting.api.spans import DaysDep
from services.reporting.api.way_models import FirstFreeLine, HabitLine
from services.reporting.domain.first_free import FirstFree
from services.reporting.handlers import first_free
from services.reporting.store import habits
from services.reporting.store.habits import Between, Habits
from shared.errors import BadRequest, FieldError, Text
from shared.http.call import CallDep
from shared.http.paging import Page, PageDep
from shared.http.tables import TableDep

router = APIRouter(prefix="/v1/reports", tags=["reports"])

MOST_EVENINGS = 93
_HABITS = (
    ("part", "Site or ward", "窓口または区"),
    ("procedure", "Procedure", "手続"),
    ("made", "Bookings made", "予約"),
    ("moved", "Moved", "変更"),
    ("moved_by_citizen", "Moved by citizens", "本人による変更"),
    ("cancelled", "Cancelled", "取消"),
    ("cancelled_by_citizen", "Cancelled by citizens", "本人による取消"),
    ("missed", "Missed", "不来庁"),
    ("completed", "Completed", "完了"),
    ("out_of_reservation", "Out of reservation", "予約外"),
    ("change_share", "Moves per booking", "変更率"),
    ("cancel_share", "Cancellations per booking", "取消率"),
    ("out_of_reservation_share", "Share out of reservation", "予約外率"),
)
_FIRST_FREE = (
    ("business_date", "On the evening of", "時点"),
    ("part", "Site or ward", "窓口または区"),
    ("procedure", "Procedure", "手続"),
    ("first_free", "First free day", "最短予約可能日"),
    ("days", "Days to wait", "待ち日数"),
)


class Part(StrEnum):
    """What the figures are told by."""

    SITE = "site"
    WARD = "ward"


PartParam = Annotated[Part, Query(alias="by", description="site, or ward of residence.")]


class TooManyEvenings(BadRequest):
    """More evenings than are reckoned at a time."""

    slug = "too-many-evenings"
    title = Text("Too many days at a time", "一度に指定できる日数を超えています")
    remedy = Text(
        f"Ask for at most {MOST_EVENINGS} days.", f"{MOST_EVENINGS}日以内で指定してください。"
    )

    def __init__(self) -> None:
        message = Text("Is too late for from.", "from からの日数が多すぎます。")
        super().__init__(errors=(FieldError("to", message, self.remedy),))


@router.get(
    "/bookings",
    summary="Bookings made, changed, cancelled and missed; the share served without one",
    response_model=Page[HabitLine],
    responses=documents.files(),
)
async def bookings_report(
    *,
    request: Request,
    call: CallDep,
    wanted: TableDep,
    page: PageDep,
    days: DaysDep,
    part: PartParam = Part.SITE,
) -> Response:
    """Each fact counts on its own day: a booking made in June and cancelled in July is in both."""
    between = Between.of(days.first, days.last)
    async with call.unit() as unit:
        found = await habits.habits(unit.conn, between, by_ward=part is Part.WARD)
    lines = [_habit(each) for each in found]
    return await listed(
        request,
        wanted,
        page,
        sorted(lines, key=_habit_key),
        name=f"bookings-{days.first}-{days.last}",
        titles=_HABITS,
        key=_habit_key,
        kind=tuple[str, str],
    )


@router.get(
    "/first-free",
    summary="How the first bookable day moved, per site or ward",
    response_model=Page[FirstFreeLine],
    responses=documents.files(),
)
async def first_free_report(
    *,
    request: Request,
    call: CallDep,
    wanted: TableDep,
    page: PageDep,
    days: DaysDep,
    part: PartParam = Part.SITE,
) -> Response:
    """As it was on the evening of each day: the first day after it with a free seat by what was
    told first on the next morning (at 0:30, all bookings of the day taken off); where a morning
    told nothing, by what was told last; of today as /sites/first-free says now. A site that told
    nothing for a week has no line.
    """
    if days.last - days.first >= timedelta(days=MOST_EVENINGS):
        raise TooManyEvenings
    async with call.unit() as unit:
        known = await first_free.known(unit.conn, days, today=today(call.resources.units.clock))
    moved = first_free.of_sites if part is Part.SITE else first_free.of_wards
    found = await asyncio.to_thread(moved, known)
    return await listed(
        request,
        wanted,
        page,
        sorted((_first_free(each) for each in found), key=_first_free_key),
        name=f"first-free-{days.first}-{days.last}",
        titles=_FIRST_FREE,
        key=_first_free_key,
        kind=tuple[date, str, str],
    )


def _habit(found: Habits) -> HabitLine:
    return HabitLine(
        **asdict(found) | {"part": found.part or "unknown"},
        change_share=_share(found.moved, found.made),
        cancel_share=_share(found.cancelled, found.made),
        out_of_reservation_share=_share(found.out_of_reservation, found.completed),
    )


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _habit_key(line: HabitLine) -> tuple[str, str]:
    return (line.part, line.procedure)


def _first_free(found: FirstFree) -> FirstFreeLine:
    return FirstFreeLine(
        business_date=found.day,
        part=found.part,
        procedure=found.procedure,
        first_free=found.first_free,
        days=found.days,
    )


def _first_free_key(line: FirstFreeLine) -> tuple[date, str, str]:
    return (line.business_date, line.part, line.procedure)

"""Free seats, for everybody: by site and day, the first date of each site, a map of the days."""

from collections.abc import Collection
from datetime import date, time
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.reservation.api.desk import Desk, DeskDep
from services.reservation.api.free_seats import (
    Availability,
    DayMap,
    FirstDates,
    WriteSites,
    write_days,
    write_first,
)
from services.reservation.domain.availability import Question
from services.reservation.domain.distance import Point
from services.reservation.handlers import availability
from services.reservation.handlers.availability import ANYBODY, Write
from services.reservation.handlers.board import Board
from shared.calendar import business_date
from shared.contracts.base import Procedure, SiteRef, WardRef
from shared.errors import FieldError, Text, Unprocessable
from shared.http.call import Call, CallDep
from shared.http.known import KnownQuestions, known
from shared.ids import CaseId, SiteId

router = APIRouter(prefix="/v1", tags=["availability"], route_class=KnownQuestions)

LONGEST_DAYS = 62
KNOWN = "If-None-Match"


class RangeRefused(Unprocessable):
    """The days asked for are the wrong way round, or too many."""

    slug = "range-refused"
    title = Text("These days cannot be asked for", "この期間は指定できません")

    def __init__(self) -> None:
        message = Text(
            f"Must lie 0 to {LONGEST_DAYS - 1} days after from.",
            f"from から{LONGEST_DAYS - 1}日以内の日付が必要です。",
        )
        remedy = Text("Ask for fewer days at once.", "期間を短くして指定してください。")
        super().__init__(errors=[FieldError("to", message, remedy)])


class NearRefused(Unprocessable):
    """The place asked for is not two numbers on the globe."""

    slug = "near-refused"
    title = Text("This place cannot be asked for", "この地点は指定できません")

    def __init__(self) -> None:
        message = Text(
            "Must be latitude,longitude in degrees.", "緯度,経度（度）の形で指定してください。"
        )
        remedy = Text("Send near=35.53,139.70, for example.", "例: near=35.53,139.70")
        super().__init__(errors=[FieldError("near", message, remedy)])


def _point(value: str) -> Point:
    try:
        latitude, longitude = (float(part) for part in value.split(","))
    except ValueError:
        raise NearRefused from None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise NearRefused
    return Point(latitude, longitude)


class Wanted(BaseModel):
    """What is looked for."""

    # A name misspelt would be an answer to another question.
    model_config = ConfigDict(extra="forbid")

    procedure: Annotated[tuple[Procedure, ...], Field(min_length=1, max_length=2)]
    ward: Annotated[
        tuple[WardRef, ...],
        Field(max_length=20, description="Ward of residence; of several, each has to be served."),
    ] = ()
    first: date = Field(alias="from", description="First day.")
    last: date = Field(alias="to", description="Last day; at most 61 days later.")
    party: int = Field(1, ge=1, le=20, description="Cases that come together.")
    site_id: Annotated[
        tuple[SiteRef, ...], Field(max_length=100, description="Only these sites.")
    ] = ()
    after: time | None = Field(None, description="Visits begin at or after; local time.")
    before: time | None = Field(None, description="Visits are over by then; local time.")
    near: str | None = Field(
        None, max_length=60, description="latitude,longitude: nearest sites first."
    )
    within_km: float | None = Field(None, gt=0, le=1000, description="No farther from `near`.")
    case_id: CaseId | None = Field(
        None, description="Only days on which this case may be served; your own, or as staff."
    )
    starts: bool = Field(True, description="Whether to list times, or days alone.")

    def question(self) -> Question:
        """As the handler takes it. Raises ``RangeRefused`` and ``NearRefused``."""
        if not 0 <= (self.last - self.first).days < LONGEST_DAYS:
            raise RangeRefused
        return Question(
            procedures=tuple(dict.fromkeys(self.procedure)),
            wards=tuple(dict.fromkeys(self.ward)),
            first=self.first,
            last=self.last,
            party=self.party,
            site_ids=frozenset(map(SiteId, self.site_id)) or None,
            after=self.after,
            before=self.before,
            near=_point(self.near) if self.near is not None else None,
            within_km=self.within_km,
        )


WantedQuery = Annotated[Wanted, Query()]


async def _board(request: Request) -> Board:
    board: Board = request.app.state.board
    return board


BoardDep = Annotated[Board, Depends(_board)]


@router.get("/availability", summary="Free seats by site and day", response_model=Availability)
async def read_availability(
    *, call: CallDep, desk: DeskDep, board: BoardDep, wanted: WantedQuery
) -> Response:
    """Only sites that accept the wards and a procedure, and only days open for booking.

    One entry for each site and procedure, by id, or nearest first with `near`. From the next
    business day to the horizon. Seats kept for others, suspensions and days closed are left out; a
    seat that you hold yourself still shows. Booking checks again.
    """
    return await _answer(call, desk, board, wanted, WriteSites(wanted.starts))


@router.get(
    "/availability:first", summary="First free date of each site", response_model=FirstDates
)
async def read_first(
    *, call: CallDep, desk: DeskDep, board: BoardDep, wanted: WantedQuery
) -> Response:
    """The first free date of each site, soonest first, and the earliest anywhere.

    Of several on the same day, the nearest comes first where `near` is given.
    """
    return await _answer(call, desk, board, wanted, write_first)


@router.get("/availability:days", summary="Free seats by day", response_model=DayMap)
async def read_days(
    *, call: CallDep, desk: DeskDep, board: BoardDep, wanted: WantedQuery
) -> Response:
    """How much is free on each day over all sites asked: what a calendar is coloured by."""
    return await _answer(call, desk, board, wanted, write_days)


async def _answer(call: Call, desk: Desk, board: Board, wanted: Wanted, write: Write) -> Response:
    question = wanted.question()
    if wanted.case_id is None and call.principal.is_anonymous:
        return await known(call.request, partial(_tell, board, question, write))
    async with call.unit() as unit:
        by = await availability.asker(unit, wanted.case_id, desk.rules)
    if by == ANYBODY:
        return await _tell(board, question, write, call.request)
    found = await availability.find(board, question, by)
    await _count(board, question, availability.nothing_for(question, found), call.request)
    return _shown(call.request, *await write(question, found))


async def _tell(board: Board, question: Question, write: Write, request: Request) -> Response:
    told = await availability.tell(board, question, write)
    await _count(board, question, told.nothing_for, request)
    return _shown(request, told.version, told.body)


async def _count(
    board: Board, question: Question, nothing_for: Collection[Procedure], request: Request
) -> None:
    """Who asks whether an answer still holds has been counted when they got it."""
    if KNOWN not in request.headers:
        today, sites = business_date(board.now()), await board.sites()
        board.searches.count(question, nothing_for, today, sites, await board.wards())


def _shown(request: Request, version: str, body: bytes) -> Response:
    headers = {"ETag": f'"{version}"', "Cache-Control": "private, no-cache"}
    if f'"{version}"' in request.headers.get(KNOWN, ""):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")

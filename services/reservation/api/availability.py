"""Free seats, for everybody: by site and day, the first date of each site, a map of the days."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time
from functools import partial
from hashlib import blake2b
from typing import Annotated, Self

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from services.reservation.api.desk import Desk, DeskDep
from services.reservation.api.times import LocalInstant
from services.reservation.domain.availability import Day, Question
from services.reservation.domain.distance import Point
from services.reservation.handlers import availability
from services.reservation.handlers.availability import ANYBODY, AT_A_TIME, Write
from services.reservation.handlers.board import Board, SiteDays
from shared.contracts.base import Procedure, SiteRef, WardRef
from shared.contracts.place import SiteName
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


class StartView(BaseModel):
    """A time at which a visit may begin."""

    starts_at: LocalInstant
    free: int = Field(description="How many cases could begin then.")


class DayView(BaseModel):
    """One day on which something is free."""

    date: date
    free: int = Field(description="Seats of the day, each as long as the procedure takes.")
    starts: list[StartView] = Field(description="Empty where `starts=false` was asked.")

    @classmethod
    def of(cls, day: Day, *, with_starts: bool) -> "DayView":
        """The day as it is shown."""
        shown = day.starts if with_starts else ()
        starts = [StartView(starts_at=start.starts_at, free=start.free) for start in shown]
        return cls(date=day.day, free=day.free, starts=starts)


class SiteAvailability(BaseModel):
    """The days of one site that accepts the wards and procedure."""

    site_id: SiteId
    name: SiteName
    procedure: Procedure
    version: int = Field(description="Version of the site that this was computed from.")
    distance_km: float | None = Field(None, description="From `near`, as the crow flies.")
    days: list[DayView]

    @classmethod
    def of(cls, found: SiteDays) -> "SiteAvailability":
        """The site as it is shown, without the distance, which depends on who asks, and days."""
        return cls(
            site_id=found.site.site_id,
            name=found.site.name,
            procedure=found.procedure,
            version=found.version,
            days=[],
        )


_VERSION = Field(
    description="Stands for everything this was computed from; the same as the ETag. Booking "
    "looks again, whatever the version."
)
_SITE: dict[str, JsonValue] = {
    "site_id": "kawasaki-ward-office",
    "name": {"ja": "川崎区役所", "en": "Kawasaki Ward Office"},
    "procedure": "card_issuance",
    "version": 2,
}
_START: dict[str, JsonValue] = {"starts_at": "2026-04-08T09:00:00+09:00", "free": 4}
_EXAMPLE_VERSION = "6d0c7ac9d0a1c2f4"


class Availability(BaseModel):
    """Sites that accept the wards and procedures, and what is free there."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "version": _EXAMPLE_VERSION,
                    "sites": [
                        {**_SITE, "days": [{"date": "2026-04-08", "free": 98, "starts": [_START]}]}
                    ],
                }
            ]
        }
    )

    version: str = _VERSION
    sites: list[SiteAvailability]


class FirstView(BaseModel):
    """The first time that is free."""

    date: date
    starts_at: LocalInstant
    free: int

    @classmethod
    def of(cls, found: SiteDays) -> Self | None:
        """The first of a site; none where nothing is free."""
        if not found.days:
            return None
        day = found.days[0]
        return cls(date=day.day, starts_at=day.starts[0].starts_at, free=day.starts[0].free)


class SiteFirst(BaseModel):
    """A site and its first free date."""

    site_id: SiteId
    name: SiteName
    procedure: Procedure
    version: int
    distance_km: float | None = None
    first: FirstView | None = Field(description="Null where nothing is free in the days asked.")


class FirstDates(BaseModel):
    """The first free date of each site, soonest first, and so the earliest anywhere."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "version": _EXAMPLE_VERSION,
                    "earliest": {**_SITE, "first": {"date": "2026-04-08", **_START}},
                    "sites": [{**_SITE, "first": {"date": "2026-04-08", **_START}}],
                }
            ]
        }
    )

    version: str = _VERSION
    earliest: SiteFirst | None
    sites: list[SiteFirst]


class MapDay(BaseModel):
    """One day over all sites asked."""

    date: date
    free: int = Field(description="Seats of all sites; one counter counts for each procedure.")
    sites: int = Field(description="How many sites have something free.")


class DayMap(BaseModel):
    """Free seats by day, to be drawn as a calendar; days without any are left out."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "version": _EXAMPLE_VERSION,
                    "days": [{"date": "2026-04-08", "free": 412, "sites": 6}],
                }
            ]
        }
    )

    version: str = _VERSION
    days: list[MapDay]


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
    return await _answer(call, desk, board, wanted, _Sites(wanted.starts))


@router.get(
    "/availability:first", summary="First free date of each site", response_model=FirstDates
)
async def read_first(
    *, call: CallDep, desk: DeskDep, board: BoardDep, wanted: WantedQuery
) -> Response:
    """The first free date of each site, soonest first, and the earliest anywhere.

    Of several on the same day, the nearest comes first where `near` is given.
    """
    return await _answer(call, desk, board, wanted, _write_first)


@router.get("/availability:days", summary="Free seats by day", response_model=DayMap)
async def read_days(
    *, call: CallDep, desk: DeskDep, board: BoardDep, wanted: WantedQuery
) -> Response:
    """How much is free on each day over all sites asked: what a calendar is coloured by."""
    return await _answer(call, desk, board, wanted, _write_days)


async def _answer(call: Call, desk: Desk, board: Board, wanted: Wanted, write: Write) -> Response:
    question = wanted.question()
    if wanted.case_id is None and call.principal.is_anonymous:
        return await known(call.request, partial(_tell, board, question, write))
    async with call.unit() as unit:
        by = await availability.asker(unit, wanted.case_id, desk.rules)
    if by == ANYBODY:
        return await _tell(board, question, write, call.request)
    found = await availability.find(board, question, by)
    return _shown(call.request, *await write(question, found))


async def _tell(board: Board, question: Question, write: Write, request: Request) -> Response:
    told = await availability.tell(board, question, write)
    return _shown(request, told.version, told.body)


def _shown(request: Request, version: str, body: bytes) -> Response:
    headers = {"ETag": f'"{version}"', "Cache-Control": "private, no-cache"}
    if f'"{version}"' in request.headers.get(KNOWN, ""):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


@dataclass(frozen=True, slots=True)
class _Sites:
    """Writes every site with its days, and with the times of each if they are wanted."""

    with_starts: bool

    async def __call__(self, question: Question, entries: Sequence[SiteDays]) -> tuple[str, bytes]:
        written = []
        for entry in entries:
            text = await _written(entry, with_starts=self.with_starts)
            if (far := _distance(question, entry)) is not None:
                text = b'{"distance_km":%r,' % far + text[1:]
            written.append(text)
        return _whole(b'"sites":[', written)


async def _written(entry: SiteDays, *, with_starts: bool) -> bytes:
    """The entry as JSON; answers are shown far more often than they change, and days too."""
    if with_starts not in entry.written:
        shown = SiteAvailability.of(entry)
        head = shown.model_dump_json(exclude={"distance_km", "days"}).encode()
        days = []
        for number, day in enumerate(entry.days):
            if number % AT_A_TIME == 0:
                await asyncio.sleep(0)
            days.append(_day(day, with_starts=with_starts))
        entry.written[with_starts] = head[:-1] + b',"days":[' + b",".join(days) + b"]}"
    return entry.written[with_starts]


def _day(day: Day, *, with_starts: bool) -> bytes:
    if with_starts not in day.written:
        shown = DayView.of(day, with_starts=with_starts)
        day.written[with_starts] = shown.model_dump_json().encode()
    return day.written[with_starts]


async def _write_first(question: Question, entries: Sequence[SiteDays]) -> tuple[str, bytes]:
    sites = [
        SiteFirst(
            site_id=entry.site.site_id,
            name=entry.site.name,
            procedure=entry.procedure,
            version=entry.version,
            distance_km=_distance(question, entry),
            first=FirstView.of(entry),
        )
        for entry in entries
    ]
    sites.sort(key=lambda one: _soonest(one, near=question.near is not None))
    written = [one.model_dump_json().encode() for one in sites]
    earliest = written[0] if sites and sites[0].first is not None else b"null"
    return _whole(b'"earliest":' + earliest + b',"sites":[', written)


def _soonest(one: SiteFirst, *, near: bool) -> tuple[bool, date, float, str]:
    day = one.first.date if one.first is not None else date.max
    moment = one.first.starts_at.timestamp() if one.first is not None else 0.0
    far = one.distance_km if near and one.distance_km is not None else moment
    return (one.first is None, day, far, one.site_id)


async def _write_days(question: Question, entries: Sequence[SiteDays]) -> tuple[str, bytes]:
    days: dict[date, MapDay] = {}
    for entry in entries:
        for day in entry.days:
            met = days.setdefault(day.day, MapDay(date=day.day, free=0, sites=0))
            met.free += day.free
            met.sites += 1
    written = [days[day].model_dump_json().encode() for day in sorted(days)]
    return _whole(b'"days":[', written)


def _distance(question: Question, entry: SiteDays) -> float | None:
    far = availability.distance(entry.site, question)
    return None if far is None else round(far, 3)


def _whole(head: bytes, parts: Iterable[bytes]) -> tuple[str, bytes]:
    content = head + b",".join(parts)
    version = blake2b(content, digest_size=8).hexdigest()
    return version, b'{"version":"' + version.encode() + b'",' + content + b"]}"

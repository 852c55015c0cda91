"""Bookings of the system before this one, taken over from a file."""

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from fastapi import APIRouter, Query, Request
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from services.reservation.api.desk import Desk, DeskDep
from services.reservation.api.fields import within_reach
from services.reservation.domain.case import NotInvitedYet
from services.reservation.handlers import cutover
from services.reservation.handlers.cutover import Promise
from shared import csv_file
from shared.calendar import TOKYO
from shared.contracts.base import SiteRef
from shared.csv_file import Form, Line
from shared.errors import Language, Problem, RejectedValueError, Text
from shared.http import row_results
from shared.http.call import Call, CallDep
from shared.http.language import negotiate
from shared.http.row_results import Refusal
from shared.ids import BookingId, CaseId
from shared.security.blind_index import NoticeNumberError, normal_notice_number
from shared.unit import Unit

router = APIRouter(prefix="/v1", tags=["bookings"])

MOST_ROWS = 2_000
FORM = Form(("site_id", "starts_at"), ("case_id", "notice_number", "minutes"))
_EXAMPLE = (
    "notice_number,site_id,starts_at,minutes\n7K2-481516,kawasaki-ward-office,2026-04-08T09:00,20\n"
)


class TakenOver(StrEnum):
    """What became of a row."""

    BOOKED = "booked"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class BookingRow(BaseModel):
    """What became of one row."""

    line: int = Field(description="Line in the file; the header is 1.")
    outcome: TakenOver
    booking_id: BookingId | None
    refusal: Refusal | None


class CutoverResult(BaseModel):
    """What became of a file."""

    sha256: str
    dry_run: bool
    rows: int
    booked: int
    unchanged: int
    refused: int
    results: list[BookingRow]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    site_id: SiteRef
    starts_at: Annotated[datetime, AfterValidator(within_reach)]
    case_id: CaseId | None = None
    notice_number: str | None = None
    minutes: Annotated[int, Field(ge=5, le=240)] | None = None

    @field_validator("starts_at")
    @classmethod
    def _local(cls, value: datetime) -> datetime:
        """Without an offset it is the city's own time."""
        return value if value.tzinfo else value.replace(tzinfo=TOKYO)

    @model_validator(mode="after")
    def _one_name(self) -> Self:
        if (self.case_id is None) == (self.notice_number is None):
            raise RejectedValueError(
                Text("Name the case once.", "案件を1つの方法で指定してください。"),
                Text("Fill case_id or notice_number.", "case_id か notice_number を記入します。"),
            )
        return self


class _DryRun(Exception):  # noqa: N818  no error: it undoes a rehearsal
    pass


@router.post(
    "/bookings:import",
    summary="Take over bookings of another system",
    openapi_extra=row_results.upload(_EXAMPLE, FORM),
)
async def import_bookings(
    request: Request,
    call: CallDep,
    desk: DeskDep,
    dry_run: Annotated[bool, Query(description="Only say what would happen.")] = False,
) -> CutoverResult:
    """Each row by itself: booked, there already, or refused with the reason. Planners of the site.

    Deadlines and the horizon do not apply, seats and acceptance do. The same file again changes
    nothing; nobody is written to. A dry run tries each row as if it came alone.
    """
    body = await request.body()
    language = negotiate(request.headers.get("accept-language"))
    lines = csv_file.read(body, FORM, MOST_ROWS)
    results = [await _result(call, desk, line, language, dry_run=dry_run) for line in lines]
    ends = [row.outcome for row in results]
    return CutoverResult(
        sha256=hashlib.sha256(body).hexdigest(),
        dry_run=dry_run,
        rows=len(results),
        booked=ends.count(TakenOver.BOOKED),
        unchanged=ends.count(TakenOver.UNCHANGED),
        refused=ends.count(TakenOver.REFUSED),
        results=results,
    )


async def _result(
    call: Call, desk: Desk, line: Line, language: Language, *, dry_run: bool
) -> BookingRow:
    if line.fault is not None:
        return _refused(line, row_results.of_fields([line.fault], language))
    try:
        row = _Row.model_validate(dict(line.cells))
    except ValidationError as error:
        return _refused(line, row_results.of_validation(error, language))
    try:
        outcome, booking_id = await _take_over(call, desk, row, dry_run=dry_run)
    except Problem as problem:
        return _refused(line, row_results.of_problem(problem, language))
    return BookingRow(line=line.number, outcome=outcome, booking_id=booking_id, refusal=None)


async def _take_over(
    call: Call, desk: Desk, row: _Row, *, dry_run: bool
) -> tuple[TakenOver, BookingId | None]:
    fresh, booking_id = False, None
    try:
        async with call.unit() as unit:
            promise = Promise(await _case(unit, desk, row), row.site_id, row.starts_at, row.minutes)
            booking, fresh = await cutover.take_over(unit, promise, desk.rules)
            if dry_run:
                raise _DryRun
            booking_id = booking.booking_id
    except _DryRun:
        booking_id = None
    return (TakenOver.BOOKED if fresh else TakenOver.UNCHANGED), booking_id


async def _case(unit: Unit, desk: Desk, row: _Row) -> CaseId:
    if row.case_id is not None:
        return row.case_id
    found = None
    try:
        number = normal_notice_number(row.notice_number or "")
        keys = [key.value for key in desk.index.number_keys(number)]
        found = await cutover.case_of(unit, keys)
    except NoticeNumberError:
        pass
    if found is None:
        raise _NoSuchNotice
    return found


class _NoSuchNotice(NotInvitedYet):
    """No notice has this number."""

    slug = "no-such-notice"
    title = Text("No notice has this number", "この通知書番号の案件はありません")
    remedy = Text(
        "Check the number; the newest notice of a case counts.",
        "番号をご確認ください。案件ごとに最新の通知書の番号が有効です。",
    )

    def __init__(self) -> None:
        Problem.__init__(self)


def _refused(line: Line, refusal: Refusal) -> BookingRow:
    return BookingRow(line=line.number, outcome=TakenOver.REFUSED, booking_id=None, refusal=refusal)

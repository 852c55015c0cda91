"""Closures: how far finding other seats has come, with counts, and booking by booking."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from services.reservation.api.desk import DeskDep
from services.reservation.api.exports import FILES, table
from services.reservation.api.times import LocalInstant
from services.reservation.domain.booking import Booking
from services.reservation.domain.closure import (
    ClosureId,
    ClosureKind,
    ClosureState,
    Displaced,
    DisplacedState,
    Progress,
)
from services.reservation.handlers import closures, withdrawing
from shared.contracts.base import Procedure, SiteRef
from shared.errors import Text
from shared.http.call import CallDep
from shared.http.paging import Page, PageDep
from shared.http.tables import Column, TableDep
from shared.ids import BookingId, CaseId, PartyId, SiteId, SuspensionId

router = APIRouter(prefix="/v1/closures", tags=["closures"])

_CLOSURE = "0195f2c0-7b7c-7d0e-8a3c-5d2e4f6a7b90"
_EXAMPLE: dict[str, JsonValue] = {
    "closure_id": _CLOSURE,
    "site_id": "kawasaki-ward-office",
    "kind": "wind_down",
    "state": "waiting",
    "last_day": "2026-04-30",
    "suspension_id": None,
    "total": 12,
    "open": 5,
    "without_alternative": 0,
    "counts": {"told": 5, "moved": 4, "chosen": 2, "cancelled": 1},
    "started_at": "2026-04-01T09:00:00+09:00",
    "ended_at": None,
    "withdrawn_at": None,
}


class ClosureView(BaseModel):
    """A closure and how many of its bookings stand where."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    closure_id: ClosureId
    site_id: SiteId
    kind: ClosureKind
    state: ClosureState
    last_day: date | None = Field(description="Last day of service, where the site closes.")
    suspension_id: SuspensionId | None
    total: int = Field(description="Bookings that lost their seats; the counts add up to it.")
    open: int = Field(description="Those for which something is left to do.")
    without_alternative: int = Field(description="Open ones for which no seat was found yet.")
    counts: Mapping[DisplacedState, int] = Field(
        description="By state. `moved`, `chosen`, `cancelled` and `kept` are ends; so is "
        "`phone_list` once the booking has the other seat."
    )
    started_at: LocalInstant
    ended_at: LocalInstant | None
    withdrawn_at: LocalInstant | None = Field(
        description="When it was taken back: who has not moved keeps the old seat."
    )

    @classmethod
    def of(cls, found: Progress) -> "ClosureView":
        """The closure as it is shown."""
        one = found.closure
        return cls(
            closure_id=one.closure_id,
            site_id=one.site_id,
            kind=one.kind,
            state=one.state,
            last_day=one.last_day,
            suspension_id=one.suspension_id,
            total=found.total,
            open=found.open,
            without_alternative=found.without_alternative,
            counts=found.counts,
            started_at=one.started_at,
            ended_at=one.ended_at,
            withdrawn_at=one.withdrawn_at,
        )


class DisplacedView(BaseModel):
    """A booking that lost its seat, what was offered, and where it is now."""

    booking_id: BookingId
    case_id: CaseId
    party_id: PartyId
    procedure: Procedure
    state: DisplacedState
    site_id: SiteId = Field(description="Where it was.")
    starts_at: LocalInstant
    to_site_id: SiteId | None = Field(description="Where a seat is, or was, kept for it.")
    to_starts_at: LocalInstant | None
    answer_by: LocalInstant | None
    now_site_id: SiteId = Field(description="Where the booking is at this moment.")
    now_starts_at: LocalInstant
    ended_at: LocalInstant | None

    @classmethod
    def of(cls, row: tuple[Displaced, Booking]) -> "DisplacedView":
        """The booking as it is shown."""
        one, booking = row
        return cls(
            booking_id=one.booking_id,
            case_id=one.case_id,
            party_id=one.party_id,
            procedure=one.procedure,
            state=one.state,
            site_id=one.site_id,
            starts_at=one.starts_at,
            to_site_id=one.to_site_id,
            to_starts_at=one.to_starts_at,
            answer_by=one.answer_by,
            now_site_id=booking.site_id,
            now_starts_at=booking.starts_at,
            ended_at=one.ended_at,
        )


COLUMNS = (
    Column("booking_id", Text("Booking", "予約ID")),
    Column("case_id", Text("Procedure", "手続ID")),
    Column("party_id", Text("Party", "同時来庁ID")),
    Column("procedure", Text("Kind", "手続")),
    Column("state", Text("State", "状態")),
    Column("site_id", Text("Was at", "変更前の窓口")),
    Column("starts_at", Text("Was on", "変更前の日時")),
    Column("to_site_id", Text("Offered at", "ご案内の窓口")),
    Column("to_starts_at", Text("Offered on", "ご案内の日時")),
    Column("answer_by", Text("Answer by", "回答期限")),
    Column("now_site_id", Text("Now at", "現在の窓口")),
    Column("now_starts_at", Text("Now on", "現在の日時")),
    Column("ended_at", Text("Settled", "完了日時")),
)


@router.get("", summary="Closures")
async def list_closures(
    call: CallDep,
    page: PageDep,
    site_id: Annotated[SiteRef | None, Query(description="Of this site.")] = None,
    running: Annotated[bool, Query(description="Only those that are not done.")] = False,
) -> Page[ClosureView]:
    """Closures with their counts, the oldest first."""
    async with call.unit() as unit:
        after = page.after(tuple[ClosureId]) or (None,)
        rows = await closures.page(unit, after[0], site_id, page.fetch, running_only=running)
    return page.page(rows, key=lambda row: (row.closure.closure_id,), item=ClosureView.of)


@router.get("/{closure_id}", summary="Progress of a closure")
async def read_closure(closure_id: ClosureId, call: CallDep) -> ClosureView:
    """How far it has come."""
    async with call.unit() as unit:
        return ClosureView.of(await closures.find(unit, closure_id))


@router.post("/{closure_id}:withdraw", summary="Take a closure back")
async def withdraw_closure(closure_id: ClosureId, call: CallDep, desk: DeskDep) -> ClosureView:
    """The site is as it was: open to its former last day, with its former calendar, or no longer
    suspended. Said again it changes nothing.

    Bookings that have moved stay where they are; the others keep their seats, what was held for
    them goes back, and whoever was told hears of it. The counts tell how far that has come. 409
    `not-withdrawable` where it is done, or the site was changed again since.
    """
    async with call.unit() as unit:
        return ClosureView.of(await withdrawing.withdraw(unit, closure_id, desk.rules))


@router.get(
    "/{closure_id}/bookings",
    summary="Bookings of a closure",
    response_model=Page[DisplacedView],
    responses=FILES,
)
async def list_displaced(
    closure_id: ClosureId,
    call: CallDep,
    page: PageDep,
    wanted: TableDep,
    state: Annotated[DisplacedState | None, Query(description="Only those.")] = None,
) -> Response:
    """Every booking that lost its seat, for the counter and the telephone. Audited.

    As CSV or XLSX all of them at once.
    """
    as_file = wanted.format != "json"
    async with call.unit() as unit:
        after = page.after(tuple[BookingId]) or (None,)
        limit = closures.EXPORTED if as_file else page.fetch
        rows = await closures.bookings(unit, closure_id, state, after[0], limit)
    if as_file:
        views = [DisplacedView.of(row) for row in rows]
        return await wanted.answer(table(f"closure-{closure_id}", COLUMNS, views))
    shown = page.page(rows, key=lambda row: (row[0].booking_id,), item=DisplacedView.of)
    return Response(shown.model_dump_json(), media_type="application/json")

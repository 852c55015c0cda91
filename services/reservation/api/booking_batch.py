"""Many bookings in one request: the verbs and rules of single ones, and a result for every row."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import groupby
from typing import Annotated, Literal

import pydantic_core
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from services.reservation.api.bookings import BookingView, GroupsDep, PartyView
from services.reservation.api.desk import DeskDep
from services.reservation.api.fields import Moment
from services.reservation.domain.booking import Booking
from services.reservation.domain.hold import HoldId
from services.reservation.domain.rules import Rules
from services.reservation.handlers import bookings, holds, moves, site_rules
from services.reservation.handlers.bookings import Request as Party
from services.reservation.handlers.moves import Target
from shared.contracts.base import SiteRef
from shared.errors import Problem
from shared.http.call import Call, OnceDep
from shared.http.groups import Answered, Groups
from shared.http.language import negotiate
from shared.http.problems import ProblemDocument, document
from shared.ids import BookingId, CaseId
from shared.unit import Unit

router = APIRouter(prefix="/v1", tags=["bookings"])

MOST_ROWS = 500


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BookRow(_Row):
    """As POST /v1/bookings."""

    verb: Literal["book"]
    case_ids: Annotated[tuple[CaseId, ...], Field(min_length=1, max_length=20)]
    site_id: SiteRef
    starts_at: Moment


class ConfirmRow(_Row):
    """As POST /v1/holds/{hold_id}:confirm."""

    verb: Literal["confirm"]
    hold_id: HoldId


class MoveRow(_Row):
    """As POST /v1/bookings/{booking_id}:move."""

    verb: Literal["move"]
    booking_id: BookingId
    site_id: SiteRef
    starts_at: Moment
    together: bool = True


class CancelRow(_Row):
    """As POST /v1/bookings/{booking_id}:cancel."""

    verb: Literal["cancel"]
    booking_id: BookingId


Row = Annotated[BookRow | ConfirmRow | MoveRow | CancelRow, Field(discriminator="verb")]


class Batch(BaseModel):
    """What is to be done, in this order."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "rows": [
                        {
                            "verb": "book",
                            "case_ids": ["0195f2c0-7b7c-7d0e-8a3c-5d2e4f6a7b8c"],
                            "site_id": "kawasaki-ward-office",
                            "starts_at": "2026-04-08T09:00:00+09:00",
                        },
                        {
                            "verb": "cancel",
                            "booking_id": "0195f2c0-7b7c-7d0e-8a3c-5d2e4f6a7b8d",
                        },
                    ]
                }
            ]
        },
    )

    rows: Annotated[tuple[Row, ...], Field(min_length=1, max_length=MOST_ROWS)]


class RowResult(BaseModel):
    """What became of one row: a body, or the problem it was refused for."""

    row: int = Field(description="Its place in rows, from 0.")
    status: int = Field(description="As the single request would have answered.")
    replayed: bool = Field(description="Whether it was done when the batch was sent before.")
    body: JsonValue = Field(description="The answer of the single request.")
    problem: ProblemDocument | None


class BatchResult(BaseModel):
    """A result for every row, in their order."""

    done: int = Field(description="Rows that were done, now or before.")
    refused: int
    results: list[RowResult]


@router.post("/bookings:batch", summary="Book, confirm, move and cancel in bulk")
async def batch(
    body: Batch, call: OnceDep, desk: DeskDep, groups: GroupsDep, request: Request
) -> BatchResult:
    """Each row has its effect by itself, once: sent again under the same key, what was done stays
    done and what was refused is tried again.

    Rows are worked in order; bookings that stand next to each other are made together. Staff need
    the site of every row.
    """
    language = negotiate(request.headers.get("accept-language"))
    ends: list[Answered | Problem] = []
    for verb, run in groupby(enumerate(body.rows), key=lambda each: each[1].verb):
        works = [_work(call, groups, desk.rules, number, row) for number, row in run]
        ends += await (_at_once(works) if verb == "book" else _in_turn(works))
    results = [
        RowResult(
            row=number,
            status=end.status,
            replayed=False,
            body=None,
            problem=ProblemDocument(**document(end, language)),
        )
        if isinstance(end, Problem)
        else RowResult(
            row=number,
            status=end.answer.status,
            replayed=end.replayed,
            body=pydantic_core.from_json(end.answer.body),
            problem=None,
        )
        for number, end in enumerate(ends)
    ]
    refused = sum(one.problem is not None for one in results)
    return BatchResult(done=len(results) - refused, refused=refused, results=results)


_Work = Callable[[], Awaitable[Answered]]


async def _at_once(works: Iterable[_Work]) -> Sequence[Answered | Problem]:
    return await asyncio.gather(*(_end(work) for work in works))


async def _in_turn(works: Iterable[_Work]) -> Sequence[Answered | Problem]:
    return [await _end(work) for work in works]


async def _end(work: _Work) -> Answered | Problem:
    try:
        return await work()
    except Problem as problem:
        return problem


def _work(call: Call, groups: Groups[Party], rules: Rules, number: int, row: Row) -> _Work:
    async def work() -> Answered:
        if isinstance(row, BookRow):
            call.principal.require_site(row.site_id)
            party = Party(row.case_ids, row.site_id, row.starts_at)
            return await call.row_together(number, row, groups, party)
        return await call.row(number, row, lambda unit: _single(unit, row, rules))

    return work


async def _single(
    unit: Unit, row: ConfirmRow | MoveRow | CancelRow, rules: Rules
) -> PartyView | BookingView:
    match row:
        case ConfirmRow():
            return await _party(unit, await holds.confirm(unit, row.hold_id, rules), rules)
        case MoveRow():
            target = Target(row.site_id, row.starts_at, together=row.together)
            made = await moves.move(unit, row.booking_id, target, rules, lambda _: None)
            return await _party(unit, made, rules)
        case CancelRow():
            booking = await bookings.cancel(unit, row.booking_id, rules, lambda _: None)
            own = await site_rules.of_bookings(unit, [booking], rules)
            return BookingView.of(booking, own[booking.booking_id])


async def _party(unit: Unit, made: Sequence[Booking], rules: Rules) -> PartyView:
    return PartyView.of(made, await site_rules.of_bookings(unit, made, rules))

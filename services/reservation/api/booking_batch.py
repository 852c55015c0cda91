"""Many bookings in one request: the verbs and rules of single ones, and a result for every row."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import assert_never

from fastapi import APIRouter, Request, Response

from services.reservation.api.booking_rows import (
    Batch,
    BatchResult,
    BookRow,
    CancelRow,
    Change,
    ConfirmRow,
    MoveRow,
    RenewRow,
    Row,
    Seat,
    written,
)
from services.reservation.api.bookings import BookingView, GroupsDep, PartyView
from services.reservation.api.desk import DeskDep
from services.reservation.domain.booking import Booking
from services.reservation.domain.renewal import Opening
from services.reservation.domain.rules import Rules
from services.reservation.handlers import bookings, holds, moving, site_rules
from services.reservation.handlers.bookings import Cancelling
from services.reservation.handlers.bookings import Request as Party
from services.reservation.handlers.moves import Target
from services.reservation.handlers.moving import Moving
from shared.errors import Language, Problem
from shared.http.call import Call, OnceDep
from shared.http.groups import LARGEST, Answered, Groups
from shared.http.idempotency import Claim
from shared.http.language import negotiate
from shared.http.rows import together
from shared.ids import BookingId, CaseId, new_id
from shared.unit import Unit

router = APIRouter(prefix="/v1", tags=["bookings"])


@router.post(
    "/bookings:batch",
    summary="Book, renew, confirm, move and cancel in bulk",
    response_model=BatchResult,
)
async def batch(
    body: Batch, call: OnceDep, desk: DeskDep, groups: GroupsDep, request: Request
) -> Response:
    """Each row has its effect by itself, once: sent again under the same key, what was done stays
    done and what was refused is tried again. The same key with fewer or other rows is refused
    (422 `idempotency-key-reused`).

    Rows are worked in order; those that take seats (`book`, `renew`), that move or that cancel, and
    stand next to each other, are made together, and a booking named again after the others. Staff
    need the site of every row.
    """
    language = negotiate(request.headers.get("accept-language"))
    work = _Work(call, await call.rows(body), groups, desk.rules, language)
    ends: list[Answered | Problem] = []
    for _, run in groupby(enumerate(body.rows), key=lambda each: isinstance(each[1], Seat)):
        ends += await work.ends(list(run))
    return Response(written(ends, language), media_type="application/json")


@dataclass(frozen=True, slots=True)
class _Work:
    """Works rows of one request, each under its own key."""

    call: Call
    claim: Claim
    groups: Groups[Party]
    rules: Rules
    language: Language

    async def ends(self, rows: Sequence[tuple[int, Row]]) -> list[Answered | Problem]:
        """What becomes of rows that all ask for seats, or all do not, in their order.

        Seats are asked for a group's worth at a time, so that who books singly need not wait for
        all of them.
        """
        ends: list[Answered | Problem] = []
        for start in range(0, len(rows), LARGEST):
            some = rows[start : start + LARGEST]
            seats = [_end(self._seat(number, row)) for number, row in some if isinstance(row, Seat)]
            ends += await asyncio.gather(*seats)
            changes = [(number, row) for number, row in some if not isinstance(row, Seat)]
            for _, run in groupby(changes, key=lambda each: each[1].verb):
                ends += await self._changes(list(run))
        return ends

    async def _changes(self, rows: Sequence[tuple[int, Change]]) -> list[Answered | Problem]:
        """What becomes of changes of one kind."""
        if isinstance(rows[0][1], CancelRow):
            return await self._cancel(rows)
        if isinstance(rows[0][1], MoveRow):
            return await self._move(rows)
        held = [(number, row) for number, row in rows if isinstance(row, ConfirmRow)]
        return [await _end(self._confirm(number, row)) for number, row in held]

    async def _move(self, rows: Sequence[tuple[int, Change]]) -> list[Answered | Problem]:
        wishes = {
            number: Moving(row.booking_id, Target(row.site_id, row.starts_at, row.together))
            for number, row in rows
            if isinstance(row, MoveRow)
        }

        async def command(unit: Unit, numbers: Sequence[int]) -> Sequence[PartyView | Problem]:
            outcomes = await moving.move_all(unit, [wishes[n] for n in numbers], self.rules)
            made = [one for each in outcomes if not isinstance(each, Problem) for one in each]
            own = await site_rules.of_bookings(unit, made, self.rules) if made else {}
            return [one if isinstance(one, Problem) else PartyView.of(one, own) for one in outcomes]

        return await together(self.call, self.claim, list(wishes), command)

    async def _cancel(self, rows: Sequence[tuple[int, Change]]) -> list[Answered | Problem]:
        """Cancel together; a booking that is named again is looked at again afterwards."""
        ends: dict[int, Answered | Problem] = {}
        rest = [(number, row.booking_id) for number, row in rows if isinstance(row, CancelRow)]
        while rest:
            first: dict[BookingId, int] = {}
            for number, booking_id in rest:
                first.setdefault(booking_id, number)
            ends |= await self._cancelled({number: one for one, number in first.items()})
            rest = [each for each in rest if each[0] not in ends]
        return [ends[number] for number, _ in rows]

    async def _cancelled(self, now: Mapping[int, BookingId]) -> Mapping[int, Answered | Problem]:
        async def command(unit: Unit, numbers: Sequence[int]) -> Sequence[BookingView | Problem]:
            wishes = [Cancelling(unit, now[number], lambda _: None) for number in numbers]
            outcomes = await bookings.cancel_all(unit, wishes, self.rules)
            done = [one for one in outcomes if isinstance(one, Booking)]
            own = await site_rules.of_bookings(unit, done, self.rules) if done else {}
            return [
                one if isinstance(one, Problem) else BookingView.of(one, own[one.booking_id])
                for one in outcomes
            ]

        ends = await together(self.call, self.claim, list(now), command)
        return dict(zip(now, ends, strict=True))

    async def _seat(self, number: int, row: Seat) -> Answered:
        self.call.principal.require_site(row.site_id)
        return await self.call.row_together(number, self.claim, self.groups, self._party(row))

    def _party(self, row: Seat) -> Party:
        match row:
            case BookRow():
                return Party(row.case_ids, row.site_id, row.starts_at)
            case RenewRow():
                opening = Opening(
                    case_id=CaseId(new_id()),
                    ward=row.ward,
                    certificate_expires_on=row.certificate_expires_on,
                    phone=row.phone,
                    language=row.language or self.language,
                )
                return Party((opening.case_id,), row.site_id, row.starts_at, opening)
        assert_never(row)

    async def _confirm(self, number: int, row: ConfirmRow) -> Answered:
        async def command(unit: Unit) -> PartyView:
            confirmed = await holds.confirm(unit, row.hold_id, self.rules)
            return PartyView.of(confirmed.bookings, confirmed.own)

        return await self.call.row(number, self.claim, command)


async def _end(work: Awaitable[Answered]) -> Answered | Problem:
    try:
        return await work
    except Problem as problem:
        return problem

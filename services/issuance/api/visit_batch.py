"""Many rows in one request: what happened at counters, told afterwards, with a result for each."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from services.issuance.api import batch_steps
from services.issuance.api.batch_bodies import Batch, Row, ServeRow
from services.issuance.api.desk import Desk, DeskDep, refuse_query
from services.issuance.api.journal_rows import receive
from services.issuance.api.row_results import BatchResult, answer
from services.issuance.api.views import View, VisitView
from services.issuance.domain.visit import CaseState, Visit
from services.issuance.handlers.serve import DoorRules, serve
from shared.errors import Problem
from shared.http.call import Call, OnceDep
from shared.http.groups import Answered
from shared.http.idempotency import Claim
from shared.http.rows import together
from shared.ids import CaseId, VisitId
from shared.unit import Unit

router = APIRouter(prefix="/v1", tags=["visits"])
TOGETHER = 250
"""Visits written in one transaction: enough to share its costs, few enough to keep it short."""


class ServedCase(View):
    """One case of a visit that is over."""

    case_id: CaseId
    state: CaseState
    reason: str | None


class ServedView(View):
    """A visit that is over, in short."""

    visit_id: VisitId
    cases: tuple[ServedCase, ...]


@router.post(
    "/visits:batch",
    response_model=BatchResult,
    summary="Tell of visits and steps in bulk",
    dependencies=[Depends(refuse_query)],
)
async def batch(body: Batch, call: OnceDep, desk: DeskDep, request: Request) -> Response:
    """Each row has its effect by itself, once: sent again under the same key, what was done stays
    done and what was refused is tried again.

    Rows are worked in order, by the rules of the single doors, each at its own moment. Rows
    `serve` that stand next to each other are written together. With `journal` they are a
    satellite's: each is worked once for ever, and what is refused waits as a conflict.
    """
    if body.journal is not None:
        return answer(await receive(call, body, body.journal, desk), request)
    for site_id in {row.site_id for row in body.rows if hasattr(row, "site_id")}:
        call.principal.require_site(site_id)
    rows = await call.rows(_same(body, desk))
    ends: list[Answered | Problem] = []
    for numbers, is_served in _runs(body.rows):
        if is_served:
            ends += await _served(call, rows, numbers, body.rows, desk)
        else:
            ends += [await _step(call, rows, n, body.rows[n], desk) for n in numbers]
    return answer(ends, request)


def _runs(rows: Sequence[Row]) -> Iterator[tuple[list[int], bool]]:
    """Numbers of rows that are worked alike, whole visits at most ``TOGETHER`` at once."""
    numbered = enumerate(rows)
    for is_served, run in groupby(numbered, key=lambda one: isinstance(one[1], ServeRow)):
        numbers = [number for number, _ in run]
        for start in range(0, len(numbers), TOGETHER):
            yield numbers[start : start + TOGETHER], is_served


async def _served(
    call: Call, rows: Claim, numbers: Sequence[int], all_rows: Sequence[Row], desk: Desk
) -> list[Answered | Problem]:
    rules = DoorRules(desk.grace, desk.soon_days)

    async def command(unit: Unit, fresh: Sequence[int]) -> list[ServedView | Problem]:
        wanted = [all_rows[number] for number in fresh]
        visits = [one.to_domain(desk.index) for one in wanted if isinstance(one, ServeRow)]
        ends = await serve(unit, visits, rules)
        return [end if isinstance(end, Problem) else _short(end) for end in ends]

    return await together(call, rows, numbers, command)


async def _step(call: Call, rows: Claim, number: int, row: Row, desk: Desk) -> Answered | Problem:
    async def command(unit: Unit) -> VisitView | None:
        if isinstance(row, ServeRow):
            raise TypeError("whole visits are written together")
        visit = await batch_steps.work(unit, row, desk)
        return VisitView.of(visit) if visit else None

    try:
        return await call.row(number, rows, command)
    except Problem as problem:
        return problem


def _short(visit: Visit) -> ServedView:
    cases = tuple(ServedCase.model_validate(case) for case in visit.cases)
    return ServedView(visit_id=visit.visit_id, cases=cases)


def _same(body: Batch, desk: Desk) -> bytes:
    """What makes two batches the same; a hash of a bare notice number could be guessed."""
    keyed = [
        desk.index.number_key(number).value
        for row in body.rows
        if (number := getattr(row, "notice_number", None))
    ]
    rest = body.model_dump_json(exclude={"rows": {"__all__": {"notice_number"}}})
    return "\n".join([rest, *keyed]).encode()

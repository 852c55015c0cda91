"""Notices that come back, second notices, and who has not come."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.preparation.api.files import FILES, UNCLAIMED
from services.preparation.api.notices import BatchMade, made_out
from services.preparation.api.parts import (
    Results,
    TellingDep,
    ToolsDep,
    Which,
)
from services.preparation.handlers import second_notices
from shared.contracts.base import SiteRef
from shared.http.call import CallDep, OnceDep
from shared.http.tables import Table, TableDep
from shared.unit import Unit

router = APIRouter(prefix="/v1/notices", tags=["notices"])


@router.post("/returns", response_model=Results)
async def record_returns(call: CallDep, body: Which, telling: TellingDep) -> Response:
    """Record notices that came back undelivered; their cases may have a second one."""
    async with call.unit() as unit:
        found = await second_notices.record_returns(unit, body.selection)
    return telling.answer(found)


@router.post("/second", status_code=201, response_model=BatchMade)
async def make_second(call: OnceDep, tools: ToolsDep, body: Which, telling: TellingDep) -> Response:
    """Repeat the notices of cards that nobody has come for, with a new deadline.

    The number stays the same; a notice that still runs is not repeated.
    """

    async def command(unit: Unit) -> Mapping[str, Any]:
        return made_out(await second_notices.make_second(unit, tools, body.selection), telling)

    return await call.once(body, command, location="/v1/notices/{batch_id}")


@router.get("/unclaimed", response_class=Response, responses=FILES)
async def list_unclaimed(
    call: CallDep,
    wanted: TableDep,
    site_id: Annotated[SiteRef | None, Query(description="Where the card lies.")] = None,
) -> Response:
    """Cards whose last notice has run out, the longest ago first, up to 5,000.

    `next` is `second_notice` or `disposal`.
    """
    async with call.unit() as unit:
        found = await second_notices.list_unclaimed(unit, site_id)
    rows = [
        (
            card.site_id,
            card.shelf_position,
            card.card_reference,
            card.standing.notice_seq,
            card.standing.deadline,
            card.standing.returned,
            after,
            card.case_id,
        )
        for card, after in found
    ]
    return await wanted.answer(Table("unclaimed", UNCLAIMED, rows))

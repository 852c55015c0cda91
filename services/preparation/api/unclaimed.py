"""Notices that come back, second notices, and who has not come."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.preparation.api.files import FILES, UNCLAIMED
from services.preparation.api.listing import ListingDep
from services.preparation.api.notices import BatchMade, made_out
from services.preparation.api.parts import (
    Results,
    TellingDep,
    ToolsDep,
    Which,
)
from services.preparation.domain.second_notices import Unclaimed
from services.preparation.handlers import second_notices
from services.preparation.store.standings import UnclaimedCard
from shared.contracts.base import SiteRef
from shared.http.call import CallDep, OnceDep
from shared.http.tables import Cell
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
    listing: ListingDep,
    site_id: Annotated[SiteRef | None, Query(description="Where the card lies.")] = None,
) -> Response:
    """Cards whose last notice has run out, the longest ago first, up to 5,000 at a time.

    `next` is `second_notice` or `disposal`.
    """
    after = listing.after(tuple[date, UUID])
    async with call.unit() as unit:
        found = await second_notices.list_unclaimed(unit, site_id, after, listing.fetch)
    return await listing.answer(
        "unclaimed",
        UNCLAIMED,
        found,
        key=lambda row: (row[0].standing.deadline, row[0].case_id),
        cells=_cells,
    )


def _cells(row: tuple[UnclaimedCard, Unclaimed | None]) -> Sequence[Cell]:
    card, following = row
    return (
        card.site_id,
        card.shelf_position,
        card.card_reference,
        card.standing.notice_seq,
        card.standing.deadline,
        card.standing.returned,
        following,
        card.case_id,
    )

"""Versions of the checklist."""

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from services.issuance.api.desk import refuse_query
from services.issuance.api.step_bodies import Version
from services.issuance.api.step_views import ChecklistsView, ChecklistView
from services.issuance.handlers import checklists
from shared.http.call import CallDep, OnceDep
from shared.http.paging import PageDep
from shared.unit import Unit

router = APIRouter(prefix="/v1/checklists", tags=["checklists"])


@router.get("", summary="Versions of the checklist")
async def listed(call: CallDep, page: PageDep) -> ChecklistsView:
    """What has to be done for each procedure and kind, and which documents count."""
    (after,) = page.after(tuple[int]) or (0,)
    async with call.unit() as unit:
        rows, in_force = await checklists.page(unit, after, page.fetch)
    shown = page.page(rows, key=lambda row: (row.version,), item=ChecklistView.of)
    return ChecklistsView(
        items=tuple(shown.items), in_force=in_force, next_cursor=shown.next_cursor
    )


@router.get("/{version}", summary="One version of the checklist")
async def one(version: int, call: CallDep) -> ChecklistView:
    """A version never changes."""
    async with call.unit() as unit:
        return ChecklistView.of(await checklists.read(unit, version))


@router.post(
    "",
    status_code=201,
    response_model=ChecklistView,
    summary="Publish a version of the checklist",
    dependencies=[Depends(refuse_query)],
)
async def publish(body: Version, call: OnceDep) -> Response:
    """Valid from tomorrow or later; who has been checked in goes on by the version of that day."""

    async def command(unit: Unit) -> ChecklistView:
        return ChecklistView.of(await checklists.publish(unit, body.to_domain()))

    return await call.once(body, command, location="/v1/checklists/{version}")

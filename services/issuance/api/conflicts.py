"""Conflicts: what a satellite did that cannot be true beside other news, shown to a supervisor."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import ConfigDict, JsonValue

from services.issuance.api.bodies import Body
from services.issuance.api.desk import DeskDep, refuse_query
from services.issuance.api.journal_rows import work_of
from services.issuance.api.repeats import StepDep, step
from services.issuance.api.views import View
from services.issuance.domain.conflict import ConflictState, Decision, Found
from services.issuance.handlers import receiving
from shared.contracts.base import SiteRef
from shared.http.call import CallDep
from shared.http.paging import Page, PageDep
from shared.ids import SiteId, VisitId
from shared.unit import Unit

router = APIRouter(prefix="/v1/conflicts", tags=["satellites"])
_FIRST = UUID(int=0)


class EntryView(View):
    """One entry of the satellite's journal."""

    number: int
    actor: str
    row: Mapping[str, JsonValue]
    """As in `visits:batch`."""


class ConflictView(View):
    """What waits for a decision, or what was decided."""

    conflict_id: UUID
    site_id: SiteId
    visit_id: VisitId | None
    """None where it is about the day and no visit."""
    code: str
    """What stood against the first entry, as the single door would have said."""
    state: ConflictState
    raised_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    entries: tuple[EntryView, ...]
    """All that the journal says of the visit from there on."""


class Resolution(Body):
    """What is decided."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"decision": "dismiss"}]})

    decision: Decision
    """Record it as it happened, or note it and no more."""


@router.get("", summary="Conflicts of a site")
async def listed(
    call: CallDep,
    page: PageDep,
    site_id: Annotated[SiteRef, Query(description="The site.")],
    state: Annotated[ConflictState | None, Query(description="All if left out.")] = None,
) -> Page[ConflictView]:
    """The oldest first."""
    (after,) = page.after(tuple[UUID]) or (_FIRST,)
    async with call.unit() as unit:
        rows = await receiving.listed(unit, site_id, state, after, page.fetch)
    return page.page(rows, key=lambda one: (one.conflict_id,), item=_view)


@router.get("/{conflict_id}", summary="One conflict")
async def conflict(conflict_id: UUID, call: CallDep) -> ConflictView:
    """With every entry that waits with it."""
    async with call.unit() as unit:
        return _view(await receiving.read(unit, conflict_id))


@router.post(
    "/{conflict_id}:resolve",
    response_model=ConflictView,
    summary="Decide about it",
    dependencies=[Depends(refuse_query)],
)
async def resolve(conflict_id: UUID, body: Resolution, call: StepDep, desk: DeskDep) -> Response:
    """Recorded, it counts as it happened, whatever was heard meanwhile; a case still ends once."""

    async def command(unit: Unit) -> ConflictView:
        found = await receiving.resolve(unit, conflict_id, body.decision, work_of(desk))
        return _view(found)

    return await step(call, body, command)


def _view(found: Found) -> ConflictView:
    return ConflictView.model_validate(found)

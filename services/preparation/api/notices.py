"""Notices: made in batches, each of which invites the citizens of its cards."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from services.preparation.api.parts import Results, Telling, TellingDep, ToolsDep, Which
from services.preparation.domain.notices import NothingToNotify
from services.preparation.handlers import notices
from services.preparation.handlers.notices import Made
from services.preparation.store.notices import Batch
from shared.http.call import CallDep, OnceDep
from shared.http.paging import Page, PageDep
from shared.unit import Unit

router = APIRouter(prefix="/v1/notices", tags=["notices"])


class BatchOut(BaseModel):
    """Notices made together."""

    batch_id: UUID
    created_at: datetime
    notices: int = Field(description="How many notices the batch has.")
    notice_seq: int = Field(description="1 for first notices, 2 for second ones.")
    printed_at: datetime | None = Field(description="When it was acknowledged as printed.")
    over_pace: int = Field(
        0, description="Notices beyond what the pace of their sites allowed: somebody named them."
    )


class BatchMade(Results, BatchOut):
    """A new batch, and what became of each card named."""


@router.post("", status_code=201, response_model=BatchMade)
async def make_notices(
    call: OnceDep, tools: ToolsDep, body: Which, telling: TellingDep
) -> Response:
    """Make the notices of shelved cards; from then on their citizens can log in and book.

    The cards named are notified whatever the pace of their sites says (POST /v1/notices/next keeps
    to it); how many are beyond it is kept with the batch and audited. A notice number is never
    stored and appears only in the print file.
    """

    async def command(unit: Unit) -> Mapping[str, Any]:
        return made_out(await notices.make_notices(unit, tools, body.selection), telling)

    return await call.once(body, command, location="/v1/notices/{batch_id}")


@router.get("")
async def list_batches(call: CallDep, page: PageDep) -> Page[BatchOut]:
    """Batches, the newest first."""
    after = page.after(tuple[datetime, UUID])
    async with call.unit() as unit:
        found = await notices.list_batches(unit, after, page.fetch)
    return page.page(found, key=lambda b: (b.created_at, b.batch_id), item=batch_out)


def batch_out(batch: Batch) -> BatchOut:
    """The batch as callers see it."""
    return BatchOut(
        batch_id=batch.batch_id,
        created_at=batch.created_at,
        notices=batch.notice_count,
        notice_seq=batch.notice_seq,
        printed_at=batch.printed_at,
        over_pace=batch.over_pace,
    )


def made_out(made: Made, telling: Telling) -> Mapping[str, Any]:
    """The members of ``BatchMade``. Raises ``NothingToNotify`` where none was made."""
    if made.batch is None:
        raise NothingToNotify(telling.as_problem(made.results))
    return {**batch_out(made.batch).model_dump(), **telling.members(made.results)}

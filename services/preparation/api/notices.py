"""Notices: made in batches, printed from a file that exists only while it is sent."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from services.preparation.api.parts import LanguageDep, Results, ToolsDep, Which, case_results
from services.preparation.api.parts import counted as counted_results
from services.preparation.domain.notices import NothingToNotify
from services.preparation.handlers import notices
from services.preparation.handlers.notices import Printed
from services.preparation.store.notices import Batch
from shared.errors import Json
from shared.http.call import CallDep, OnceDep
from shared.unit import Unit

router = APIRouter(prefix="/v1/notices", tags=["notices"])

HEADER = ("card_reference", "notice_number", "pickup_deadline")


class BatchOut(BaseModel):
    """Notices made together."""

    batch_id: UUID
    created_at: datetime
    notices: int = Field(description="How many notices the batch has.")


class BatchMade(Results, BatchOut):
    """A new batch, and what became of each card named."""


@router.post("", status_code=201, response_model=BatchMade)
async def make_notices(
    call: OnceDep, tools: ToolsDep, body: Which, language: LanguageDep
) -> Response:
    """Make the notices of shelved cards; from then on their citizens can log in and book.

    A notice number is never stored and appears only in the print file.
    """

    async def command(unit: Unit) -> BatchMade:
        made = await notices.make_notices(unit, tools, body.selection)
        results = case_results(made.results, language)
        if made.batch is None:
            told: list[Json] = [result.model_dump(mode="json") for result in results]
            raise NothingToNotify(told)
        return BatchMade(
            **_batch_out(made.batch).model_dump(), **counted_results(results).model_dump()
        )

    return await call.once(body, command, location="/v1/notices/{batch_id}")


@router.get("/{batch_id}")
async def one_batch(call: CallDep, batch_id: UUID) -> BatchOut:
    """One batch."""
    async with call.unit() as unit:
        return _batch_out(await notices.find_batch(unit, batch_id))


@router.get(
    "/{batch_id}/print-file",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"example": ",".join(HEADER)}}}},
)
async def print_file(call: CallDep, tools: ToolsDep, batch_id: UUID) -> Response:
    """The batch to print, in the order of the shelf. Each reading is audited for each case."""
    async with call.unit() as unit:
        printed = await notices.print_file(unit, tools, batch_id)
    return Response(
        _csv(printed),
        media_type="text/csv",
        headers={
            "Content-Disposition": f'attachment; filename="notices-{batch_id}.csv"',
            "Cache-Control": "no-store",
        },
    )


def _batch_out(batch: Batch) -> BatchOut:
    return BatchOut(
        batch_id=batch.batch_id, created_at=batch.created_at, notices=batch.notice_count
    )


def _csv(printed: Sequence[Printed]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADER)
    writer.writerows((p.card_reference, p.notice_number, p.pickup_deadline) for p in printed)
    return text.getvalue().encode()

"""Notices: made in batches, printed from a file that exists only while it is sent."""

import asyncio
import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from services.preparation.api.parts import LanguageDep, Results, ToolsDep, Which, case_results
from services.preparation.api.parts import counted as counted_results
from services.preparation.domain.notices import NothingToNotify
from services.preparation.gateways import postcards
from services.preparation.gateways.postcards import Postcard
from services.preparation.handlers import notices
from services.preparation.handlers.notices import Made, Printed
from services.preparation.store.notices import Batch
from shared.errors import Json, Language
from shared.http.call import CallDep, OnceDep
from shared.http.paging import Page, PageDep
from shared.http.tables import safe_cell
from shared.unit import Unit

router = APIRouter(prefix="/v1/notices", tags=["notices"])

HEADER = ("card_reference", "notice_number", "pickup_deadline")
ADDRESSED = (*HEADER, "name", "address")
"""The columns of a batch whose addressees are kept."""
PDF = "application/pdf"


class BatchOut(BaseModel):
    """Notices made together."""

    batch_id: UUID
    created_at: datetime
    notices: int = Field(description="How many notices the batch has.")
    notice_seq: int = Field(description="1 for first notices, 2 for second ones.")
    printed_at: datetime | None = Field(description="When it was acknowledged as printed.")


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
        return made_out(await notices.make_notices(unit, tools, body.selection), language)

    return await call.once(body, command, location="/v1/notices/{batch_id}")


@router.get("")
async def list_batches(call: CallDep, page: PageDep) -> Page[BatchOut]:
    """Batches, the newest first."""
    after = page.after(tuple[datetime, UUID])
    async with call.unit() as unit:
        found = await notices.list_batches(unit, after, page.fetch)
    return page.page(found, key=lambda b: (b.created_at, b.batch_id), item=batch_out)


@router.get("/{batch_id}")
async def one_batch(call: CallDep, batch_id: UUID) -> BatchOut:
    """One batch."""
    async with call.unit() as unit:
        return batch_out(await notices.find_batch(unit, batch_id))


@router.post("/{batch_id}:printed")
async def printed(call: CallDep, batch_id: UUID) -> BatchOut:
    """Acknowledge that the batch is printed: names and addresses are destroyed.

    It may be printed again without them, as long as the city keeps the key of its numbers.
    """
    async with call.unit() as unit:
        return batch_out(await notices.acknowledge_printed(unit, batch_id))


@router.get(
    "/{batch_id}/print-file",
    response_class=Response,
    responses={
        200: {
            "content": {
                "text/csv": {"example": ",".join(HEADER)},
                PDF: {"schema": {"type": "string", "format": "binary"}},
            }
        }
    },
)
async def print_file(
    call: CallDep,
    tools: ToolsDep,
    batch_id: UUID,
    form: Annotated[
        Literal["csv", "pdf"],
        Query(alias="format", description="pdf: postcards with a QR code to the booking page."),
    ] = "csv",
) -> Response:
    """The batch to print, in the order of the shelf. Each reading is audited for each case.

    The CSV has `name` and `address` while these are kept, that is, until the batch is acknowledged
    as printed. Characters that the postcards' font does not draw are set as 〓; the CSV has them.
    """
    async with call.unit() as unit:
        found = await notices.print_file(unit, tools, batch_id)
    if form == "csv":
        return _file(_csv(found), "text/csv", f"notices-{batch_id}.csv")
    body = await asyncio.to_thread(postcards.pdf, _cards(found), tools.settings.booking_url)
    return _file(body, PDF, f"notices-{batch_id}.pdf")


def batch_out(batch: Batch) -> BatchOut:
    """The batch as callers see it."""
    return BatchOut(
        batch_id=batch.batch_id,
        created_at=batch.created_at,
        notices=batch.notice_count,
        notice_seq=batch.notice_seq,
        printed_at=batch.printed_at,
    )


def made_out(made: Made, language: Language) -> BatchMade:
    """A new batch as callers see it. Raises ``NothingToNotify`` where none was made."""
    results = case_results(made.results, language)
    if made.batch is None:
        told: list[Json] = [result.model_dump(mode="json") for result in results]
        raise NothingToNotify(told)
    return BatchMade(**batch_out(made.batch).model_dump(), **counted_results(results).model_dump())


def _file(body: bytes, media_type: str, name: str) -> Response:
    return Response(
        body,
        media_type=media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


def _cards(found: Sequence[Printed]) -> list[Postcard]:
    return [
        Postcard(p.notice_number, p.pickup_deadline, p.card_reference, *_addressee(p))
        for p in found
    ]


def _csv(found: Sequence[Printed]) -> bytes:
    addressed = any(p.addressee for p in found)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(ADDRESSED if addressed else HEADER)
    for p in found:
        whom = map(safe_cell, _addressee(p)) if addressed else ()
        writer.writerow((p.card_reference, p.notice_number, p.pickup_deadline, *whom))
    return text.getvalue().encode()


def _addressee(line: Printed) -> tuple[str, str]:
    return (line.addressee.name, line.addressee.address) if line.addressee else ("", "")

"""Print a batch of notices: the file exists only while it is sent, and what was printed adds up."""

import asyncio
import csv
import io
from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.preparation.api.files import FILES, PRINT_LINES
from services.preparation.api.listing import ListingDep
from services.preparation.api.notices import BatchOut, batch_out
from services.preparation.api.parts import ToolsDep
from services.preparation.gateways import postcards
from services.preparation.gateways.postcards import Postcard
from services.preparation.handlers import printing
from services.preparation.handlers.printing import BatchCounts, Printed, PrintFile
from services.preparation.store.notices import Batch
from services.preparation.store.printing import PrintLine
from shared.http.call import CallDep
from shared.http.tables import Cell, safe_cell
from shared.ids import CaseId

router = APIRouter(prefix="/v1/notices", tags=["notices"])

HEADER = ("card_reference", "notice_number", "pickup_deadline")
ADDRESSED = (*HEADER, "name", "address")
"""The columns of a batch whose addressees are kept."""
PDF = "application/pdf"

_COUNTS = {
    "Notice-Count": {"schema": {"type": "integer"}, "description": "Notices in the file."},
    "Notice-Left-Out": {
        "schema": {"type": "integer"},
        "description": "Notices that are not in it: their cards are held, or their cases are over.",
    },
}


class BatchDetail(BatchOut):
    """A batch and how its notices add up: `to_print`, `printed` and `left_out` are all of them."""

    to_print: int = Field(description="Not printed yet, and to be printed.")
    printed: int
    left_out: int = Field(description="Not printed: held, or the case is over; see `…/lines`.")
    address_missing: int = Field(
        description="Of those to print: no name and address are kept; they are added elsewhere."
    )


class Acknowledged(BaseModel):
    """What the printer counted."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"notices": 120}]})

    notices: Annotated[int, Field(ge=0)] | None = Field(
        None, description="Notices printed now; refused where it is not what was to be printed."
    )


@router.get("/{batch_id}")
async def one_batch(call: CallDep, batch_id: UUID) -> BatchDetail:
    """One batch, and how its notices add up."""
    async with call.unit() as unit:
        return _detail(*await printing.batch_counts(unit, batch_id))


@router.post("/{batch_id}:printed")
async def printed(call: CallDep, batch_id: UUID, body: Acknowledged | None = None) -> BatchDetail:
    """Acknowledge that the batch is printed: names and addresses are destroyed.

    With the printer's count it is checked that nothing is missing and nothing too much. What was
    left out is not acknowledged: once its card goes on, print it (`only=unprinted`) and acknowledge
    again. A batch may be printed again without names, as long as the city keeps its key.
    """
    counted = body.notices if body else None
    async with call.unit() as unit:
        return _detail(*await printing.acknowledge(unit, batch_id, counted))


@router.get("/{batch_id}/lines", response_class=Response, responses=FILES)
async def batch_lines(call: CallDep, listing: ListingDep, batch_id: UUID) -> Response:
    """Every notice of a batch in the order of the shelf: printed, to print, or left out and why;
    up to 5,000 at a time.

    `addressee` is `missing` where no name and address are kept: somebody adds them by hand.
    """
    after = listing.after(tuple[str, str, CaseId])
    async with call.unit() as unit:
        found = await printing.batch_lines(unit, batch_id, after, listing.fetch)
    return await listing.answer(
        f"notices-{batch_id}-lines",
        PRINT_LINES,
        found,
        key=lambda line: (line.site_id or "", line.shelf_position or "", line.case_id),
        cells=_cells,
    )


@router.get(
    "/{batch_id}/print-file",
    response_class=Response,
    responses={
        200: {
            "headers": _COUNTS,
            "content": {
                "text/csv": {"example": ",".join(HEADER)},
                PDF: {"schema": {"type": "string", "format": "binary"}},
            },
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
    only: Annotated[
        Literal["unprinted"] | None, Query(description="Leave out what was acknowledged before.")
    ] = None,
) -> Response:
    """The batch to print, in the order of the shelf. Each reading is audited for each case.

    Cards that are held or whose cases are over are not in it; `Notice-Left-Out` counts them. The
    CSV has `name` and `address` while these are kept, that is, until the batch is acknowledged as
    printed. Characters that the postcards' font does not draw are set as 〓; the CSV has them.
    """
    async with call.unit() as unit:
        found = await printing.print_file(unit, tools, batch_id, only_unprinted=only == "unprinted")
    if form == "csv":
        return _file(_csv(found.lines), "text/csv", f"notices-{batch_id}.csv", found)
    cards = [_postcard(line) for line in found.lines]
    body = await asyncio.to_thread(postcards.pdf, cards, tools.settings.booking_url)
    return _file(body, PDF, f"notices-{batch_id}.pdf", found)


def _detail(batch: Batch, counts: BatchCounts) -> BatchDetail:
    return BatchDetail(
        **batch_out(batch).model_dump(),
        to_print=counts.to_print,
        printed=counts.printed,
        left_out=counts.left_out,
        address_missing=counts.address_missing,
    )


def _cells(line: PrintLine) -> Sequence[Cell]:
    state = "printed" if line.printed_at else "left_out" if line.left_out else "to_print"
    return (
        line.site_id,
        line.shelf_position,
        line.card_reference,
        state,
        line.left_out,
        "kept" if line.addressed else "missing",
        line.pickup_deadline,
        line.printed_at,
        line.case_id,
    )


def _file(body: bytes, media_type: str, name: str, found: PrintFile) -> Response:
    return Response(
        body,
        media_type=media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            "Notice-Count": str(len(found.lines)),
            "Notice-Left-Out": str(found.left_out),
        },
    )


def _postcard(line: Printed) -> Postcard:
    name, address = _addressee(line)
    return Postcard(line.notice_number, line.pickup_deadline, line.card_reference, name, address)


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

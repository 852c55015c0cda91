"""/v1/wards: the city's wards as it tells them, by which distances are measured and files named."""

import hashlib
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.api import documents
from services.reporting.api.lists import listed
from services.reporting.api.whole_files import FileOutcome, RowResult, WholeFile
from services.reporting.domain.wards import Ward, said_twice, ward_of
from services.reporting.store import wards as stored
from shared.csv_file import Form
from shared.http import row_results
from shared.http.call import Call, CallDep
from shared.http.language import negotiate
from shared.http.paging import Page, PageDep
from shared.http.tables import TableDep
from shared.ids import WardCode

router = APIRouter(prefix="/v1/wards", tags=["equity"])

MOST_ROWS = 500
FORM = Form(
    ("code", "name", "office_latitude", "office_longitude"),
    ("name_en", "name_kana", "population", "population_basis"),
)
_EXAMPLE = "code,name,office_latitude,office_longitude\n131016,千代田区,35.694,139.7536\n"
_TITLES = (
    ("code", "Municipal code", "団体コード"),
    ("name_ja", "Name", "区名"),
    ("name_en", "Name in English", "区名（英語）"),
    ("latitude", "Latitude", "緯度"),
    ("longitude", "Longitude", "経度"),
    ("population", "Population", "人口"),
)


class WardOut(BaseModel):
    """A ward as it was imported last."""

    code: WardCode
    name_ja: str
    name_en: str
    latitude: float
    longitude: float
    population: int | None


class WardFileResult(BaseModel):
    """What became of a file."""

    sha256: str
    outcome: FileOutcome
    rows: int
    changed: int
    refused: int
    results: list[RowResult]


@router.post(
    ":import",
    summary="Take in the city's wards from a file",
    openapi_extra=row_results.upload(_EXAMPLE, FORM),
)
async def import_wards(
    request: Request,
    call: CallDep,
    dry_run: Annotated[bool, Query(description="Only say what would happen.")] = False,
) -> WardFileResult:
    """All of the file, or nothing where a row is refused. The same file again changes nothing;
    wards that it does not name stay as they are."""
    body = await request.body()
    language = negotiate(request.headers.get("accept-language"))
    file = WholeFile(
        body, FORM, MOST_ROWS, row_of=ward_of, key=lambda ward: ward.code, twice=said_twice
    )
    outcome, changed = await _taken(call, file, dry_run=dry_run)
    return WardFileResult(
        sha256=hashlib.sha256(body).hexdigest(),
        outcome=outcome,
        rows=file.count,
        changed=changed,
        refused=file.refused,
        results=list(file.results(language)),
    )


@router.get(
    "", summary="The city's wards", response_model=Page[WardOut], responses=documents.files()
)
async def wards(request: Request, call: CallDep, wanted: TableDep, page: PageDep) -> Response:
    """In order of their codes."""
    async with call.unit() as unit:
        found = await stored.all_(unit.conn)
    return await listed(
        request,
        wanted,
        page,
        [WardOut(**asdict(ward)) for ward in found],
        name="wards",
        titles=_TITLES,
        key=lambda line: (line.code,),
        kind=tuple[str],
    )


async def _taken(call: Call, file: WholeFile[Ward], *, dry_run: bool) -> tuple[FileOutcome, int]:
    if file.refused:
        return FileOutcome.REFUSED, 0
    async with call.unit() as unit:
        known = {ward.code: ward for ward in await stored.all_(unit.conn)}
        changed = [ward for ward in file.rows if known.get(ward.code) != ward]
        if not changed:
            return FileOutcome.UNCHANGED, 0
        if dry_run:
            return FileOutcome.DRY_RUN, len(changed)
        await stored.put(unit.conn, changed)
        unit.audit("wards.imported", subject="wards", rows=len(changed))
    return FileOutcome.IMPORTED, len(changed)

"""/v1/forecasts: versions of what is expected, taken from files, and how far each was from it."""

import hashlib
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.api import documents
from services.reporting.api.filters import today
from services.reporting.api.forecast_models import (
    AccuracyLine,
    ForecastLine,
    ForecastResult,
    ForecastVersion,
)
from services.reporting.api.lists import listed, version_of
from services.reporting.api.spans import CalendarDep
from services.reporting.api.whole_files import FileOutcome, WholeFile
from services.reporting.domain.accuracy import Accuracy
from services.reporting.domain.forecasts import Value, Version, said_twice, value_of
from services.reporting.handlers import forecasts
from services.reporting.handlers.forecasts import Present
from services.reporting.store import forecasts as stored
from shared.csv_file import Form
from shared.http import row_results
from shared.http.call import Call, CallDep
from shared.http.etag import tagged
from shared.http.language import negotiate
from shared.http.paging import Page, PageDep
from shared.http.tables import TableDep

router = APIRouter(prefix="/v1/forecasts", tags=["forecasts"])

MOST_ROWS = 5_000
FORM = Form(("month", "service", "basis", "count"))
_EXAMPLE = "month,service,basis,count\n2026-04,card_issuance,forecast,12556\n"
VersionPath = Annotated[int, Path(ge=1, le=2**31 - 1)]

_LINE_TITLES = (
    ("month", "Month", "年月"),
    ("service", "Procedure", "手続"),
    ("basis", "Basis", "区分"),
    ("count", "Number", "件数"),
)
_ACCURACY_TITLES = (
    ("version", "Version", "版"),
    ("service", "Procedure", "手続"),
    ("months", "Months compared", "比較月数"),
    ("mae", "Mean absolute error (MAE)", "平均絶対誤差（MAE）"),
    ("mape", "As a share of what came (MAPE)", "平均絶対誤差率（MAPE）"),
    ("mase", "Against the naive forecast (MASE)", "単純予測比（MASE）"),
    ("bias", "Bias", "偏り"),
)


class _After(NamedTuple):
    version: Annotated[int, Field(ge=1, le=2**31 - 1)]


@router.post(
    ":import",
    summary="Take in a forecast from a file",
    openapi_extra=row_results.upload(_EXAMPLE, FORM),
)
async def import_forecast(
    request: Request,
    call: CallDep,
    name: Annotated[
        str, Query(min_length=1, max_length=100, description="What this forecast is called.")
    ] = "forecast",
    dry_run: Annotated[bool, Query(description="Only say what would happen.")] = False,
) -> ForecastResult:
    """The file becomes the next version, or nothing where a row is refused. The same file again
    changes nothing."""
    body = await request.body()
    language = negotiate(request.headers.get("accept-language"))
    file = WholeFile(
        body, FORM, MOST_ROWS, row_of=value_of, key=lambda row: row.key, twice=said_twice
    )
    digest = hashlib.sha256(body).digest()
    if file.refused:
        outcome, version = FileOutcome.REFUSED, None
    elif dry_run:
        outcome, version = await _tried(call, digest)
    else:
        outcome, version = await _taken(call, digest, name, file.rows)
    return ForecastResult(
        sha256=digest.hex(),
        outcome=outcome,
        version=version,
        rows=file.count,
        refused=file.refused,
        results=list(file.results(language)),
    )


@router.get("", summary="Versions, the newest first", response_model=Page[ForecastVersion])
async def versions(request: Request, call: CallDep, page: PageDep) -> Response:
    """Every forecast that was taken in; the newest counts where none is named."""
    before = page.after(_After)
    async with call.unit() as unit:
        found = await stored.versions(
            unit.conn, before=before.version if before else None, limit=page.fetch
        )
    shown = page.page(found, key=lambda each: (each.version,), item=_version)
    return tagged(request, shown, version_of(shown))


@router.get("/{version}", summary="One version", response_model=ForecastVersion)
async def one(request: Request, call: CallDep, version: VersionPath) -> Response:
    """What it is called, and which months it forecasts."""
    async with call.unit() as unit:
        found = _version(await forecasts.find(unit, version))
    return tagged(request, found, version_of(found))


@router.get(
    "/{version}/values",
    summary="The numbers of a version",
    response_model=Page[ForecastLine],
    responses=documents.files(),
)
async def values(
    request: Request, call: CallDep, wanted: TableDep, page: PageDep, version: VersionPath
) -> Response:
    """In order of month, procedure and basis, as `month,service,basis,count`."""
    async with call.unit() as unit:
        await forecasts.find(unit, version)
        found = await stored.values(unit.conn, version)
    lines = [
        ForecastLine(
            month=f"{each.month:%Y-%m}", service=each.procedure, basis=each.basis, count=each.count
        )
        for each in found
    ]
    return await listed(
        request,
        wanted,
        page,
        sorted(lines, key=_line_key),
        name=f"forecast-{version}",
        titles=_LINE_TITLES,
        key=_line_key,
        kind=tuple[str, str, str],
    )


@router.get(
    "/{version}/accuracy",
    summary="How far a version was from what came",
    response_model=Page[AccuracyLine],
    responses=documents.files(),
)
async def accuracy(
    *,
    request: Request,
    call: CallDep,
    wanted: TableDep,
    page: PageDep,
    calendar: CalendarDep,
    version: VersionPath,
) -> Response:
    """MAE, MAPE, MASE and bias over the months that are over; no line where there is none. A month
    that was counted in part, for the city went live in it, is left out."""
    present = Present(today(call.resources.units.clock).replace(day=1), calendar)
    async with call.unit() as unit:
        await forecasts.find(unit, version)
        found = await forecasts.judged(unit, version, present)
    return await listed(
        request,
        wanted,
        page,
        [_accuracy(version, each) for each in found],
        name=f"forecast-{version}-accuracy",
        titles=_ACCURACY_TITLES,
        key=lambda line: (line.service,),
        kind=tuple[str],
    )


async def _tried(call: Call, digest: bytes) -> tuple[FileOutcome, int | None]:
    async with call.unit() as unit:
        version = await stored.version_of(unit.conn, digest)
    return (FileOutcome.UNCHANGED if version else FileOutcome.DRY_RUN), version


async def _taken(
    call: Call, digest: bytes, name: str, values: list[Value]
) -> tuple[FileOutcome, int | None]:
    async with call.unit() as unit:
        version, fresh = await forecasts.take_in(unit, digest, name, values)
    return (FileOutcome.IMPORTED if fresh else FileOutcome.UNCHANGED), version


def _version(found: Version) -> ForecastVersion:
    return ForecastVersion(
        version=found.version,
        name=found.name,
        imported_at=found.imported_at,
        imported_by=found.imported_by,
        first_month=f"{found.first:%Y-%m}" if found.first else None,
        last_month=f"{found.last:%Y-%m}" if found.last else None,
    )


def _accuracy(version: int, found: Accuracy) -> AccuracyLine:
    return AccuracyLine(
        version=version,
        service=found.procedure or "sum",
        months=found.months,
        mae=round(found.mae, 2),
        mape=None if found.mape is None else round(found.mape, 4),
        mase=None if found.mase is None else round(found.mase, 3),
        bias=round(found.bias, 2),
    )


def _line_key(line: ForecastLine) -> tuple[str, str, str]:
    return (line.month, line.service, line.basis)

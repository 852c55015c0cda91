"""/v1/reports/charts: pictures of the figures, as SVG or PNG, for papers and slides."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.api.equity import NEAR_KM
from services.reporting.api.filters import YearDep
from services.reporting.api.spans import DaysDep
from services.reporting.domain.pictures import Spec
from services.reporting.gateways.drawing import Drawing, Picture
from services.reporting.handlers import pictures
from services.reporting.handlers.pictures import Sight
from shared.http.call import CallDep
from shared.http.etag import etag, is_known
from shared.http.language import negotiate
from shared.unit import Unit

router = APIRouter(prefix="/v1/reports/charts", tags=["reports"])


class ChartName(StrEnum):
    """What is drawn."""

    MONTHS = "months"
    WAITING = "waiting"
    DISTANCES = "distances"


MEDIA: Mapping[Picture, str] = {"svg": "image/svg+xml", "png": "image/png"}
CHARTS: Mapping[ChartName, Callable[[Unit, Sight], Awaitable[Spec]]] = {
    ChartName.MONTHS: pictures.months,
    ChartName.WAITING: pictures.waiting,
    ChartName.DISTANCES: pictures.distances,
}
_PICTURES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The picture.",
        "content": {media: {"schema": {"type": "string"}} for media in MEDIA.values()},
    },
    304: {"description": "You have it already."},
}


@router.get(
    "/{chart}", summary="A chart as SVG or PNG", response_class=Response, responses=_PICTURES
)
async def chart_report(
    *,
    request: Request,
    call: CallDep,
    chart: ChartName,
    year: YearDep,
    days: DaysDep,
    form: Annotated[Picture, Query(alias="format", description="svg or png.")] = "svg",
) -> Response:
    """`months` shows a fiscal year, the others the days asked for. Words follow Accept-Language."""
    language = negotiate(request.headers.get("accept-language"))
    async with call.unit() as unit:
        spec = await CHARTS[chart](unit, Sight(year, days, NEAR_KM, language))
    version = _version(spec, form)
    headers = {
        "ETag": etag(version),
        "Cache-Control": "private, no-cache",
        "Content-Language": language,
        "Vary": "Accept-Language",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    }
    if is_known(request.headers.get("if-none-match"), version):
        return Response(status_code=304, headers=headers)
    drawing: Drawing = request.app.state.drawing
    return Response(await drawing.draw(spec, form), headers=headers, media_type=MEDIA[form])


def _version(spec: Spec, form: Picture) -> int:
    told = json.dumps([spec, form], sort_keys=True).encode()
    return int.from_bytes(hashlib.sha256(told).digest()[:8])

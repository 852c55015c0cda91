"""/v1/equity: how near, how soon and where the residents of each ward are served."""

import asyncio
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.api import documents
from services.reporting.api.lists import listed
from services.reporting.api.spans import DaysDep
from services.reporting.domain import equity as domain
from services.reporting.domain.equity import WardEquity
from services.reporting.handlers import equity
from services.reporting.handlers.equity import Known
from services.reporting.store.site_days import Days
from shared.contracts.base import Procedure
from shared.contracts.place import SiteKind
from shared.http.call import CallDep
from shared.http.paging import Page, PageDep
from shared.http.tables import TableDep
from shared.ids import SiteId, WardCode

router = APIRouter(prefix="/v1/equity", tags=["equity"])

NEAR_KM = 4.0
"""What the city's plan calls near the center."""

ProcedureParam = Annotated[Procedure | None, Query(description="Without it, both.")]
WARD_TITLES = (
    ("ward", "Ward of residence", "住所地の区（団体コード）"),
    ("completed", "Completed", "件数"),
    ("days_to_first_free", "Days to the first free day", "最短予約可能日までの日数"),
    ("distance_km", "Mean distance (km)", "平均距離（km）"),
    ("distance_p90_km", "Distance, p90 (km)", "距離の90％点（km）"),
    ("own_ward_share", "Within own ward", "自区内の割合"),
    ("near_share", "Near", "近距離の割合"),
    ("center_share", "At centers", "センターの割合"),
    ("satellite_share", "At satellites", "サテライトの割合"),
    ("ward_office_share", "At ward offices", "区役所の割合"),
    ("temporary_window_share", "At temporary windows", "臨時窓口の割合"),
)
SPREAD_TITLES = (
    ("measure", "Measure", "指標"),
    ("wards", "Wards", "区数"),
    ("least", "Least", "最小"),
    ("least_ward", "Ward with the least", "最小の区"),
    ("most", "Most", "最大"),
    ("most_ward", "Ward with the most", "最大の区"),
    ("gini", "Gini coefficient", "ジニ係数"),
    ("ratio", "Most to least", "最大／最小"),
)
_SITES = (
    ("site_id", "Site", "窓口"),
    ("kind", "Kind", "種別"),
    ("ward", "Ward of residence", "住所地の区（団体コード）"),
    ("completed", "Completed", "件数"),
    ("share", "Share of the site", "窓口内の割合"),
    ("rank", "Rank", "順位"),
    ("cumulative_share", "Share of the first so many", "累積割合"),
    ("distance_km", "Distance (km)", "距離（km）"),
)


class WardLine(BaseModel):
    """How the residents of a ward were served; null where it is not known or nobody was."""

    ward: WardCode
    completed: int
    days_to_first_free: float | None = Field(description="Mean over evenings of these days.")
    distance_km: float | None = Field(description="Straight line from the ward's place, mean.")
    distance_p90_km: float | None
    own_ward_share: float | None
    near_share: float | None = Field(description="Within `near_km`.")
    center_share: float | None
    satellite_share: float | None
    ward_office_share: float | None
    temporary_window_share: float | None


class SpreadLine(BaseModel):
    """How uneven a measure is over the wards."""

    measure: str
    wards: int
    least: float
    least_ward: WardCode
    most: float
    most_ward: WardCode
    gini: float | None = Field(description="0 where all have the same.")
    ratio: float | None = Field(description="Most to least; null where the least is 0.")


class SiteWardLine(BaseModel):
    """From where the users of a site come."""

    site_id: SiteId
    kind: SiteKind | None
    ward: WardCode
    completed: int
    share: float
    rank: int = Field(description="1 is the ward with the most users of the site.")
    cumulative_share: float = Field(description="Of the wards up to this rank.")
    distance_km: float | None


async def _known(
    call: CallDep, days: DaysDep, procedure: ProcedureParam = None
) -> tuple[Known, Days, Procedure | None]:
    async with call.unit() as unit:
        return await equity.known(unit.conn, days, procedure), days, procedure


KnownDep = Annotated[tuple[Known, Days, Procedure | None], Depends(_known)]
NearParam = Annotated[float, Query(gt=0, le=100, description="Kilometres that count as near.")]


@router.get(
    "",
    summary="Each ward: how near, how soon, and where",
    response_model=Page[WardLine],
    responses=documents.files(),
)
async def wards(
    request: Request, wanted: TableDep, page: PageDep, known: KnownDep, near_km: NearParam = NEAR_KM
) -> Response:
    """Of the procedures completed in these days."""
    found = await asyncio.to_thread(equity.judged, known[0], known[2], near_km)
    return await listed(
        request,
        wanted,
        page,
        [WardLine(**rounded(each)) for each in found],
        name=f"equity-{known[1].first}-{known[1].last}",
        titles=WARD_TITLES,
        key=lambda line: (line.ward,),
        kind=tuple[str],
    )


@router.get(
    "/measures",
    summary="How uneven each measure is over the wards: Gini, most to least",
    response_model=Page[SpreadLine],
    responses=documents.files(),
)
async def measures(
    request: Request, wanted: TableDep, page: PageDep, known: KnownDep, near_km: NearParam = NEAR_KM
) -> Response:
    """Each ward counts the same, however many live in it."""
    found = domain.spreads(await asyncio.to_thread(equity.judged, known[0], known[2], near_km))
    lines = [SpreadLine(**rounded(each)) for each in found]
    return await listed(
        request,
        wanted,
        page,
        sorted(lines, key=lambda line: line.measure),
        name=f"equity-measures-{known[1].first}-{known[1].last}",
        titles=SPREAD_TITLES,
        key=lambda line: (line.measure,),
        kind=tuple[str],
    )


@router.get(
    "/sites",
    summary="From which wards the users of each site come",
    response_model=Page[SiteWardLine],
    responses=documents.files(),
)
async def sites(request: Request, wanted: TableDep, page: PageDep, known: KnownDep) -> Response:
    """By site and rank; `cumulative_share` at rank 3 is what the plan tells of a center."""
    return await listed(
        request,
        wanted,
        page,
        list(_of_sites(known[0])),
        name=f"equity-sites-{known[1].first}-{known[1].last}",
        titles=_SITES,
        key=lambda line: (line.site_id, line.rank),
        kind=tuple[str, int],
    )


def _of_sites(known: Known) -> Iterator[SiteWardLine]:
    for origin in domain.origins(known.flows):
        site = known.geography.sites.get(origin.site_id)
        distance = known.geography.distance(origin.ward, origin.site_id)
        yield SiteWardLine(
            **rounded(origin),
            kind=site.kind if site else None,
            distance_km=None if distance is None else round(distance, 2),
        )


def rounded(found: WardEquity | domain.Spread | domain.Origin) -> dict[str, Any]:
    """The members, to four places."""
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(found).items()}

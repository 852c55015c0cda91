"""Reads who was served where and how soon, and judges how evenly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from services.reporting.domain import equity as domain
from services.reporting.domain.equity import Flow, Geography, Place, WardEquity
from services.reporting.domain.first_free import FirstFree
from services.reporting.handlers import first_free
from services.reporting.store import flows, plans, wards
from services.reporting.store.habits import Between
from services.reporting.store.site_days import Days
from shared.contracts.base import Procedure
from shared.db import Connection
from shared.ids import WardCode

EVENINGS = 31
"""Evenings on which first free days are looked for, spread evenly over the time asked for."""


@dataclass(frozen=True, slots=True)
class Known:
    """All that equity is judged by."""

    flows: Sequence[Flow]
    geography: Geography
    first_free: first_free.Known


async def known(conn: Connection, days: Days, procedure: Procedure | None) -> Known:
    """What happened in these days, at the sites as they were at their end."""
    sites = await plans.on_day(conn, days.last)
    step = max(1, -(-((days.last - days.first).days + 1) // EVENINGS))
    told = {ward.code: Place(ward.latitude, ward.longitude) for ward in await wards.all_(conn)}
    return Known(
        await flows.flows(conn, Between.of(days.first, days.last), procedure),
        Geography({site.site_id: site for site in sites}, domain.places(sites, told)),
        await first_free.known(conn, days, step=step),
    )


def judged(found: Known, procedure: Procedure | None, near_km: float) -> list[WardEquity]:
    """Each ward; a matter of a second for many days, so not for the event loop."""
    waits = _waits(first_free.of_wards(found.first_free), procedure)
    return domain.equity(found.flows, found.geography, waits, near_km)


def _waits(evenings: Sequence[FirstFree], procedure: Procedure | None) -> Mapping[WardCode, float]:
    days: dict[WardCode, list[int]] = {}
    for each in evenings:
        if each.days is not None and procedure in (None, each.procedure):
            days.setdefault(WardCode(each.part), []).append(each.days)
    return {ward: fmean(found) for ward, found in days.items()}

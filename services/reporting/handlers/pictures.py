"""The charts: which figures they show, and in which words."""

import asyncio
from dataclasses import dataclass

from services.reporting.domain import backlog
from services.reporting.domain.accuracy import series
from services.reporting.domain.forecasts import Basis
from services.reporting.domain.pictures import Row, Spec, areas, bars, stacked_with_line
from services.reporting.handlers import equity, plan_numbers
from services.reporting.handlers.plan_numbers import Wish
from services.reporting.store import wards, ways
from services.reporting.store.site_days import Days
from shared.calendar import FiscalYear
from shared.contracts.base import Procedure
from shared.errors import Language, Text
from shared.unit import Unit

_PROCEDURES = {
    Procedure.CARD_ISSUANCE: Text("Cards issued", "カード交付"),
    Procedure.CERTIFICATE_RENEWAL: Text("E-certificates renewed", "電子証明書更新"),
}
_WAITING = {
    "waiting_for_shipment": Text("Waiting for shipment", "発送待ち"),
    "waiting_for_preset": Text("Waiting for preset", "交付前設定待ち"),
    "waiting_for_issuance": Text("Waiting for issuance", "交付待ち"),
}
_CASES = Text("Procedures", "件数")
_CARDS = Text("Cards", "枚数")
_MONTHS = Text("{year}: procedures by month", "{year} 月別件数")
_EXPECTED = Text("Forecast (both)", "予想（計）")
_BACKLOG = Text("What waits, day by day", "滞留状況の推移")
_DISTANCE = Text("Mean distance to the site used", "利用窓口までの平均距離")
_KM = Text("Kilometres (straight line)", "直線距離（km）")


@dataclass(frozen=True, slots=True)
class Sight:
    """What is looked at, and by whom."""

    year: FiscalYear
    days: Days
    near_km: float
    language: Language


async def months(unit: Unit, sight: Sight) -> Spec:
    """A fiscal year: what was done, and a line of what was expected."""
    say = sight.language
    wish = Wish((sight.year,), frozenset({Basis.ACTUAL, Basis.FORECAST}))
    strands = {each.basis: each.counts for each in await plan_numbers.strands(unit, wish)}
    done, expected = strands.get(Basis.ACTUAL, {}), strands.get(Basis.FORECAST, {})
    order = [f"{month:%Y-%m}" for month in sight.year.months()]
    parts: list[Row] = [
        {"x": f"{month:%Y-%m}", "part": _PROCEDURES[each].to(say), "value": count}
        for each in Procedure
        for month in sight.year.months()
        if (count := done.get((month, each))) is not None
    ]
    line: list[Row] = [
        {"x": f"{month:%Y-%m}", "part": _EXPECTED.to(say), "value": count}
        for month, count in series(expected, None).items()
        if month in sight.year
    ]
    title = _MONTHS.to(say).format(year=sight.year.name(say))
    return stacked_with_line(title, _CASES.to(say), parts, line, order)


async def waiting(unit: Unit, sight: Sight) -> Spec:
    """What waited at the end of each day, in the whole city."""
    days = sight.days
    changes = await ways.changes(unit.conn, days.first, days.last, None)
    found = backlog.city(list(backlog.running(changes, days.first, days.last)))
    rows: list[Row] = [
        {"x": day.isoformat(), "part": title.to(sight.language), "value": getattr(totals, name)}
        for name, title in _WAITING.items()
        for day, totals in found.items()
    ]
    return areas(_BACKLOG.to(sight.language), _CARDS.to(sight.language), rows)


async def distances(unit: Unit, sight: Sight) -> Spec:
    """How far the residents of each ward went."""
    names = {ward.code: ward for ward in await wards.all_(unit.conn)}
    known = await equity.known(unit.conn, sight.days, None)
    judged = await asyncio.to_thread(equity.judged, known, None, sight.near_km)
    rows: list[Row] = []
    for each in judged:
        ward = names.get(each.ward)
        name = each.ward if ward is None else Text(ward.name_en, ward.name_ja).to(sight.language)
        rows.append({"x": name, "value": each.distance_km and round(each.distance_km, 2)})
    return bars(_DISTANCE.to(sight.language), _KM.to(sight.language), rows)

"""Equity: how near and how soon the residents of each ward are served, and where."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

from services.reporting.api.board.ask import Ask
from services.reporting.api.board.booking import ward_names
from services.reporting.api.board.map_names import Named, below, short_names
from services.reporting.api.board.view import (
    ChartView,
    Head,
    Row,
    Section,
    TableView,
    View,
    count,
    figure,
    share,
)
from services.reporting.api.equity import NEAR_KM
from services.reporting.api.spans import USUAL
from services.reporting.domain import equity as domain
from services.reporting.domain.circle import circle
from services.reporting.domain.equity import WardEquity
from services.reporting.handlers import equity
from services.reporting.handlers.equity import Known
from services.reporting.store.site_days import Days
from shared.contracts.place import Site, SiteKind, SiteState
from shared.ids import SiteId, WardCode

_SHOWN = (SiteState.OPEN, SiteState.WINDING_DOWN)
_SHARES = ("center", "satellite", "ward_office", "temporary_window")


async def read(ask: Ask) -> View:
    """The page: the same days that ``/v1/equity`` shows where none are asked for."""
    days = Days(ask.today - timedelta(days=USUAL - 1), ask.today)
    known = await equity.known(ask.unit.conn, days, None)
    found = await asyncio.to_thread(equity.judged, known, None, NEAR_KM)
    names = ward_names(list(known.geography.sites.values()), ask)
    return View(
        [],
        [_map(ask, known, found, names), _wards(ask, found, names), _spreads(ask, found, names)],
        [ask.t("equity_note")],
    )


def _map(
    ask: Ask, known: Known, found: Sequence[WardEquity], names: Mapping[WardCode, str]
) -> Section:
    t = ask.t
    sites = [site for site in known.geography.sites.values() if site.state in _SHOWN]
    at_site = Counter[SiteId]()
    for flow in known.flows:
        at_site[flow.site_id] += flow.completed
    rows: list[Row] = [
        _point(names.get(each.ward, each.ward), t("ward"), each.completed, place)
        for each in found
        if (place := known.geography.wards.get(each.ward)) is not None
    ]
    # A ward office stands where its ward does.
    others = [site for site in sites if site.kind is not SiteKind.WARD_OFFICE]
    short = short_names(ask.name(site.name) for site in others)
    rows += [_point(short[ask.name(s.name)], t("site"), at_site[s.site_id], s) for s in others]
    rows = _named(rows, t("ward"))
    shapes = [circle(site.latitude, site.longitude, NEAR_KM) for site in sites]
    table = TableView(
        [Head(t("at"), figures=False), Head(t("kind"), figures=False), Head(t("completed"))],
        [[ask.name(s.name), t(s.kind), count(at_site[s.site_id])] for s in sites],
    )
    chart = ChartView("map", t("map_chart"), rows, shapes, wide=True)
    return Section("map", t("map"), table, chart, [t("map_note")])


def _named(rows: Sequence[Row], ward: str) -> list[Row]:
    """With the place of each name: wards above their point, sites below, none over another."""
    places = [
        Named(
            str(row["place"]),
            float(row["latitude"] or 0),
            float(row["longitude"] or 0),
            above=row["kind"] == ward,
        )
        for row in rows
    ]
    return [
        {**row, "below": pixels} for row, pixels in zip(rows, below(places, NEAR_KM), strict=True)
    ]


def _point(name: str, kind: str, cases: int, place: Site | domain.Place) -> Row:
    return {
        "place": name,
        "kind": kind,
        "cases": cases,
        "latitude": place.latitude,
        "longitude": place.longitude,
    }


def _wards(ask: Ask, found: Sequence[WardEquity], names: Mapping[WardCode, str]) -> Section:
    t = ask.t
    rows = [
        [
            names.get(each.ward, each.ward),
            count(each.completed),
            figure(each.days_to_first_free),
            figure(each.distance_km),
            share(each.own_ward_share),
            share(each.near_share),
            *(share(getattr(each, f"{kind}_share")) for kind in _SHARES),
        ]
        for each in found
    ]
    keys = ("completed", "days_to_first_free", "distance_km", "own_ward_share", "near_share")
    heads = [
        Head(t("ward_of"), figures=False),
        *(Head(t(key)) for key in keys),
        *(Head(t("share_of").format(t(kind))) for kind in _SHARES),
    ]
    return Section("wards", t("per_ward"), TableView(heads, rows))


def _spreads(ask: Ask, found: Sequence[WardEquity], names: Mapping[WardCode, str]) -> Section:
    t = ask.t
    rows = [
        [
            t(each.measure)
            if each.measure not in {f"{kind}_share" for kind in _SHARES}
            else t("share_of").format(t(each.measure.removesuffix("_share"))),
            _at(ask, each.measure, each.least, names.get(each.least_ward, each.least_ward)),
            _at(ask, each.measure, each.most, names.get(each.most_ward, each.most_ward)),
            "–" if each.ratio is None else f"{each.ratio:,.2f}",
            "–" if each.gini is None else f"{each.gini:,.3f}",
        ]
        for each in domain.spreads(found)
    ]
    heads = [Head(t("measure"), figures=False)]
    heads += [Head(t(key)) for key in ("least", "most", "inequality", "gini")]
    return Section("spreads", t("spreads"), TableView(heads, rows))


def _at(ask: Ask, measure: str, value: float, ward: str) -> str:
    """A measure and where it is so; shares as shares."""
    text = share(value) if measure.endswith("_share") else f"{value:,.2f}"
    return f"{text}（{ward}）" if ask.language == "ja" else f"{text} ({ward})"

"""Equity: how near and how soon the residents of each ward are served, and where."""

from collections import Counter
from collections.abc import Mapping, Sequence

from services.reporting.api.board.ask import Ask
from services.reporting.api.board.booking import ward_names
from services.reporting.api.board.view import (
    ChartView,
    Head,
    Row,
    Section,
    TableView,
    View,
    count,
)
from services.reporting.domain.circle import circle
from services.reporting.domain.free import first_free_of_ward
from services.reporting.handlers import site_reports
from services.reporting.handlers.site_reports import Outlook
from services.reporting.store import reports
from shared.contracts.base import Procedure
from shared.contracts.place import Site, SiteKind, SiteState

RADIUS_KM = 4.0
"""What the city's plan calls near."""
_SHOWN = (SiteState.OPEN, SiteState.WINDING_DOWN)


async def read(ask: Ask) -> View:
    """The page."""
    span = reports.Span(ask.year.first, ask.year.last)
    cells = await reports.cells(ask.unit.conn, span)
    outlook = await site_reports.outlook(ask.unit.conn, ask.today)
    wards, sites = Counter[str](), Counter[str]()
    for cell in cells:
        wards[cell.ward] += cell.completed
        sites[cell.site_id] += cell.completed
    return View([], [_map(ask, outlook, wards, sites), _wards(ask, outlook, wards)])


def _map(ask: Ask, outlook: Outlook, wards: Mapping[str, int], sites: Mapping[str, int]) -> Section:
    t = ask.t
    shown = [site for site in outlook.sites if site.state in _SHOWN]
    names = ward_names(outlook.sites, ask)
    places = [
        *((site, t("ward"), names[site.ward], wards[site.ward]) for site in _offices(shown)),
        *((s, t("site"), ask.name(s.name), sites[s.site_id]) for s in shown if not _is_office(s)),
    ]
    rows: list[Row] = [
        {
            "place": place,
            "kind": kind,
            "cases": cases,
            "latitude": site.latitude,
            "longitude": site.longitude,
        }
        for site, kind, place, cases in places
    ]
    shapes = [circle(site.latitude, site.longitude, RADIUS_KM) for site in shown]
    table = TableView(
        [Head(t("at"), figures=False), Head(t("kind"), figures=False), Head(t("completed"))],
        [[ask.name(s.name), t(s.kind), count(sites[s.site_id])] for s in shown],
    )
    return Section(
        "map", t("map"), table, ChartView("map", t("map_chart"), rows, shapes), [t("map_note")]
    )


def _wards(ask: Ask, outlook: Outlook, wards: Mapping[str, int]) -> Section:
    t = ask.t
    rows = []
    for ward, name in sorted(ward_names(outlook.sites, ask).items()):
        cells = [name, count(wards[ward])]
        for procedure in Procedure:
            found = first_free_of_ward(outlook.rooms, outlook.sites, ward, procedure)
            cells.append(count((found[0] - outlook.today).days) if found else t("none_free"))
        rows.append(cells)
    heads = [
        Head(t("ward_of"), figures=False),
        Head(t("completed")),
        Head(t("days_card")),
        Head(t("days_certificate")),
    ]
    return Section("wards", t("per_ward"), TableView(heads, rows))


def _offices(sites: Sequence[Site]) -> list[Site]:
    return [site for site in sites if _is_office(site)]


def _is_office(site: Site) -> bool:
    return site.kind is SiteKind.WARD_OFFICE

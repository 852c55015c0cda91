"""Booking: when the next seat is free, for whom and where, how full the coming weeks are, and who
looked in vain."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from services.reporting.api.board import refused
from services.reporting.api.board.ask import Ask
from services.reporting.api.board.dates import short_day
from services.reporting.api.board.map_names import short_names
from services.reporting.api.board.view import (
    ChartView,
    Head,
    Row,
    Section,
    TableView,
    Tile,
    View,
    count,
    share,
)
from services.reporting.domain.first_free import FirstFree
from services.reporting.domain.free import first_free, first_free_of_ward
from services.reporting.handlers import first_free as first_free_days
from services.reporting.handlers import site_reports
from services.reporting.handlers.site_reports import Outlook
from services.reporting.store.site_days import Days
from shared.contracts.base import Procedure
from shared.contracts.place import Site, SiteKind, SiteState
from shared.ids import WardCode

DAYS_SHOWN = 28
"""How far the heat map looks."""
SEARCH_DAYS = 7
"""How far back searches are counted, today included."""
MOVED_DAYS, MOVED_STEP = 28, 2
"""How far back, and at how many days' distance, first free days are looked at."""
_OF = {"moved_wards": "ward_of", "moved_sites": "site"}
_KINDS = tuple(SiteKind)


async def read(ask: Ask) -> View:
    """The page."""
    outlook = await site_reports.outlook(ask.unit.conn, ask.today)
    sites = _offering(outlook)
    past = Days(ask.today - timedelta(days=MOVED_DAYS), ask.today)
    moved = await first_free_days.known(ask.unit.conn, past, step=MOVED_STEP)
    # Of today what is free now, as it stands above: its evening is still to come.
    known = replace(moved, live=outlook)
    wards = {str(code): name for code, name in sorted(ward_names(outlook.sites, ask).items())}
    names = {str(site.site_id): ask.name(site.name) for site in sites}
    looked = await refused.read(ask, SEARCH_DAYS)
    sections = [
        _by_ward(ask, outlook),
        _by_site(ask, outlook, sites),
        _heat(ask, outlook, sites),
        refused.by_ward(ask, looked, wards),
        refused.by_site(ask, looked, names),
        _moved(ask, "moved_wards", wards, first_free_days.of_wards(known)),
        _moved(ask, "moved_sites", names, first_free_days.of_sites(known)),
    ]
    return View([*_tiles(ask, outlook), *refused.tiles(ask, looked)], sections)


def ward_names(sites: Sequence[Site], ask: Ask) -> dict[WardCode, str]:
    """The wards by the name of their ward office, without its last word."""
    offices = (site for site in sites if site.kind is SiteKind.WARD_OFFICE)
    return {
        site.ward: site.name.ja.removesuffix("役所")
        if ask.language == "ja"
        else site.name.en.removesuffix(" Ward Office")
        for site in offices
    }


def _offering(outlook: Outlook) -> list[Site]:
    with_seats = {site_id for site_id, _ in outlook.rooms}
    return sorted(
        (s for s in outlook.sites if s.site_id in with_seats and s.state is not SiteState.CLOSED),
        key=lambda site: (_KINDS.index(site.kind), site.site_id),
    )


def _tiles(ask: Ask, outlook: Outlook) -> list[Tile]:
    first = first_free(outlook.seats)
    tiles = []
    for procedure in Procedure:
        days = [day for (_, each), day in first.items() if each is procedure]
        label = f"{ask.t('first_free')}: {ask.t(procedure)}"
        text = short_day(min(days), ask.language) if days else ask.t("none_free")
        tiles.append(Tile(label, text, alert=not days))
    return tiles


def _by_ward(ask: Ask, outlook: Outlook) -> Section:
    t, bars, rows = ask.t, list[Row](), list[list[str]]()
    names = {site.site_id: ask.name(site.name) for site in outlook.sites}
    seats = outlook.seats
    for ward, name in sorted(ward_names(outlook.sites, ask).items()):
        cells = [name]
        for procedure in Procedure:
            found = first_free_of_ward(seats, outlook.sites, ward, procedure)
            cells += _first(ask, outlook, found and found[0])
            cells.append("–" if found is None else names[found[1]])
            if found:
                days = (found[0] - outlook.today).days
                bars.append({"place": name, "kind": t(procedure), "days": days})
        rows.append(cells)
    heads = [Head(t("ward_of"), figures=False)]
    for procedure in Procedure:
        heads += [
            Head(f"{t(procedure)}: {t('first_free')}", figures=False),
            Head(t("days_ahead")),
            Head(t("at"), figures=False),
        ]
    chart = ChartView("wait_for_a_day", t("by_ward_chart"), bars)
    return Section("wards", t("by_ward"), TableView(heads, rows), chart, [t("free_note")])


def _by_site(ask: Ask, outlook: Outlook, sites: Sequence[Site]) -> Section:
    t, first = ask.t, first_free(outlook.seats)
    rows = [
        [
            ask.name(site.name),
            *(c for p in Procedure for c in _first(ask, outlook, first.get((site.site_id, p)))),
        ]
        for site in sites
    ]
    heads = [Head(t("site"), figures=False)]
    for procedure in Procedure:
        title = f"{t(procedure)}: {t('first_free')}"
        heads += [Head(title, figures=False), Head(t("days_ahead"))]
    return Section("sites", t("by_site"), TableView(heads, rows))


def _first(ask: Ask, outlook: Outlook, day: date | None) -> list[str]:
    if day is None:
        return [ask.t("none_free"), "–"]
    return [short_day(day, ask.language), count((day - outlook.today).days)]


def _heat(ask: Ask, outlook: Outlook, sites: Sequence[Site]) -> Section:
    t = ask.t
    ahead = (outlook.today + timedelta(days=number) for number in range(1, DAYS_SHOWN + 1))
    # Days on which no site offers anything would only make the table wide.
    offered = {day for (_, day), room in outlook.rooms.items() if room.capacity}
    days = [day for day in ahead if day in offered]
    squares, rows = list[Row](), list[list[str]]()
    short = short_names(ask.name(site.name) for site in sites)
    for site in sites:
        cells = [ask.name(site.name)]
        for order, day in enumerate(days):
            room = outlook.rooms.get((site.site_id, day))
            cells.append(share(room.full) if room and room.capacity else "–")
            if room and room.capacity:
                label = short_day(day, ask.language)
                square: Row = {"day": label, "order": order, "full": room.full}
                squares.append({"site": short[cells[0]], **square})
        rows.append(cells)
    heads = [Head(t("site"), figures=False), *(Head(short_day(d, ask.language)) for d in days)]
    chart = ChartView("fullness", t("heat_chart"), squares)
    return Section("heat", t("heat"), TableView(heads, rows), chart)


def _moved(ask: Ask, id_: str, names: Mapping[str, str], found: Sequence[FirstFree]) -> Section:
    """How the first free day moved, a line for each place in ``names`` and procedure."""
    t = ask.t
    days = sorted({each.day for each in found})
    waits = {(each.part, each.procedure, each.day): each.days for each in found}
    points, rows = list[Row](), list[list[str]]()
    short = short_names(names.values())
    for part, name in names.items():
        for procedure in Procedure:
            own = [waits.get((part, procedure, day)) for day in days]
            if not any(wait is not None for wait in own):
                continue
            rows.append([f"{name} – {t(procedure)}", *(count(wait) for wait in own)])
            points += [
                {
                    "place": short[name],
                    "order": len(rows),
                    "procedure": t(procedure),
                    "day": str(day),
                    "days": wait,
                }
                for day, wait in zip(days, own, strict=True)
            ]
    heads = [Head(t(_OF[id_]), figures=False), *(Head(short_day(d, ask.language)) for d in days)]
    chart = ChartView("moved", t("moved_chart"), points, wide=True)
    return Section(id_, t(id_), TableView(heads, rows), chart, [t("moved_note")])

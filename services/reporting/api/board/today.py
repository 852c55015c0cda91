"""Today: what each site is doing now, and the day by the hour."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from services.reporting.api.board.ask import Ask
from services.reporting.api.board.dates import moment
from services.reporting.api.board.map_names import short_names
from services.reporting.api.board.view import (
    Button,
    ChartView,
    Head,
    Row,
    Section,
    TableView,
    Tile,
    View,
    count,
    figure,
)
from services.reporting.api.board.words import Speaker
from services.reporting.domain.alarms import Alarm
from services.reporting.domain.alerts import TITLES, Alert
from services.reporting.handlers import alert_history, alerts, site_reports
from services.reporting.handlers.site_reports import SiteHour, SiteState
from services.reporting.store import alerts as stored
from services.reporting.store.alerts import Kept
from services.reporting.store.habits import Between
from services.reporting.store.site_days import Days
from shared.ids import SiteId

Hour = tuple[int, int, int | None, int, int | None, int]
"""Hour, and its minutes planned, offered, booked, used and missed, over all sites."""
ALERT_DAYS, MOST_ALERTS = 7, 30
"""How far back alerts are shown, today included, and how many unless more stand."""
_MINUTES = ("planned", "offered", "booked", "used")


async def read(ask: Ask) -> View:
    """The page. The alarms that it shows are written down with it, as by GET /v1/alerts."""
    states = await site_reports.now(ask.unit.conn, ask.today, ask.now)
    await alert_history.shown(ask.unit, alerts.of_sites(states))
    day = Days(ask.today, ask.today)
    hours = _by_hour(await site_reports.hours(ask.unit.conn, day, ask.calendar))
    week = Between.of(ask.today - timedelta(days=ALERT_DAYS - 1), ask.today)
    kept = await stored.lately(ask.unit.conn, week, MOST_ALERTS)
    sections = [_sites(ask, states), _alerts(ask, kept, states), _hours(ask.t, hours)]
    return View(_tiles(ask.t, states), sections)


def _tiles(t: Speaker, states: Sequence[SiteState]) -> list[Tile]:
    sites = [state.site for state in states]
    alarms = sum(len(state.alarms) for state in states)
    late = sum(site.late_batches for site in sites)
    return [
        Tile(t("waiting_parties"), count(sum(site.waiting for site in sites))),
        Tile(t("to_come"), count(sum(site.to_come for site in sites))),
        Tile(t("served"), count(sum(site.served for site in sites))),
        Tile(t("counters"), count(sum(site.counters for site in sites))),
        Tile(t("late_batches"), count(late), alert=late > 0),
        Tile(t("alarms"), count(alarms), alert=alarms > 0),
    ]


def _sites(ask: Ask, states: Sequence[SiteState]) -> Section:
    t = ask.t
    titles = ("waiting_parties", "longest_wait", "being_served", "served", "booked", "to_come")
    figures = (*titles, "counters", "median_wait", "p90_wait", "late_batches")
    # What asks for somebody stands first, where no small screen cuts it off.
    heads = [Head(t(each), figures=False) for each in ("site", "alarms")]
    heads += [Head(t(each)) for each in figures]
    rows = [_site_row(ask, state) for state in states]
    chart = ChartView("sites_today", t("sites_chart"), _site_bars(ask, states))
    table = TableView(heads, rows)
    return Section("sites", t("each_site"), table, chart, [t("counters_note")])


def _site_row(ask: Ask, state: SiteState) -> list[str]:
    site = state.site
    return [
        _name(ask, state),
        alarm_words(ask.t, state.alarms),
        count(site.waiting),
        count(state.longest_wait),
        count(site.being_served),
        count(site.served),
        count(site.booked),
        count(site.to_come),
        count(site.counters),
        figure(state.waited.p50),
        figure(state.waited.p90),
        count(site.late_batches),
    ]


def alarm_words(t: Speaker, alarms: Sequence[Alarm]) -> str:
    """The alarms in words, or that there is none."""
    between = "、" if t("site") == "窓口" else ", "
    return between.join(t(alarm) for alarm in alarms) or t("no_alarm")


def _alerts(ask: Ask, found: Sequence[Kept], states: Sequence[SiteState]) -> Section:
    """What asked for somebody this week, and who took note; what stands still comes first."""
    t = ask.t
    names = {state.site.site_id: _name(ask, state) for state in states}
    rows = [
        [
            TITLES[each.alert.kind].to(ask.language),
            _where(ask, each.alert, names),
            moment(each.opened_at, ask.language),
            t("still") if each.closed_at is None else moment(each.closed_at, ask.language),
            _noted(ask, each),
        ]
        for each in found
    ]
    titles = ("alarms", "where", "seen_first", "seen_last", "taken_note")
    heads = [Head(t(title), figures=False) for title in titles]
    buttons = [_button(ask, each, row) for each, row in zip(found, rows, strict=True)]
    table = TableView(heads, rows, buttons, t("none_found"))
    return Section("alerts", t("alerts"), table, notes=[t("alerts_note")])


def _noted(ask: Ask, kept: Kept) -> str:
    """Who took note of an alert and when."""
    if kept.acknowledged_at is None:
        return "–"
    at, by = moment(kept.acknowledged_at, ask.language), kept.acknowledged_by
    return f"{by}（{at}）" if ask.language == "ja" else f"{by} ({at})"


def _button(ask: Ask, kept: Kept, row: Sequence[str]) -> Button | None:
    """For an alert of which nobody took note yet, also where it is over."""
    if kept.acknowledged_at is not None:
        return None
    address = f"alerts/{kept.alert_id}/acknowledge?lang={ask.language}"
    title = ask.t("take_note")
    return Button(address, title, f"{title}: {row[0]}, {row[1]}", kept.alert.site_id)


def _where(ask: Ask, alert: Alert, names: Mapping[SiteId, str]) -> str:
    """The site by its name, or the month and procedure of a forecast."""
    if alert.site_id is not None:
        return names.get(alert.site_id, alert.site_id)
    month, service = alert.figures.get("month"), str(alert.figures.get("service"))
    if month is None:
        return alert.subject
    return f"{month} {ask.t('both' if service == 'sum' else service)}"


def _name(ask: Ask, state: SiteState) -> str:
    return state.site.name_ja if ask.language == "ja" else state.site.name_en


def _site_bars(ask: Ask, states: Sequence[SiteState]) -> list[Row]:
    kinds = ("served", "being_served", "waiting", "to_come")
    short = short_names(_name(ask, state) for state in states)
    return [
        {
            "site": short[_name(ask, state)],
            "kind": ask.t(kind),
            "order": order,
            "cases": getattr(state.site, kind),
        }
        for state in states
        for order, kind in enumerate(kinds)
    ]


def _by_hour(hours: Sequence[SiteHour]) -> list[Hour]:
    found: list[Hour] = []
    for hour in sorted({each.figures.hour for each in hours}):
        own = [each for each in hours if each.figures.hour == hour]
        found.append(
            (
                hour,
                sum(each.planned_minutes for each in own),
                _sum(each.figures.offered_minutes for each in own),
                sum(each.figures.booked_minutes for each in own),
                _sum(each.figures.used_minutes for each in own),
                sum(each.figures.no_show_minutes for each in own),
            )
        )
    return found


def _sum(minutes: Iterable[int | None]) -> int | None:
    """None where nobody knows any of them."""
    known = [each for each in minutes if each is not None]
    return sum(known) if known else None


def _hours(t: Speaker, hours: Sequence[Hour]) -> Section:
    bars: list[Row] = [
        {"hour": hour, "kind": t(kind), "minutes": minutes}
        for hour, *found, _ in hours
        for kind, minutes in zip(_MINUTES, found, strict=True)
        if minutes is not None
    ]
    heads = [Head(t("hour"), figures=False), *(Head(t(kind)) for kind in _MINUTES)]
    rows = [[f"{hour}:00", *(count(each) for each in rest)] for hour, *rest in hours]
    table = TableView([*heads, Head(t("no_show"))], rows)
    chart = ChartView("hours", t("hours_chart"), bars)
    return Section("hours", t("hours_today"), table, chart, [t("hours_note")])

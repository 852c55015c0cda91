"""Figures of sites as lines and tables: keys for programs, titles for people."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, fields
from datetime import date

from pydantic import BaseModel, Field

from services.reporting.handlers.site_reports import SiteDay, SiteHour, SiteState
from services.reporting.store.site_days import DayFigures, HourFigures
from services.reporting.store.site_times import Times
from shared.errors import Language, Text
from shared.http.tables import Cell, Column, Table
from shared.ids import SiteId

_SITE = Column("site_id", Text("Site", "窓口"))
_NAME = Column("site_name", Text("Name of the site", "窓口名"))
_DATE = Column("business_date", Text("Day", "業務日"))
_PLANNED = Column("planned_minutes", Text("Planned minutes", "計画（分）"))
_OFFERED = Column("offered_minutes", Text("Offered minutes", "提供（分）"))
_BOOKED = Column("booked_minutes", Text("Booked minutes", "予約（分）"))
_OPEN = Column("open_minutes", Text("Counter minutes open", "開設（分）"))
_USED = Column("used_minutes", Text("Used minutes", "利用（分）"))
_NO_SHOW = Column("no_show_minutes", Text("No-show minutes", "無断不来庁（分）"))

NOW_COLUMNS = (
    _SITE,
    _NAME,
    Column("kind", Text("Kind", "種別")),
    Column("state", Text("State", "状態")),
    Column("waiting", Text("Parties waiting", "待ち組数")),
    Column("longest_wait_minutes", Text("Longest wait now (minutes)", "最長待ち（分）")),
    Column("being_served", Text("Parties being served", "対応中の組数")),
    Column("parties", Text("Parties that came", "来庁組数")),
    Column("served", Text("Cases served", "完了件数")),
    Column("booked", Text("Cases booked", "予約件数")),
    Column("to_come", Text("Cases still to come", "来庁予定件数")),
    Column("counters", Text("Counters at work", "稼働中の窓口席")),
    Column("wait_p50", Text("Wait, median (minutes)", "待ち時間 中央値（分）")),
    Column("wait_p90", Text("Wait, p90 (minutes)", "待ち時間 90%（分）")),
    Column("wait_p95", Text("Wait, p95 (minutes)", "待ち時間 95%（分）")),
    Column("late_batches", Text("Late transfer batches", "遅延中の移送")),
    Column("alarms", Text("Alarms", "注意")),
)
DAY_COLUMNS = (
    _DATE,
    _SITE,
    _PLANNED,
    _OFFERED,
    Column("bookings", Text("Bookings", "予約件数")),
    _BOOKED,
    _OPEN,
    _USED,
    Column("no_shows", Text("No-shows", "無断不来庁件数")),
    _NO_SHOW,
    Column("cancelled", Text("Bookings cancelled", "取消件数")),
    Column("parties", Text("Parties that came", "来庁組数")),
    Column("walk_ins", Text("Cases without a booking", "予約外件数")),
    Column("served", Text("Cases served", "完了件数")),
    Column("deferred", Text("Cases to come again", "再来庁件数")),
    Column("abandoned", Text("Cases given up", "中止件数")),
)
HOUR_COLUMNS = (
    _DATE,
    _SITE,
    Column("hour", Text("Hour", "時")),
    _PLANNED,
    _OFFERED,
    _BOOKED,
    _NO_SHOW,
    _OPEN,
    _USED,
)
TIMES_COLUMNS = (
    Column("site_id", Text("Site (sum: all)", "窓口（sum: 全体）")),
    *(
        Column(f"{key}_{part}", Text(f"{en}, {of_en}", f"{ja} {of_ja}"))
        for key, en, ja in (("wait", "Wait", "待ち時間"), ("service", "Service", "対応時間"))
        for part, of_en, of_ja in (
            ("count", "parties", "組数"),
            ("p50", "median (minutes)", "中央値（分）"),
            ("p90", "p90 (minutes)", "90%（分）"),
            ("p95", "p95 (minutes)", "95%（分）"),
        )
    ),
)


class SiteDayLine(BaseModel):
    """A site's day. Minutes are those of counters; cases where nothing else is said."""

    business_date: date
    site_id: SiteId
    planned_minutes: int = Field(description="Staffed counters, as planned at the day's end.")
    offered_minutes: int | None = Field(description="Told as bookable before the day began.")
    bookings: int = Field(description="Kept and missed, not cancelled.")
    booked_minutes: int
    open_minutes: int | None = Field(description="Counters open; known once it is signed off.")
    used_minutes: int | None = Field(description="A party at a counter; known likewise.")
    no_shows: int
    no_show_minutes: int
    cancelled: int
    parties: int
    walk_ins: int
    served: int
    deferred: int
    abandoned: int


class SiteHourLine(BaseModel):
    """An hour of a site's day; minutes as in a day's line."""

    business_date: date
    site_id: SiteId
    hour: int = Field(description="0 to 23, in Japan.")
    planned_minutes: int
    offered_minutes: int | None = Field(description="None where no event told of its hours.")
    booked_minutes: int
    no_show_minutes: int
    open_minutes: int | None
    used_minutes: int | None


def day_line(day: SiteDay) -> SiteDayLine:
    """One day."""
    return SiteDayLine(planned_minutes=day.planned_minutes, **_of(day.figures))


def hour_line(hour: SiteHour) -> SiteHourLine:
    """One hour."""
    return SiteHourLine(planned_minutes=hour.planned_minutes, **_of(hour.figures))


def lines_table(
    name: str, columns: Sequence[Column], lines: Iterable[SiteDayLine | SiteHourLine]
) -> Table:
    """The same lines as a table."""
    keys = [column.key for column in columns]
    return Table(name, columns, [[getattr(line, key) for key in keys] for line in lines])


def now_table(day: date, found: Sequence[SiteState], language: Language) -> Table:
    """A row per site, as it is at that moment."""
    return Table(f"sites-{day}", NOW_COLUMNS, [_now_row(state, language) for state in found])


def times_table(span_name: str, found: Sequence[Times]) -> Table:
    """A row per site, then all of them."""
    rows = [(one.site_id or "sum", *astuple(one.waited), *astuple(one.served)) for one in found]
    return Table(f"site-times-{span_name}", TIMES_COLUMNS, rows)


def _now_row(state: SiteState, language: Language) -> Sequence[Cell]:
    site = state.site
    return (
        site.site_id,
        site.name_ja if language == "ja" else site.name_en,
        site.kind,
        site.state,
        site.waiting,
        state.longest_wait,
        site.being_served,
        site.parties,
        site.served,
        site.booked,
        site.to_come,
        site.counters,
        *astuple(state.waited)[1:],
        site.late_batches,
        " ".join(state.alarms),
    )


def _of(figures: DayFigures | HourFigures) -> Mapping[str, object]:
    return {each.name: getattr(figures, each.name) for each in fields(figures)}

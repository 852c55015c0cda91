"""What asks for a decision, as findings: each is a fact that can be looked up in a report.

An alert is there as long as its facts are, and needs nobody to close it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from types import MappingProxyType

from services.reporting.domain.accuracy import leaves_band, series
from services.reporting.domain.alarms import Alarm
from services.reporting.domain.monthly import Counts
from shared.calendar import TOKYO
from shared.contracts.base import Procedure
from shared.errors import Text
from shared.ids import SiteId

Figure = int | float | str


class AlertKind(StrEnum):
    """What is wrong; the last four stand at a site."""

    FORECAST_LEFT = "forecast_left"
    FORECAST_PASSED = "forecast_passed"
    SUSPENDED = Alarm.SUSPENDED.value
    NOBODY_SERVES = Alarm.NOBODY_SERVES.value
    LONG_WAIT = Alarm.LONG_WAIT.value
    LATE_TRANSFER = Alarm.LATE_TRANSFER.value


TITLES: Mapping[AlertKind, Text] = MappingProxyType(
    {
        AlertKind.FORECAST_LEFT: Text(
            "A month that is over came out far from its forecast", "実績が予想の範囲を外れました"
        ),
        AlertKind.FORECAST_PASSED: Text(
            "The present month is already above its forecast",
            "今月の実績がすでに予想を上回っています",
        ),
        AlertKind.SUSPENDED: Text(
            "The national system does not answer", "全国システムが停止しています"
        ),
        AlertKind.NOBODY_SERVES: Text(
            "People wait and no counter serves", "待ち人数があるのに窓口が開いていません"
        ),
        AlertKind.LONG_WAIT: Text("Somebody waits long", "長時間お待ちの方がいます"),
        AlertKind.LATE_TRANSFER: Text("Cards under way are late", "移送中のカードが遅れています"),
    }
)


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that asks for somebody. ``subject`` tells one of its kind from another."""

    kind: AlertKind
    subject: str
    since: datetime | None
    site_id: SiteId | None = None
    figures: Mapping[str, Figure] = field(default_factory=dict)


def forecast_alerts(
    version: int, expected: Counts, done: Counts, month: date, band: float
) -> Iterator[Alert]:
    """Months whose number is farther from the forecast than the share ``band`` of it.

    The present ``month`` can only have passed it: what is missing may still come.
    """
    for procedure in (*Procedure, None):
        came, hoped = series(done, procedure), series(expected, procedure)
        for each in sorted(set(came) & set(hoped)):
            if each > month or not leaves_band(hoped[each], came[each], band):
                continue
            over = each < month
            if not over and came[each] < hoped[each]:
                continue
            service = procedure or "sum"
            yield Alert(
                AlertKind.FORECAST_LEFT if over else AlertKind.FORECAST_PASSED,
                f"{version}/{each:%Y-%m}/{service}",
                _after(each) if over else None,
                figures={
                    "version": version,
                    "month": f"{each:%Y-%m}",
                    "service": service,
                    "forecast": hoped[each],
                    "actual": came[each],
                    "band": band,
                },
            )


def _after(month: date) -> datetime:
    """The moment at which a month has ended in Japan."""
    return datetime.combine(
        date(month.year + month.month // 12, month.month % 12 + 1, 1), time.min, TOKYO
    )

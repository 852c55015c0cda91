"""Forecasts: taken in, read beside what came, and judged by it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from services.reporting.domain.accuracy import Accuracy, accuracies
from services.reporting.domain.forecasts import Basis, Forecast, Value, Version
from services.reporting.domain.going_live import month_in_part
from services.reporting.domain.monthly import Counts
from services.reporting.domain.plan import with_zeros
from services.reporting.store import forecasts, reports
from shared.calendar import BusinessCalendar
from shared.contracts.reporting import ExpectedMonth, ForecastPublished
from shared.errors import NotFound, Text
from shared.unit import Unit

ALWAYS = (date(2000, 1, 1), date(2999, 12, 1))
"""The first and the last month that there can be."""


class NoSuchForecast(NotFound):
    """There is no forecast of this version."""

    slug = "no-such-forecast"
    title = Text("There is no forecast of this version", "この版の需要予測はありません")
    remedy = Text(
        "See GET /v1/forecasts for the versions.", "GET /v1/forecasts で版を確認できます。"
    )


@dataclass(frozen=True, slots=True)
class Known:
    """What was done by month, a 0 where the city did only the other procedure; ``over`` are the
    months that have ended and were counted whole. A month of which nothing was told is in neither.
    """

    counts: Counts
    over: Counts


async def take_in(
    unit: Unit, sha256: bytes, name: str, values: Sequence[Value]
) -> tuple[int, bool]:
    """The version that this file is, and whether it is new; the same file is one version."""
    version, fresh = await forecasts.add(unit, sha256, name, values)
    if fresh:
        unit.emit(_told(version, sha256, values))
        unit.audit("forecast.imported", subject=f"forecast-{version}", rows=len(values))
    return version, fresh


def _told(version: int, sha256: bytes, values: Sequence[Value]) -> ForecastPublished:
    """What others hear of it: what it expects, and not its name, which is anybody's text."""
    months = sorted(
        (each.month, each.procedure, each.count) for each in values if each.basis is Basis.FORECAST
    )
    return ForecastPublished(
        version=version,
        sha256=sha256.hex(),
        months=tuple(
            ExpectedMonth(month=month, procedure=procedure, count=count)
            for month, procedure, count in months
        ),
    )


async def find(unit: Unit, version: int) -> Version:
    """One version. Raises ``NoSuchForecast``."""
    found = await forecasts.versions(unit.conn, only=version, limit=1)
    if not found:
        raise NoSuchForecast
    return found[0]


async def chosen(unit: Unit, version: int | None) -> tuple[int, Forecast] | None:
    """The version asked for, or the newest; None where there is none at all.

    Raises ``NoSuchForecast`` where one is named that there is not.
    """
    if version is not None:
        await find(unit, version)
    number = version if version is not None else await forecasts.newest(unit.conn)
    return None if number is None else (number, await forecasts.read(unit.conn, number))


@dataclass(frozen=True, slots=True)
class Present:
    """The first day of the month that runs, and the city's business days."""

    month: date
    calendar: BusinessCalendar


async def known(unit: Unit, present: Present, months: tuple[date, date] = ALWAYS) -> Known:
    """What was done from the first to the last of ``months``."""
    first, last = months
    counts = await reports.counts(unit.conn, reports.Span(first, last))
    counted = await reports.counted_months(unit.conn)
    found = with_zeros(counts, [each for each in counted if first <= each <= last])
    complete = await _complete(unit, present, counted)
    return Known(found, {key: count for key, count in found.items() if key[0] in complete})


async def complete_months(unit: Unit, present: Present) -> Collection[date]:
    """The months that have ended and of which the city counted all: not those of which nothing was
    told, nor the one in which it went live where business days had passed by then."""
    return await _complete(unit, present, await reports.counted_months(unit.conn))


async def _complete(unit: Unit, present: Present, counted: Iterable[date]) -> Collection[date]:
    part = month_in_part(await reports.first_day(unit.conn), present.calendar)
    return frozenset(each for each in counted if each < present.month and each != part)


async def judged(unit: Unit, version: int, present: Present) -> list[Accuracy]:
    """The error of a version over the months that are over and were counted whole."""
    forecast = await forecasts.read(unit.conn, version)
    came = (await known(unit, present)).over
    return accuracies(forecast.expected, came, forecast.published)

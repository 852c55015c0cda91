"""Reads all that the committee is told of a month, in one look at the facts."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from services.reporting.domain import equity as fairness
from services.reporting.domain import plan
from services.reporting.domain.accuracy import months_before
from services.reporting.domain.alerts import Alert
from services.reporting.domain.equity import Spread, WardEquity
from services.reporting.domain.forecasts import Basis
from services.reporting.domain.lead_times import LeadTime, lead_times
from services.reporting.domain.monthly import Counts
from services.reporting.domain.pictures import Spec
from services.reporting.domain.plan import PlanLine
from services.reporting.domain.totals import WardTotals
from services.reporting.handlers import alerts, equity, forecasts, pictures, plan_numbers
from services.reporting.handlers.alerts import Watch
from services.reporting.handlers.forecasts import Present
from services.reporting.handlers.pictures import Sight
from services.reporting.handlers.plan_numbers import Wish
from services.reporting.store import reports, ways
from services.reporting.store import wards as wards_store
from services.reporting.store.site_days import Days
from shared.calendar import TOKYO, BusinessCalendar, FiscalYear
from shared.errors import Language
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class Question:
    """Which month is reported, to whom, and by which rules."""

    month: date
    language: Language
    calendar: BusinessCalendar
    band: float
    near_km: float
    today: date

    @property
    def is_running(self) -> bool:
        """Whether the month is not over: then its figures are those up to today."""
        return months_before(self.month, -1) > self.today

    @property
    def days(self) -> Days:
        """The days of the month, as far as they have come."""
        last = months_before(self.month, -1) - timedelta(days=1)
        return Days(self.month, min(last, max(self.today, self.month)))

    @property
    def year(self) -> FiscalYear:
        """The fiscal year it lies in."""
        return FiscalYear.of(self.month)


@dataclass(frozen=True, slots=True)
class Month:
    """What the committee is told; ``waiting`` and ``months`` are charts."""

    done: Counts
    expected: Counts
    plan: Sequence[PlanLine]
    totals: Sequence[WardTotals]
    lead_times: Sequence[LeadTime]
    wards: Sequence[WardEquity]
    spreads: Sequence[Spread]
    alerts: Sequence[Alert]
    names: Mapping[str, str]
    """What wards are called, by their codes."""
    months: Spec
    waiting: Spec


async def read(unit: Unit, question: Question) -> Month:
    """The month, as known now."""
    days, year, conn = question.days, question.year, unit.conn
    sight = Sight(year, days, question.near_km, question.language)
    wish = Wish((year,), frozenset({Basis.ACTUAL, Basis.FORECAST}))
    ended = datetime.combine(days.last, time.min, TOKYO) + timedelta(days=1)
    known = await equity.known(conn, days, None)
    wards = await asyncio.to_thread(equity.judged, known, None, question.near_km)
    chosen = await forecasts.chosen(unit, None)
    passages = await ways.passages(conn, days.first, days.last, None, by_ward=False)
    # As far from its forecast as a month is that is over, only once it is over.
    watch = Watch(
        min(months_before(question.month, -1), question.today), question.band, question.calendar
    )
    present = Present(question.month, question.calendar)
    return Month(
        done=(await forecasts.known(unit, present)).counts,
        expected=chosen[1].expected if chosen else {},
        plan=plan.lines([year], await plan_numbers.strands(unit, wish)),
        totals=await reports.totals(conn, days.last, ended),
        lead_times=lead_times(passages, question.calendar),
        wards=wards,
        spreads=fairness.spreads(wards),
        alerts=await alerts.forecasts_left(unit, watch),
        names=await _names(unit, question.language),
        months=await pictures.months(unit, sight),
        waiting=await pictures.waiting(unit, sight),
    )


async def _names(unit: Unit, language: Language) -> dict[str, str]:
    known = await wards_store.all_(unit.conn)
    return {ward.code: ward.name_ja if language == "ja" else ward.name_en for ward in known}

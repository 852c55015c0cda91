"""The outlook: from when citizens can book, and what more people at a desk would bring.

It is counted by cohorts and days (``domain/flow.py``): a city's year takes some hundredths of a
second, so that it needs no process of its own.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.preparation.domain.desks import Desk, Extra, Period
from services.preparation.domain.flow import Cohort
from services.preparation.domain.forecast import Outlook, Situation, by_week, forecast
from services.preparation.domain.seating import Seated
from services.preparation.domain.staffing import PeriodUnknown, Staffed, staffed
from services.preparation.domain.stages import Stage
from services.preparation.domain.working_days import WorkingDays, week_of
from services.preparation.settings import PreparationSettings
from services.preparation.store import outlook, seats
from services.preparation.store.outlook import Done
from shared.calendar import BusinessCalendar, business_date
from shared.ids import WardCode
from shared.unit import Unit

BEYOND = timedelta(days=182)
"""How far behind the last week that is shown its cards are followed."""

_PROBE = 1e-6
"""So few cards that they keep nobody waiting: they stand for one that arrives today."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where a forecast begins, and how far it looks."""

    situation: Situation
    working: WorkingDays
    staffed: Staffed
    first_week: date


@dataclass(frozen=True, slots=True)
class WardOutlook:
    """What a ward's citizens can be told.

    ``waiting`` cards are on their way through the desks; the first of their citizens can come from
    ``waiting_from``. Whoever's card arrives on ``arriving_on`` has the notice by ``notice_on`` and
    can come from ``bookable_from``, after ``lead_days`` business days. None lies behind the end of
    the outlook.
    """

    ward: WardCode
    waiting: int
    waiting_from: date | None
    arriving_on: date
    notice_on: date | None
    bookable_from: date | None
    lead_days: int | None


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A week's outlook as things are, and with what is tried out."""

    week: date
    before: Outlook
    after: Outlook


async def start(
    unit: Unit, calendar: BusinessCalendar, settings: PreparationSettings, weeks: int
) -> Start:
    """What is known now, to look ``weeks`` weeks ahead."""
    today = business_date(unit.now)
    waiting = await outlook.queues(unit.conn)
    invited = await outlook.invited(unit.conn, today)
    back = calendar.add_business_days(today, -settings.outlook_look_back_days)
    done = await outlook.done(unit.conn, back, today)
    first = min([back, *(c.received_on for q in waiting.values() for c in q)])
    first = min([first, *(group.received_on for group in invited)])
    shown = week_of(today) + timedelta(weeks=weeks)
    working = WorkingDays(calendar, first, shown + BEYOND)
    opened = max(back, await outlook.first_day(unit.conn) or back)
    people = _staffed(settings, await outlook.periods(unit.conn), done, today)
    situation = Situation(
        today=today,
        waiting=waiting,
        arrivals=_arrivals(done, working, opened, today, shown),
        invited=invited,
        seats=await seats.sources(unit.conn, today),
        desks=people.desks,
    )
    return Start(situation, working, people, week_of(today))


def of_wards(begun: Start) -> list[WardOutlook]:
    """The outlook of each ward that has cards, or seats of its own."""
    arriving = begun.working.from_on(begun.situation.today)[0]
    seated = forecast(_probed(begun, arriving), begun.working)
    wards: dict[WardCode, list[Seated]] = defaultdict(list)
    for one in seated:
        wards[one.ward].append(one)
    return [_of_ward(ward, wards[ward], arriving, begun) for ward in sorted(wards)]


def of_weeks(begun: Start, weeks: int) -> dict[date, Outlook]:
    """The outlook of the cards of this week and those that follow, by its Monday."""
    found = by_week(forecast(begun.situation, begun.working), begun.working)
    end = begun.first_week + timedelta(weeks=weeks)
    return {week: one for week, one in found.items() if begun.first_week <= week < end}


def what_if(begun: Start, extra: Extra, weeks: int) -> list[WhatIf]:
    """Each week as things are, and with ``extra`` people."""
    before = of_weeks(begun, weeks)
    desks = begun.situation.desks.with_extra(extra)
    after = of_weeks(replace(begun, situation=replace(begun.situation, desks=desks)), weeks)
    return [WhatIf(week, before[week], after[week]) for week in before if week in after]


async def plan(unit: Unit, period: Period) -> None:
    """Say how many people work at a desk from a day on."""
    await outlook.put_period(unit.conn, period)
    unit.audit("desk.planned", subject=period.desk.value, from_on=period.from_on.isoformat())


async def unplan(unit: Unit, desk: Desk, from_on: date) -> None:
    """Take that back. Raises ``PeriodUnknown``."""
    if not await outlook.remove_period(unit.conn, desk, from_on):
        raise PeriodUnknown
    unit.audit("desk.unplanned", subject=desk.value, from_on=from_on.isoformat())


async def planned(unit: Unit) -> Sequence[Period]:
    """What is planned."""
    return await outlook.periods(unit.conn)


def _staffed(
    settings: PreparationSettings, planned: Sequence[Period], done: Sequence[Done], today: date
) -> Staffed:
    days: dict[Desk, dict[date, int]] = {desk: defaultdict(int) for desk in Desk}
    for one in done:
        if one.stage is not Stage.RECEIVED:
            days[Desk(one.stage.value)][one.day] += one.cards
    each = {desk: list(by_day.values()) for desk, by_day in days.items()}
    return staffed(settings.desk_minutes_of, settings.desk_day_minutes, planned, each, today)


def _arrivals(
    done: Sequence[Done], working: WorkingDays, opened: date, today: date, end: date
) -> Mapping[date, Sequence[Cohort]]:
    """As many a day as came on average, from tomorrow on."""
    came: dict[WardCode, int] = defaultdict(int)
    for one in done:
        if one.stage is Stage.RECEIVED:
            came[one.ward] += one.cards
    days = max(1, len([day for day in working.days if opened <= day < today]))
    coming = [day for day in working.from_on(today + timedelta(days=1)) if day < end]
    return {
        day: [Cohort(ward, day, cards / days) for ward, cards in sorted(came.items())]
        for day in coming
    }


def _probed(begun: Start, arriving: date) -> Situation:
    situation = begun.situation
    probes = [Cohort(ward, arriving, _PROBE) for ward in sorted(_wards(situation))]
    today = {arriving: [*situation.arrivals.get(arriving, ()), *probes]}
    return replace(situation, arrivals={**situation.arrivals, **today})


def _wards(situation: Situation) -> Iterator[WardCode]:
    known: set[WardCode] = set()
    for cohorts in (*situation.waiting.values(), *situation.arrivals.values()):
        known.update(cohort.ward for cohort in cohorts)
    for source in situation.seats:
        known.update(source.wards or ())
    return iter(known)


def _of_ward(ward: WardCode, seated: Sequence[Seated], arriving: date, begun: Start) -> WardOutlook:
    today = begun.situation.today
    waiting = sum(
        cohort.cards
        for cohorts in begun.situation.waiting.values()
        for cohort in cohorts
        if cohort.ward == ward
    )
    ahead = [one.on for one in seated if one.received_on <= today and one.cards > 2 * _PROBE]
    last = [one for one in seated if one.received_on == arriving][-1]
    lead = begun.working.between(arriving, last.on) if last.on else None
    first = min((day for day in ahead if day is not None), default=None)
    return WardOutlook(ward, round(waiting), first, arriving, last.notified_on, last.on, lead)

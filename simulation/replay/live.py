"""A city that lives: some weeks of small demand at once, then day after day at a steady speed.

For who looks at screens: visits come at their time, wait, are called and served while business time
passes; nights and days of rest are skipped.
"""

import asyncio
from contextlib import aclosing, suppress
from datetime import date, datetime, timedelta
from fractions import Fraction
from urllib.parse import quote

from shared.calendar import TOKYO
from shared.contracts.base import Procedure
from simulation.clock import SimulatedClock
from simulation.places import DATA
from simulation.replay.agenda import Day
from simulation.replay.citizens import Citizens
from simulation.replay.city import DEMAND, WARDS, read_city
from simulation.replay.counters import Counters, who_come
from simulation.replay.courier import Courier
from simulation.replay.crew import Crew, House, side_by_side
from simulation.replay.demand import Demand, read_demand, scaled
from simulation.replay.ledger import open_ledger
from simulation.replay.office import Office
from simulation.replay.plan import Planner
from simulation.replay.run import Replay, Watch, at_work
from simulation.replay.settings import Behaviour
from simulation.replay.told import Party

SCALE = Fraction(1, 100)
SPEED = 60.0
"""Business seconds in one second."""
_TICK = 1.0
_MONTHS = 12
_HURRIED = Behaviour(
    stepwise=1,
    import_before=3,
    inspect_before=3,
    check_before=2,
    preset_before=1,
    shelve_before=1,
    held_for=1,
    notice_to_booking=(2, 2),
    booking_to_visit=(1, 5),
)


def plan_after(today: date) -> Planner:
    """The small demand of the months to come, whatever year it is: as in the plan's last year."""
    city = read_city(WARDS, DATA / "sites.csv")
    for ahead in range(1, 4):
        planner = Planner.of(_demand(today, ahead), city, _HURRIED, scale=Fraction(1))
        if planner.begins(planner.months[0]) > today:
            return planner
    raise ValueError("a warm-up of more than two months")


async def live(house: House, watch: Watch, *, speed: float = SPEED) -> None:
    """One week of demand at once, then live days, until cancelled or the months are over.

    Raises what ``replay`` raises.
    """
    planner = await asyncio.to_thread(plan_after, await _today(house))
    async with at_work(house, planner, open_ledger(None, {})) as crew:
        await announce(crew, planner.demand)
        week_ends = planner.months[0] + timedelta(days=6)
        days = Replay(crew, planner, watch).week(week_ends)
        async with aclosing(days):
            async for day in days:
                if day.day > week_ends:
                    await _LiveDay(crew, speed).run(day)


async def announce(crew: Crew, demand: Demand) -> None:
    """Give reporting what is going to come as a forecast: that of the city's plan is of its full
    size. The same again is no other version.
    """
    rows = [
        f"{month:%Y-%m},{service},forecast,{count}\n" for (month, service), count in demand.items()
    ]
    file = "".join(("month,service,basis,count\n", *rows)).encode()
    name = quote(f"A small city, {float(SCALE):.0%}")
    await crew.staff("planner").upload("reporting", f"/v1/forecasts:import?name={name}", file)


class _LiveDay:
    """Passes one day."""

    def __init__(self, crew: Crew, speed: float) -> None:
        self._crew = crew
        self._speed = speed
        self._counters = Counters(crew, self._pass)
        self._courier = Courier(crew)

    async def run(self, day: Day) -> None:
        """The morning's work at once, then visits as their time comes, then the sign-off."""
        how = self._crew.behaviour
        await self._crew.move_to(datetime.combine(day.day, how.opens, TOKYO))
        await side_by_side(
            Office(self._crew).day(day),
            Citizens(self._crew).day(day),
            self._counters.mail(day.letters),
        )
        bags = await self._courier.collect(day.bags, day.day)
        if not day.visits and not bags:
            return
        passing = asyncio.create_task(self._crew.clock.run(timedelta(seconds=_TICK), self._speed))
        try:
            come = who_come(day.visits, stepwise=True)
            await side_by_side(*(self._visit(number, party) for number, party in enumerate(come)))
        finally:
            passing.cancel()
            with suppress(asyncio.CancelledError):
                await passing
        closes = datetime.combine(day.day, how.closes, TOKYO)
        await self._crew.move_to(max(closes, self._crew.clock.now))
        await self._courier.deliver(bags)
        sites = {turn.appointment.seat.site_id for turn in day.visits}
        await self._counters.sign_off(sorted(sites), day.day)

    async def _visit(self, number: int, party: Party) -> None:
        await self._pass(party[0].appointment.seat.starts_at - self._crew.clock.now)
        await self._counters.serve_at(f"L{number}", party)
        self._crew.ledger.sums.completed += self._counters.served
        self._counters.served = 0

    async def _pass(self, span: timedelta) -> None:
        until = self._crew.clock.now + span
        while self._crew.clock.now < until:  # noqa: ASYNC110  time is told by another task
            await asyncio.sleep(_TICK / 2)


async def _today(house: House) -> date:
    async with SimulatedClock(house.settings) as clock:
        return max(clock.now, datetime(2025, 4, 1, tzinfo=TOKYO)).astimezone(TOKYO).date()


def _demand(today: date, ahead: int) -> Demand:
    """A few months of demand from the ``ahead``-th month after ``today``'s on."""
    known = read_demand(DEMAND)
    latest = {(month.month, each): count for (month, each), count in known.items()}
    first = today.year * 12 + today.month - 1 + ahead
    months = [date((first + n) // 12, (first + n) % 12 + 1, 1) for n in range(_MONTHS)]
    counts = {(month, each): latest[month.month, each] for month in months for each in Procedure}
    return scaled(counts, SCALE)

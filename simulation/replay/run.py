"""A demand is replayed: day by day, through the public doors of the running rooms alone."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from typing import Any, Protocol

import httpx

from shared.calendar import TOKYO, business_date
from shared.errors import Conflict, Text
from simulation.clock import SimulatedClock
from simulation.doors import until
from simulation.replay.agenda import Agenda, Day, Turn
from simulation.replay.citizens import Citizens
from simulation.replay.counters import Counters, who_come
from simulation.replay.courier import Bag, Courier
from simulation.replay.crew import Crew, House, NotTakenError, side_by_side
from simulation.replay.demand import Cell
from simulation.replay.ledger import Ledger
from simulation.replay.office import Office
from simulation.replay.plan import Planner
from simulation.replay.pulse import Pulse, Reading
from simulation.replay.result import Result, cells_of, counted
from simulation.wire import Wire

_BEAT_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a replay is."""

    day: date
    completed: int
    expected: int | None
    """Cases in all; none of a city that lives on."""
    lag: int


class Watch(Protocol):
    """Told how far it is, now and then."""

    def __call__(self, standing: Standing) -> None: ...


class TimeIsOver(Conflict):
    """The rooms' time is past the begin of the replay."""

    slug = "replay-time-over"
    title = Text("It is too late for this replay", "この期間の再生はできません")
    remedy = Text(
        "Business time never goes back: begin in a folder of its own with --fresh.",
        "業務時刻は戻せません。--fresh で新しいフォルダーから始めてください。",
    )


async def replay(house: House, planner: Planner, ledger: Ledger, watch: Watch) -> Result:
    """Replay all months of the planner's demand, or go on where the ledger ends.

    Raises ``TimeIsOver``, ``RefusedError``, ``NotTakenError``,
    ``ClockNotFollowedError`` and ``TimeoutError``.
    """
    async with at_work(house, planner, ledger) as crew:
        return await Replay(crew, planner, watch).run()


@asynccontextmanager
async def at_work(house: House, planner: Planner, ledger: Ledger) -> AsyncIterator[Crew]:
    """Everybody, with their connections open."""
    async with (
        Wire() as http,
        SimulatedClock(house.settings) as clock,
    ):
        pulse = Pulse(http, house.processes)
        yield Crew(house, planner.city, planner.behaviour, http, clock, pulse, ledger)


class Replay:
    """A replay at work: its days one by one, or all of them."""

    def __init__(self, crew: Crew, planner: Planner, watch: Watch) -> None:
        self._crew = crew
        self._planner = planner
        self._watch = watch
        self._agenda = Agenda(planner)
        self._office = Office(crew)
        self._citizens = Citizens(crew)
        self._counters = Counters(crew)
        self._courier = Courier(crew)
        self._reading = Reading()
        self._begun = Reading()
        self._today = self._agenda.first
        self._started = 0.0
        self._expects: int | None = sum(planner.demand.values())

    async def run(self) -> Result:
        """Every day, then the cells as reporting counts them."""
        async with self._told():
            async for _ in self.days():
                pass
            return await self._result()

    async def week(self, last: date) -> AsyncGenerator[Day, None]:
        """Do the days up to ``last``; then give out the others, undone, while one likes."""
        self._expects = None
        async with self._told():
            async for day in self.days(last):
                yield day

    async def days(self, last: date = date.max) -> AsyncGenerator[Day, None]:
        """Do each day that is not over yet and give it out; those after ``last``, undone."""
        ledger = self._crew.ledger
        if ledger.through is None:
            await self._open_city()
        for day in self._agenda.days():
            if ledger.through is not None and day.day <= ledger.through:
                continue
            self._today = day.day
            if day.day <= last:
                await self._day(day)
            yield day
            self._sum_up()
            ledger.close_day(day.day)

    @asynccontextmanager
    async def _told(self) -> AsyncIterator[None]:
        self._begun = self._reading = await self._crew.pulse.read()
        self._started = time.monotonic()
        beat = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            beat.cancel()
            with suppress(asyncio.CancelledError):
                await beat

    async def _open_city(self) -> None:
        begins = self._at(self._agenda.first, time_of_day(6))
        if self._crew.clock.now > begins:
            raise TimeIsOver(
                Text(
                    f"The rooms are at {self._crew.clock.now.astimezone(TOKYO):%Y-%m-%d}, and this "
                    f"replay begins with a warm-up on {self._agenda.first}.",
                    f"現在の業務日は {self._crew.clock.now.astimezone(TOKYO):%Y-%m-%d}、"
                    f"再生は {self._agenda.first} に始まります。",
                )
            )
        await self._crew.move_to(begins)
        await open_sites(self._crew)
        # A card is laid only on shelves of a site that preparation has heard of.
        await self._crew.pulse.settled()
        # From now on the journal knows that time has begun to pass.
        self._crew.ledger.close_day(self._agenda.first - timedelta(days=1))

    async def _day(self, day: Day) -> None:
        crew, phase = self._crew, self._crew.ledger.sums.phase
        await crew.move_to(self._at(day.day, crew.behaviour.opens))
        with phase("morning: desks and bookings"):
            # Nobody books today what the office has sent today, so both work side by side.
            await side_by_side(
                self._office.day(day), self._citizens.day(day), self._counters.mail(day.letters)
            )
            bags = await self._courier.collect(day.bags, day.day)
        if day.visits or bags:
            await self._serve(day, bags)

    async def _serve(self, day: Day, bags: Sequence[Bag]) -> None:
        phase = self._crew.ledger.sums.phase
        waiting = who_come(day.visits, stepwise=True)
        for hour in self._crew.behaviour.rounds:
            at = self._at(day.day, hour)
            if come := [party for party in waiting if _starts_at(party) < at]:
                await self._crew.move_to(at)
                with phase("visits step by step"):
                    await self._counters.serve(come)
            waiting = [party for party in waiting if _starts_at(party) >= at]
        await self._crew.move_to(self._at(day.day, self._crew.behaviour.closes))
        with phase("evening: visits"):
            over = who_come(day.visits, stepwise=False)
            await side_by_side(
                self._counters.serve(waiting),
                self._counters.serve_in_bulk(over),
                self._courier.deliver(bags),
            )
        with phase("evening: sign-off"):
            sites = {turn.appointment.seat.site_id for turn in day.visits}
            await self._counters.sign_off(sorted(sites), day.day)

    async def _result(self) -> Result:
        months, wanted = self._planner.months, self._expected()

        async def there() -> dict[Cell, int] | None:
            found = await counted(self._crew.staff("planner"), months)
            return found if sum(found.values()) >= wanted else None

        with self._crew.ledger.sums.phase("until all is heard and counted"):
            self._reading = await self._crew.pulse.settled()
            completed = await until(there, f"the count of {wanted} completed cases at reporting")
        self._sum_up()
        sums = self._crew.ledger.sums
        return Result(
            cells=cells_of(self._planner.demand, completed, self._agenda.carried),
            cases=self._agenda.cases,
            events_published=sums.published,
            events_handled=sums.handled,
            seconds=sums.seconds,
            plan=self._agenda.digest,
            phases=dict(sums.phases),
            happened=dict(sums.happened),
        )

    def _expected(self) -> int:
        carried = self._agenda.carried
        last = self._planner.months[-1]
        left = sum(count for (month, _), count in carried.items() if month == last)
        return sum(self._planner.demand.values()) - left

    def _sum_up(self) -> None:
        sums, now = self._crew.ledger.sums, time.monotonic()
        sums.seconds += now - self._started
        self._started = now
        sums.published += self._reading.published - self._begun.published
        sums.handled += self._reading.handled - self._begun.handled
        self._begun = self._reading
        sums.completed += self._counters.served
        self._counters.served = 0

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(_BEAT_SECONDS)
            with suppress(httpx.HTTPError):
                self._reading = await self._crew.pulse.read()
            completed = self._crew.ledger.sums.completed + self._counters.served
            self._watch(Standing(self._today, completed, self._expects, self._reading.lag))

    def _at(self, day: date, hour: time_of_day) -> datetime:
        return datetime.combine(day, hour, TOKYO)


def _starts_at(party: Sequence[Turn]) -> datetime:
    return party[0].appointment.seat.starts_at


async def open_sites(crew: Crew) -> None:
    """Import the city's sites and their calendars, then open each; what is there stays, and what
    was open before the replay begins stays closed.

    Raises ``RefusedError``, and ``NotTakenError`` for a row that reservation does not take.
    """
    planner, today = crew.staff("planner"), business_date(crew.clock.now)
    over = {site.site_id for site in crew.city.sites if site.closes_on < today}
    for table, path in crew.city.tables.items():
        file = path.read_bytes()
        taken = await planner.upload("reservation", f"/v1/sites:import?table={table}", file)
        for row in taken["results"]:
            if row["refusal"] is not None and row["site_id"] not in over:
                raise NotTakenError(f"{path.name}, line {row['line']}: {_told(row['refusal'])}")
    for site in crew.city.sites:
        if site.site_id not in over:
            await planner.post("reservation", f"/v1/sites/{site.site_id}:open")


def _told(refusal: Mapping[str, Any]) -> str:
    """What reservation says about a row, on one line."""
    return ", ".join(f"{name} {said}" for name, said in refusal.items() if said)

"""What is done on which day: the plan turned from cases into days, months taken up as they near.

A day is let go once it is given out, so memory holds a few months of cases however long the replay.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from shared.contracts.base import Procedure
from simulation.replay.cases import Appointment, Case, End
from simulation.replay.days import month_end
from simulation.replay.plan import MonthPlan, Planner


@dataclass(frozen=True, slots=True)
class Turn:
    """A case's appointment by its number, to be made, given up or kept."""

    case: Case
    number: int

    @property
    def appointment(self) -> Appointment:
        """The appointment itself."""
        return self.case.appointments[self.number]


@dataclass(slots=True)
class Day:
    """Everything of one day, in the order in which it is done."""

    day: date
    voids: list[Case] = field(default_factory=list)
    """Cases that end with a visit booked."""
    lots: dict[str, list[Case]] = field(default_factory=dict)
    """By desk, the lot that is there today: imported, inspected, …, notified."""
    released: list[Case] = field(default_factory=list)
    """Held cards that go on, straight to their shelf."""
    late_notices: list[Case] = field(default_factory=list)
    """Held cards whose notice goes out now."""
    cancels: list[Turn] = field(default_factory=list)
    moves: list[Turn] = field(default_factory=list)
    """Appointments that another gives way to."""
    books: list[Turn] = field(default_factory=list)
    waits: list[Turn] = field(default_factory=list)
    """Who takes a seat of those that are given up today."""
    bags: list[Case] = field(default_factory=list)
    """Cards that are sent to the site that was booked on the business day before."""
    letters: list[Case] = field(default_factory=list)
    """Inquiry letters that go to the citizens whose proxy came the business day before."""
    visits: list[Turn] = field(default_factory=list)
    """Appointments of today that somebody is expected at, and those who come without one."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is done."""
        desks = (self.voids, self.lots, self.released, self.late_notices, self.bags)
        visits = (self.cancels, self.moves, self.books, self.waits, self.letters, self.visits)
        return not any(desks) and not any(visits)


def together(turns: Iterable[Turn]) -> list[list[Turn]]:
    """The turns of each party, which is mostly one; in the order of who comes first."""
    parties: dict[tuple[str, int], list[Turn]] = {}
    for turn in turns:
        parties.setdefault((turn.case.family or turn.case.key, turn.number), []).append(turn)
    return list(parties.values())


class Agenda:
    """The days of a plan, one after another."""

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self._plans = planner.plans()
        self._months = planner.months
        self._days: dict[date, Day] = {}
        self._lots: dict[date, list[Case]] = defaultdict(list)
        self._hash = hashlib.sha256()
        self.carried: dict[tuple[date, Procedure], int] = {}
        """By cell, once its month is planned."""
        self.cases = 0
        """Planned so far."""

    @property
    def first(self) -> date:
        """The first day of the warm-up."""
        return self._planner.begins(self._months[0])

    @property
    def last(self) -> date:
        """The last day of the last month."""
        return month_end(self._months[-1])

    @property
    def digest(self) -> str:
        """A hash over all cases planned so far."""
        return self._hash.hexdigest()

    def days(self) -> Iterator[Day]:
        """Every day of the replay with what is done on it; where nothing is, it is left out."""
        day, waiting = self.first, list(self._months)
        while day <= self.last:
            while waiting and self._planner.begins(waiting[0]) <= day:
                self._take_up(next(self._plans))
                waiting.pop(0)
            found = self._day(day)
            if not found.is_empty:
                yield found
            day += timedelta(days=1)

    def _take_up(self, plan: MonthPlan) -> None:
        self.carried |= {(plan.month, each): count for each, count in plan.carried.items()}
        self.cases += len(plan.cases)
        for case in plan.cases:
            self._hash.update(case.line().encode())
            self._enter(case)

    def _enter(self, case: Case) -> None:
        days = self._planner.days
        if case.walk_in:
            turn = Turn(case, len(case.appointments) - 1)
            self._on(turn.appointment.seat.day).visits.append(turn)
            return
        if case.card is not None:
            self._lots[case.card.lot_day].append(case)
            if case.held:
                self._on(days.before(case.card.notice_on, 1)).released.append(case)
                self._on(case.card.notice_on).late_notices.append(case)
        if case.travels:
            self._on(days.after(case.appointments[0].made_on)).bags.append(case)
        former = None
        for number, one in enumerate(case.appointments):
            turn = Turn(case, number)
            made = self._on(one.made_on)
            if case.waits:
                made.waits.append(turn)
            elif former is End.MOVED:
                made.moves.append(turn)
            else:
                made.books.append(turn)
            former = one.end
            if one.end is End.CANCELLED:
                self._on(case.appointments[number + 1].made_on).cancels.append(turn)
            elif one.end is End.VOID:
                self._on(days.before(one.seat.day, 1)).voids.append(case)
            elif one.end is not End.MOVED:
                self._on(one.seat.day).visits.append(turn)
            if one.end is End.LETTER:
                self._on(days.after(one.seat.day)).letters.append(case)

    def _on(self, day: date) -> Day:
        return self._days.setdefault(day, Day(day))

    def _day(self, day: date) -> Day:
        found = self._days.pop(day, None) or Day(day)
        if day in self._planner.days:
            found.lots = dict(self._desks(day))
        return found

    def _desks(self, day: date) -> Iterator[tuple[str, list[Case]]]:
        how, days = self._planner.behaviour, self._planner.days
        today = days.number(day)
        desks: Mapping[str, int] = {
            "imported": how.import_before,
            "inspected": how.inspect_before,
            "registry_checked": how.check_before,
            "preset": how.preset_before,
            "shelved": how.shelve_before,
            "notified": 0,
        }
        for desk, ahead in desks.items():
            lot_day = days[today + ahead]
            if lot := self._lots.get(lot_day):
                yield desk, lot
        self._lots.pop(day, None)

"""The plan of a replay: every cell is planned, no seat is used twice, and a seed says it all."""

from collections import Counter, defaultdict
from datetime import date
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.base import Procedure
from simulation.replay.agenda import Agenda, Turn, together
from simulation.replay.cases import Case, End, Fate, Seat
from simulation.replay.city import DEMAND, HURRIED, City, read_city
from simulation.replay.demand import Demand, chosen, read_demand, scaled
from simulation.replay.plan import Planner
from simulation.replay.seats import rests
from simulation.replay.settings import Behaviour, read_behaviour
from tests.simulation.other_city import write_city

SHARE = Fraction(1, 25)
JULY, AUGUST = date(2025, 7, 1), date(2025, 8, 1)


@pytest.fixture(scope="module")
def city() -> City:
    """The city that is replayed without other files."""
    return read_city()


def demand_of(scale: Fraction, first: date = JULY, last: date = AUGUST) -> Demand:
    return scaled(chosen(read_demand(DEMAND), first, last, DEMAND), scale)


@pytest.fixture(scope="module", params=[None, HURRIED], ids=["daily", "weekly"])
def planner(city: City, request: pytest.FixtureRequest) -> Planner:
    """Two months at a small share, of a city that acts every day, or once a week."""
    return Planner.of(demand_of(SHARE), city, read_behaviour(request.param), scale=SHARE)


@pytest.fixture(scope="module")
def cases(planner: Planner) -> list[Case]:
    """All cases of the two months."""
    return [case for plan in planner.plans() for case in plan.cases]


def completed(cases: list[Case]) -> Counter[tuple[date, Procedure]]:
    days = ((case, case.completes_on) for case in cases)
    return Counter((day.replace(day=1), case.procedure) for case, day in days if day)


def test_every_cell_is_completed_in_its_month(planner: Planner, cases: list[Case]) -> None:
    assert completed(cases) == planner.demand


@settings(max_examples=50)
@given(
    counts=st.lists(st.integers(0, 50_000), min_size=1, max_size=24),
    scale=st.fractions(Fraction(1, 2000), 1),
)
def test_scaled_cells_add_up_to_the_scaled_sum(counts: list[int], scale: Fraction) -> None:
    demand = {(date(2025 + n // 12, n % 12 + 1, 1), procedure): count
              for n, count in enumerate(counts) for procedure in Procedure}  # fmt: skip
    found = scaled(demand, scale)
    assert sum(found.values()) == round(sum(demand.values()) * scale)
    assert all(abs(found[cell] - demand[cell] * scale) < 1 for cell in demand)


def test_no_seat_is_used_twice_beyond_the_counters(city: City, cases: list[Case]) -> None:
    taken = Counter(one.seat for case in cases for one in case.appointments)
    seats = {site.site_id: site.seats for site in city.sites}
    assert all(count <= seats[seat.site_id] for seat, count in taken.items())


def test_a_site_serves_only_whom_it_accepts_and_when_it_is_open(
    city: City, cases: list[Case]
) -> None:
    sites = {site.site_id: site for site in city.sites}
    for case in cases:
        for one in case.appointments:
            site, day = sites[one.seat.site_id], one.seat.day
            assert site.accepts(case.procedure, case.ward, day)
            assert not rests(case.procedure, day)
            start = one.seat.starts_at.time()
            assert any(opens <= start < ends for opens, ends in site.hours_on(day, city.calendar))


def test_what_happens_to_a_case_comes_in_its_order(planner: Planner, cases: list[Case]) -> None:
    days = planner.days
    for case in cases:
        if case.card is not None:
            assert case.card.applied_on < case.card.shipped_on < case.card.lot_day
            assert case.card.lot_day <= case.card.notice_on
        for one in () if case.walk_in else case.appointments:
            # Booked from the next business day on, and not beyond the horizon.
            assert days.number(one.made_on) < days.number(one.seat.day)
            assert (one.seat.day - one.made_on).days <= 60
            assert case.card is None or case.card.notice_on < one.made_on
        for former, later in pairwise(case.appointments):
            if former.end in (End.MISSED, End.DEFERRED, End.LETTER):
                assert former.seat.day < later.made_on
            else:
                assert former.made_on < later.made_on
                assert days.number(later.made_on) < days.number(former.seat.day)


def test_a_tenth_goes_step_by_step_and_everything_else_happens(cases: list[Case]) -> None:
    assert sum(case.stepwise for case in cases) >= len(cases) / 10
    ends = {one.end for case in cases for one in case.appointments}
    assert ends == set(End)
    assert {case.fate for case in cases} == set(Fate)
    assert any(case.held for case in cases)
    assert any(case.proxy for case in cases)
    assert {case.procedure for case in cases if case.walk_in} == {Procedure.CERTIFICATE_RENEWAL}


def test_families_come_at_one_time_and_in_one_way(cases: list[Case]) -> None:
    families: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        if case.family:
            families[case.family].append(case)
    assert families
    for key, family in families.items():
        assert 2 <= len(family) <= 4
        assert family[0].key == key
        assert len({(each.ward, each.stepwise, each.appointments) for each in family}) == 1
        assert family[0].procedure is Procedure.CARD_ISSUANCE
    turns = [Turn(case, 0) for case in cases if case.fate is Fate.COMPLETED]
    assert sum(map(len, together(turns))) == len(turns)
    assert len(together(turns)) == len(turns) - sum(len(each) - 1 for each in families.values())


def test_a_card_that_travels_has_a_day_for_it_before_the_visit(
    planner: Planner, cases: list[Case]
) -> None:
    sent = {case.key: day.day for day in Agenda(planner).days() for case in day.bags}
    assert sent
    assert sent.keys() == {case.key for case in cases if case.travels}
    for case in cases:
        if case.travels:
            (only,) = case.appointments
            assert only.made_on < sent[case.key] < only.seat.day
            apart = planner.city.calendar.business_days(only.made_on, only.seat.day)
            assert len(apart) > 2


def test_who_waits_joins_on_the_day_on_which_such_a_seat_is_given_up(cases: list[Case]) -> None:
    waiting = Counter(
        (only.made_on, only.seat.site_id, only.seat.day)
        for case in cases
        if case.waits
        for only in case.appointments
    )
    given_up = Counter(
        (later.made_on, former.seat.site_id, former.seat.day)
        for case in cases
        for former, later in pairwise(case.appointments)
        if former.end in (End.MOVED, End.CANCELLED)
    )
    assert waiting
    assert waiting <= given_up


def test_the_same_seed_gives_the_same_cases_and_another_does_not(city: City) -> None:
    def lines(seed: int) -> list[str]:
        demand = demand_of(Fraction(1, 1000), JULY, JULY)
        planner = Planner.of(demand, city, Behaviour(), scale=Fraction(1, 1000), seed=seed)
        return [case.line() for plan in planner.plans() for case in plan.cases]

    assert lines(1) == lines(1)
    assert lines(1) != lines(2)


def test_what_no_seat_is_left_for_is_carried_and_served_later(city: City) -> None:
    # Fewer seats than the first month asks for, and enough for both months.
    demand = {
        (JULY, Procedure.CARD_ISSUANCE): 1000,
        (JULY, Procedure.CERTIFICATE_RENEWAL): 1000,
        (AUGUST, Procedure.CARD_ISSUANCE): 10,
        (AUGUST, Procedure.CERTIFICATE_RENEWAL): 10,
    }
    planner = Planner.of(demand, city, Behaviour(), scale=Fraction(2, 100))
    waiting = dict.fromkeys(Procedure, 0)
    for plan in planner.plans():
        done = completed(plan.cases)
        for each in Procedure:
            came = demand[plan.month, each] + waiting[each]
            assert came == done[plan.month, each] + plan.carried[each]
        waiting = dict(plan.carried)
        if plan.month == JULY:
            assert sum(waiting.values()) > 0
    assert sum(waiting.values()) == 0


def test_the_agenda_does_everything_once(planner: Planner, cases: list[Case]) -> None:
    agenda = Agenda(planner)
    days = list(agenda.days())
    imported = Counter(case.key for day in days for case in day.lots.get("imported", ()))
    assert imported == Counter(case.key for case in cases if case.card)
    booked = Counter(
        (t.case.key, t.number) for day in days for t in (*day.books, *day.moves, *day.waits)
    )
    assert booked == Counter(
        (c.key, n) for c in cases if not c.walk_in for n, _ in enumerate(c.appointments)
    )
    served = [t for day in days for t in day.visits if t.appointment.end is End.SERVED]
    assert len(served) == sum(planner.demand.values())
    assert all(t.number == len(t.case.appointments) - 1 for t in served)
    letters = [(case.key, day.day) for day in days for case in day.letters]
    assert len(letters) == sum(one.end is End.LETTER for c in cases for one in c.appointments)
    seats = {case.key: [one.seat.day for one in case.appointments] for case in cases}
    assert all(seats[key][0] < mailed <= seats[key][1] for key, mailed in letters)
    assert days[0].day >= agenda.first
    assert [day.day for day in days] == sorted({day.day for day in days})


def test_a_seat_is_a_moment_in_japan() -> None:
    minute = date(2025, 7, 1).toordinal() * 24 * 60 + 8 * 60 + 30
    assert Seat("x", minute).starts_at.isoformat() == "2025-07-01T08:30:00+09:00"


def test_a_city_that_acts_once_a_week_rests_on_the_other_days(city: City) -> None:
    scale = Fraction(1, 100)
    demand = demand_of(scale, date(2025, 4, 1), date(2026, 3, 1))
    planner = Planner.of(demand, city, read_behaviour(HURRIED), scale=scale)
    agenda = Agenda(planner)
    acts = [day.day for day in agenda.days()]
    assert len(acts) < 60
    assert all(day in planner.days for day in acts)
    assert not sum(agenda.carried.values())


@pytest.mark.parametrize("year", [2023, 2024, 2025])
def test_each_year_of_the_plan_fits_the_sites(city: City, year: int) -> None:
    scale = Fraction(1, 100)
    demand = demand_of(scale, date(year, 4, 1), date(year + 1, 3, 1))
    plans = Planner.of(demand, city, Behaviour(), scale=scale).plans()
    assert all(not sum(plan.carried.values()) for plan in plans)


def test_a_city_of_other_wards_and_sites(tmp_path: Path) -> None:
    """Nothing of Kawasaki is in code."""
    files = write_city(tmp_path, ["2025-07", "2025-08"])
    city, demand = read_city(files.wards, files.sites), read_demand(files.demand)
    july, august = Planner.of(demand, city, Behaviour()).plans()
    assert completed([*july.cases, *august.cases]) == demand
    assert {case.site_id for case in july.cases} == {"hall", "desk"}
    # With as few seats as there are on one day of each week, some wait at the end of both months.
    july, august = Planner.of(demand, city, read_behaviour(HURRIED)).plans()
    assert sum(july.carried.values()) > 20
    assert sum(august.carried.values()) > 0
    done = completed([*july.cases, *august.cases])
    for each in Procedure:
        came = demand[JULY, each] + demand[AUGUST, each]
        assert came == done[JULY, each] + done[AUGUST, each] + august.carried[each]

"""The forecast of the queue: no card made or lost, and the same as a simulation card by card."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.preparation.domain.desks import Desk, Desks, Extra, Period
from services.preparation.domain.flow import Cohort, Notified, run
from services.preparation.domain.forecast import Situation, by_week, forecast
from services.preparation.domain.spread import percentile
from services.preparation.domain.working_days import WorkingDays, week_of
from shared.calendar import BusinessCalendar
from shared.ids import WardCode
from tests.preparation.simulated import SimulatedQueue
from tests.support.sizes import proof_size

FIRST = date(2026, 4, 13)
WORKING = WorkingDays(BusinessCalendar(), date(2026, 1, 5), date(2027, 3, 31))
MINUTES = {
    Desk.INSPECTED: 1.0,
    Desk.REGISTRY_CHECKED: 1.0,
    Desk.PRESET: 4.0,
    Desk.SHELVED: 0.0,
    Desk.NOTIFIED: 1.0,
}
WARDS = tuple(WardCode(code) for code in ("141313", "141321", "141330"))


def desks(**people: float) -> Desks:
    """Desks with these people from the first day on, two where none are said."""
    staff = {desk: people.get(desk.value, 2) for desk in Desk}
    return Desks(MINUTES, 450, [Period(desk, FIRST, count) for desk, count in staff.items()])


cohorts = st.lists(
    st.builds(
        Cohort,
        st.sampled_from(WARDS),
        st.sampled_from(WORKING.days[:60]),
        st.integers(1, 3000).map(float),
    ),
    max_size=6,
)
Tried = tuple[Mapping[Desk, Sequence[Cohort]], Mapping[date, Sequence[Cohort]], dict[str, int]]
situations = st.tuples(
    st.dictionaries(st.sampled_from(Desk), cohorts, max_size=5),
    st.dictionaries(st.sampled_from(WORKING.days[66:80]), cohorts, max_size=5),
    st.fixed_dictionaries({desk.value: st.integers(0, 6) for desk in Desk}),
)
DAYS = WORKING.days[66:96]


@given(situations)
def test_no_card_is_made_or_lost_and_no_desk_does_more_than_it_can(
    situation: Tried,
) -> None:
    waiting, arrivals, people = situation
    staffed = desks(**people)
    flow = run(waiting, arrivals, staffed, DAYS)
    came = by_cohort([*waiting.values(), *arrivals.values()])
    went = by_cohort([flow.notified, *flow.left.values()])
    assert went == pytest.approx(came)
    for day, cards in per_day(flow.notified).items():
        assert cards <= staffed.capacity(Desk.NOTIFIED, day) + 1e-6


@given(situations, st.sampled_from(Desk), st.integers(0, 29))
def test_more_people_make_nobody_wait_longer(
    situation: Tried,
    desk: Desk,
    number: int,
) -> None:
    waiting, arrivals, people = situation
    before = desks(**people)
    more = before.with_extra(Extra(desk, 2, DAYS[number]))
    done_before = per_day(run(waiting, arrivals, before, DAYS).notified)
    done_after = per_day(run(waiting, arrivals, more, DAYS).notified)
    sum_before = sum_after = 0.0
    for day in DAYS:
        sum_before += done_before.get(day, 0)
        sum_after += done_after.get(day, 0)
        assert sum_after >= sum_before - 1e-6


WEEKS = proof_size(6, 12)
PER_DAY = proof_size(240, 960)
"""Cards a business day; 960 is July of FY R7: 20,959 cards in 22 days."""


@pytest.mark.proof
@pytest.mark.parametrize("vary", [False, True], ids=["exact", "exponential"])
@pytest.mark.parametrize("extra", [0, 2, 4], ids=lambda count: f"{count} more")
def test_the_forecast_is_that_of_a_simulation_card_by_card(vary: bool, extra: int) -> None:
    """Preset cannot keep up until ``extra`` people come: by week, both agree within a day."""
    days = WORKING.from_on(FIRST)[: 5 * WEEKS]
    scale = PER_DAY // 240
    arrivals = {
        day: [Cohort(ward, day, float(PER_DAY * 5 // len(WARDS))) for ward in WARDS]
        for day in days[::5]
    }
    waiting = {
        Desk.PRESET: [Cohort(WARDS[0], FIRST, 3.0 * PER_DAY)],
        Desk.INSPECTED: [Cohort(WARDS[1], FIRST, 1.0 * PER_DAY)],
    }
    staffed = desks(inspected=scale, registry_checked=scale, preset=2 * scale, notified=scale)
    staffed = staffed.with_extra(Extra(Desk.PRESET, extra * scale, days[10]))
    flow = run(waiting, arrivals, staffed, days)
    simulated = SimulatedQueue(staffed, days, vary=vary).run(waiting, arrivals)

    told = weekly((n.received_on, n.on, n.cards) for n in flow.notified)
    real = weekly((c.received_on, c.notified_on, 1) for c in simulated)
    full = [week for week in real if sum(real[week][1].values()) > 0.99 * 5 * PER_DAY]
    assert len(full) >= (2 if extra else 1)
    for week in full:
        assert business_days(told[week][0], real[week][0]) <= 1
        for share in (0.5, 0.9):
            apart = percentile(told[week][1], share) - percentile(real[week][1], share)
            assert abs(apart) <= 1


def test_what_more_people_bring_is_what_the_simulation_says() -> None:
    """Without them the wait grows from week to week; with them it falls, in both."""
    days = WORKING.from_on(FIRST)[:40]
    arrivals = {day: [Cohort(WARDS[0], day, 240.0)] for day in days[:30]}
    without = desks(inspected=1, registry_checked=1, preset=2, notified=1)
    more = without.with_extra(Extra(Desk.PRESET, 2, days[10]))
    means = []
    for staffed in (without, more):
        flow = run({}, arrivals, staffed, days)
        simulated = SimulatedQueue(staffed, days, vary=True).run({}, arrivals)
        means.append(
            (
                mean_wait((n.received_on, n.on, n.cards) for n in flow.notified),
                mean_wait((c.received_on, c.notified_on, 1) for c in simulated),
            )
        )
    (told_without, real_without), (told_more, real_more) = means
    assert told_without - told_more == pytest.approx(real_without - real_more, abs=0.5)
    assert told_without > told_more + 0.5


@pytest.mark.proof
@pytest.mark.parametrize("extra", [0, 3], ids=lambda count: f"{count} more")
def test_the_first_bookable_date_by_week_is_that_of_the_simulation(extra: int) -> None:
    """What the what-if shows: each week's first date and lead times, up to the visit."""
    days = WORKING.from_on(FIRST)[: 5 * WEEKS]
    arrivals = {day: [Cohort(WARDS[0], day, float(PER_DAY))] for day in days}
    scale = PER_DAY // 240
    staffed = desks(inspected=scale, registry_checked=scale, preset=2 * scale, notified=scale)
    staffed = staffed.with_extra(Extra(Desk.PRESET, extra * scale, days[10]))
    working = WorkingDays(BusinessCalendar(), FIRST, days[-1])
    situation = Situation(FIRST, {}, arrivals, [], [], staffed)
    told = by_week(forecast(situation, working), working)
    simulated = SimulatedQueue(staffed, days, vary=True).run({}, arrivals)
    real = weekly((c.received_on, WORKING.after(c.notified_on), 1) for c in simulated)
    full = [week for week in real if sum(real[week][1].values()) > 0.99 * 5 * PER_DAY]
    known = [week for week in full if told[week].lead_time is not None]
    assert len(known) >= 2
    for week in known:
        first, lead_time = told[week].bookable_from, told[week].lead_time
        assert first is not None
        assert lead_time is not None
        assert business_days(first, real[week][0]) <= 1
        assert abs(lead_time.p50 - percentile(real[week][1], 0.5)) <= 1
        assert abs(lead_time.p90 - percentile(real[week][1], 0.9)) <= 1


def by_cohort(groups: Iterable[Iterable[Cohort | Notified]]) -> dict[tuple[str, date], float]:
    """Cards by ward and day of receipt."""
    found: dict[tuple[str, date], float] = defaultdict(float)
    for group in groups:
        for one in group:
            found[one.ward, one.received_on] += one.cards
    return found


def per_day(notified: Iterable[Notified]) -> dict[date, float]:
    """Notices by day."""
    found: dict[date, float] = defaultdict(float)
    for one in notified:
        found[one.on] += one.cards
    return found


def weekly(
    found: Iterable[tuple[date, date, float]],
) -> dict[date, tuple[date, dict[int, float]]]:
    """By the week of receipt: the first notice, and cards by business days."""
    weeks: dict[date, tuple[date, dict[int, float]]] = {}
    for received_on, on, cards in found:
        first, spans = weeks.get(week_of(received_on), (on, defaultdict(float)))
        spans[WORKING.between(received_on, on)] += cards
        weeks[week_of(received_on)] = (min(first, on), spans)
    return weeks


def business_days(one: date, other: date) -> int:
    """How far apart."""
    return WORKING.between(min(one, other), max(one, other))


def mean_wait(found: Iterable[tuple[date, date, float]]) -> float:
    """Business days from receipt to notice, on average."""
    spans = [(WORKING.between(start, end), cards) for start, end, cards in found]
    return sum(days * cards for days, cards in spans) / sum(cards for _, cards in spans)

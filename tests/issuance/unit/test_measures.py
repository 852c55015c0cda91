"""Measures: the quarters of a day add up to the day, on any input."""

from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.issuance.domain.measures import (
    QUARTER,
    DayFacts,
    Noted,
    Turn,
    durations,
    measure,
    quarter_of,
)
from shared.contracts.issuance import Arrival, Service, ServiceStep
from tests.issuance.support import TEN

CARD = Service.CARD_ISSUANCE
VISIT = UUID(int=1)
moments = st.integers(0, 6 * 3600).map(lambda seconds: TEN + timedelta(seconds=seconds))
spans = st.tuples(moments, moments).map(lambda pair: (min(pair), max(pair)))


def at(minute: int) -> datetime:
    """Minutes after ten."""
    return TEN + timedelta(minutes=minute)


@given(st.lists(spans), st.lists(spans), st.lists(spans))
def test_nothing_is_lost_or_counted_twice(
    open_: list[tuple[datetime, datetime]],
    turns: list[tuple[datetime, datetime]],
    waits: list[tuple[datetime, datetime]],
) -> None:
    busy = [Turn(UUID(int=n), span) for n, span in enumerate(turns)]
    found = measure(DayFacts(open_spans=open_, turns=busy, waits=waits)).values()
    nothing = timedelta()
    assert sum((q.open for q in found), nothing) == sum((e - b for b, e in open_), nothing)
    assert sum((q.busy for q in found), nothing) == sum((e - b for b, e in turns), nothing)
    assert sum((q.waited for q in found), nothing) == sum((e - b for b, e in waits), nothing)
    assert sum(q.called for q in found) == len(waits)


@given(st.lists(spans, min_size=1))
def test_one_counter_is_never_open_longer_than_a_quarter_lasts(
    open_: list[tuple[datetime, datetime]],
) -> None:
    for start, quarter in measure(DayFacts(open_spans=open_[:1])).items():
        assert quarter.open <= QUARTER
        assert start == quarter_of(start)


@given(st.lists(moments, min_size=3, max_size=3, unique=True), spans)
def test_the_steps_of_a_case_add_up_to_it(
    ends: list[datetime], turn: tuple[datetime, datetime]
) -> None:
    noted = [
        Noted(VISIT, CARD, step, end) for step, end in zip(ServiceStep, sorted(ends), strict=True)
    ]
    took = {kind: duration for kind, _, duration in durations([Turn(VISIT, turn)], noted)}
    whole = took.pop((CARD, None))
    assert sum(took.values(), timedelta()) == whole
    assert all(duration >= timedelta() for duration in took.values())


def test_a_family_at_one_counter_takes_its_time_once() -> None:
    steps = [ServiceStep.IDENTITY, ServiceStep.PIN_SET, ServiceStep.FINISH]
    noted = [Noted(VISIT, CARD, step, at(5 * n)) for n, step in enumerate([*steps, *steps], 1)]
    found = list(durations([Turn(VISIT, (at(0), at(30)))], noted))
    wholes = [took for (_, step), _, took in found if step is None]
    assert wholes == [timedelta(minutes=15)] * 2


def test_waiting_between_two_counters_is_no_service() -> None:
    noted = [
        Noted(VISIT, CARD, ServiceStep.IDENTITY, at(5)),
        Noted(VISIT, CARD, ServiceStep.FINISH, at(45)),
    ]
    turns = [Turn(VISIT, (at(0), at(10))), Turn(VISIT, (at(40), at(50)))]
    (identity, finish, whole) = list(durations(turns, noted))
    assert [took for *_, took in (identity, finish, whole)] == [
        timedelta(minutes=5),
        timedelta(minutes=5),
        timedelta(minutes=10),
    ]


def test_a_question_is_its_turn() -> None:
    noted = [Noted(VISIT, Service.QUESTION, None, at(7))]
    (found,) = durations([Turn(VISIT, (at(3), at(7)))], noted)
    assert found == ((Service.QUESTION, None), at(7), timedelta(minutes=4))


def test_arrivals_stand_in_their_quarter() -> None:
    found = measure(DayFacts(arrivals=[(at(14), Arrival.LATE), (at(15), Arrival.LATE)]))
    assert [quarter.arrivals[Arrival.LATE] for quarter in found.values()] == [1, 1]

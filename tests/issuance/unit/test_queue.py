"""The order of the queue on any input: fair within a class, and nobody waits for ever."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.issuance.domain.estimate import OpenCounter, waits
from services.issuance.domain.queue import (
    Claim,
    Priorities,
    Waiting,
    callable_at,
    in_order,
    is_paused,
    turn_time,
)
from services.issuance.domain.ticket import Need, Purpose
from shared.contracts.issuance import Arrival
from shared.ids import VisitId
from tests.issuance.support import TEN

RULES = Priorities()
MINUTES = st.integers(0, 240).map(lambda minutes: timedelta(minutes=minutes))
TIMES = {
    Purpose.CARD_ISSUANCE: timedelta(minutes=20),
    Purpose.CERTIFICATE_RENEWAL: timedelta(minutes=15),
    Purpose.QUESTION: timedelta(minutes=5),
}
rules = st.fixed_dictionaries(
    {
        Claim.BOOKED: st.integers(0, 60),
        Claim.LATE: st.integers(0, 30),
        Claim.WALK_IN: st.just(0),
        Claim.NEED: st.integers(0, 60),
        Claim.TRANSFERRED: st.integers(0, 120),
        Claim.SKIPPED: st.integers(-60, 0),
    }
).map(Priorities)


def party(number: int = 1, **changes: Any) -> Waiting:
    """A walk-in that came at ten."""
    waiting = Waiting(
        VisitId(UUID(int=number)),
        number,
        frozenset({Purpose.CARD_ISSUANCE}),
        Arrival.WALK_IN,
        TEN,
    )
    return replace(waiting, **changes)


@st.composite
def parties(draw: Callable[[Any], Any], most: int = 12) -> list[Waiting]:
    """A waiting room."""
    return [
        party(
            number,
            arrival=draw(st.sampled_from(Arrival)),
            checked_in_at=TEN + draw(MINUTES),
            starts_at=draw(st.none() | MINUTES.map(lambda by: TEN + by)),
            need=draw(st.none() | st.sampled_from(Need)),
            skipped_at=draw(st.none() | MINUTES.map(lambda by: TEN + by)),
            purposes=draw(st.frozensets(st.sampled_from(Purpose), min_size=1)),
            only_counter=draw(st.sampled_from([None, "1", "2"])),
        )
        for number in range(1, 1 + draw(st.integers(0, most)))
    ]


@given(parties(), rules, st.randoms())
def test_the_order_is_the_same_however_they_are_listed(
    room: list[Waiting], chosen: Priorities, shuffle: Any
) -> None:
    ordered = in_order(room, chosen)
    shuffle.shuffle(room)
    assert in_order(room, chosen) == ordered
    assert sorted(ordered, key=lambda one: one.number) == sorted(room, key=lambda one: one.number)


def test_paused_is_who_came_for_nothing_else_than_what_stops() -> None:
    card, renewal = frozenset({Purpose.CARD_ISSUANCE}), frozenset({Purpose.CERTIFICATE_RENEWAL})
    assert is_paused(renewal, renewal)
    assert is_paused(card | renewal, card | renewal)
    assert not is_paused(card | renewal, renewal)
    assert not is_paused(renewal, frozenset())
    assert not is_paused(frozenset(), renewal)


@given(rules, MINUTES, MINUTES, st.sampled_from([Arrival.LATE, Arrival.WALK_IN]))
def test_who_came_first_goes_first_within_a_class(
    chosen: Priorities, one: timedelta, other: timedelta, arrival: Arrival
) -> None:
    first = party(1, arrival=arrival, checked_in_at=TEN + min(one, other))
    second = party(2, arrival=arrival, checked_in_at=TEN + max(one, other))
    assert in_order([second, first], chosen) == [first, second]


@given(rules, MINUTES, MINUTES)
def test_coming_early_takes_nobodys_booked_turn(
    chosen: Priorities, early: timedelta, late: timedelta
) -> None:
    booked = {"arrival": Arrival.BOOKED}
    first = party(2, starts_at=TEN, checked_in_at=TEN - late, **booked)
    second = party(1, starts_at=TEN + timedelta(minutes=10), checked_in_at=TEN - early, **booked)
    assert in_order([second, first], chosen) == [first, second]


@given(parties(), rules)
def test_a_need_never_sets_back_and_a_skip_never_advances(
    room: list[Waiting], chosen: Priorities
) -> None:
    for one in room:
        needy = turn_time(replace(one, need=Need.WHEELCHAIR), chosen)
        assert needy <= turn_time(replace(one, need=None), chosen)
        unskipped = replace(one, skipped_at=None)
        assert turn_time(one, chosen) >= turn_time(unskipped, chosen)


@given(parties(), rules)
def test_nobody_waits_behind_whoever_comes_much_later(
    room: list[Waiting], chosen: Priorities
) -> None:
    """However many come, a party has only to outwait the greatest head start."""
    greatest = timedelta(minutes=sum(abs(minutes) for minutes in chosen.minutes.values()))
    for one in room:
        if one.arrival is Arrival.BOOKED:
            continue
        since = max([one.checked_in_at, *([one.skipped_at] if one.skipped_at else [])])
        at = since + greatest + timedelta(minutes=1)
        newcomer = party(99, arrival=Arrival.BOOKED, checked_in_at=at, starts_at=at)
        needy = replace(newcomer, need=Need.PARENT)
        assert in_order([needy, one], chosen)[0] == one


@pytest.mark.parametrize(
    ("sooner", "later"),
    [
        (party(2, need=Need.WHEELCHAIR), party(1)),
        (
            party(2, arrival=Arrival.BOOKED, starts_at=TEN),
            party(1, checked_in_at=TEN - timedelta(minutes=10)),
        ),
        (party(2, arrival=Arrival.LATE), party(1)),
        (party(1), party(2, arrival=Arrival.LATE, checked_in_at=TEN + timedelta(minutes=6))),
        (party(2), party(1, skipped_at=TEN)),
        (
            party(2, transferred_at=TEN, checked_in_at=TEN - timedelta(hours=1)),
            party(1, checked_in_at=TEN - timedelta(minutes=50)),
        ),
    ],
)
def test_as_the_defaults_have_it(sooner: Waiting, later: Waiting) -> None:
    assert in_order([later, sooner], RULES) == [sooner, later]


@given(parties())
def test_a_counter_calls_only_whom_it_can_serve(room: list[Waiting]) -> None:
    able = frozenset({Purpose.CARD_ISSUANCE, Purpose.QUESTION})
    for one in callable_at(room, "1", able, frozenset({"1", "2"})):
        assert one.purposes <= able
        assert one.only_counter in (None, "1")
    every = callable_at(room, "1", frozenset(Purpose), frozenset({"1"}))
    assert every == room, "who waits for a counter that is closed waits for any"


@given(parties(), st.integers(0, 4), st.integers(0, 40))
def test_estimates_follow_the_order_and_never_promise_a_busy_counter(
    room: list[Waiting], counters: int, busy: int
) -> None:
    now: datetime = TEN + timedelta(hours=4)
    serving = [
        OpenCounter(str(n), frozenset(Purpose), now + timedelta(minutes=busy))
        for n in range(1, counters + 1)
    ]
    queue = in_order([replace(one, only_counter=None) for one in room], RULES)
    found = waits(queue, serving, TIMES, now)
    assert list(found) == ([one.visit_id for one in queue] if counters else [])
    assert list(found.values()) == sorted(found.values())
    assert all(wait >= timedelta(minutes=busy) for wait in found.values())


def test_one_more_counter_shortens_the_wait() -> None:
    room = [party(number) for number in range(1, 5)]
    one = OpenCounter("1", frozenset(Purpose), TEN)
    alone = waits(room, [one], TIMES, TEN)
    both = waits(room, [one, replace(one, counter="2")], TIMES, TEN)
    assert [wait.seconds // 60 for wait in alone.values()] == [0, 20, 40, 60]
    assert [wait.seconds // 60 for wait in both.values()] == [0, 0, 20, 20]


def test_nobody_is_promised_what_no_counter_does() -> None:
    questions = OpenCounter("1", frozenset({Purpose.QUESTION}), TEN)
    assert waits([party()], [questions], TIMES, TEN) == {}

"""Validity: known days of the law, and what holds for every birthday."""

from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.preparation.domain.validity import (
    ADULT,
    age_on,
    birthday_in,
    card_expires_on,
    certificate_expires_on,
    is_next_generation,
    nth_birthday_after,
    possible_ends,
    renewal_opens_on,
)
from simulation.lots import draw_lot

births = st.dates(date(1900, 1, 1), date(2040, 12, 31)) | st.integers(476, 510).map(
    lambda n: date(4 * n, 2, 29)
)
days = st.dates(date(2016, 1, 1), date(2060, 12, 31))
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("issued", "born", "expires"),
    [
        ("2026-04-10", "1986-05-14", "2035-05-14"),
        ("2026-05-14", "1986-05-14", "2036-05-14"),
        ("2026-05-13", "1986-05-14", "2035-05-14"),
        ("2026-04-10", "2008-04-10", "2036-04-10"),
        ("2026-04-09", "2008-04-10", "2030-04-10"),
        ("2026-04-10", "2020-12-31", "2030-12-31"),
        ("2026-02-28", "2000-02-29", "2036-02-29"),
        ("2026-02-27", "2000-02-29", "2035-02-28"),
        ("2028-02-28", "2000-02-29", "2037-02-28"),
        ("2028-02-29", "2000-02-29", "2038-02-28"),
    ],
)
def test_known_cards(issued: str, born: str, expires: str) -> None:
    day, birth = date.fromisoformat(issued), date.fromisoformat(born)
    assert card_expires_on(day, birth) == date.fromisoformat(expires)


@pytest.mark.parametrize(
    ("ends", "opens"),
    [
        ("2026-05-14", "2026-02-14"),
        ("2026-05-31", "2026-02-28"),
        ("2028-05-31", "2028-02-29"),
        ("2026-05-29", "2026-02-28"),
        ("2026-01-31", "2025-10-31"),
        ("2026-03-31", "2025-12-31"),
    ],
)
def test_known_openings_of_renewal(ends: str, opens: str) -> None:
    assert renewal_opens_on(date.fromisoformat(ends)) == date.fromisoformat(opens)


@given(days, births, st.integers(1, 12))
def test_the_nth_birthday_is_one_and_the_nth(day: date, born: date, count: int) -> None:
    found = nth_birthday_after(day, born, count)
    between = [
        birthday
        for year in range(day.year, found.year + 1)
        if day < (birthday := birthday_in(year, born)) <= found
    ]
    assert (len(between), between[-1]) == (count, found)


@given(days, births)
def test_age_grows_by_one_at_each_birthday(day: date, born: date) -> None:
    assume(born < day)
    grown = age_on(day, born) - age_on(day - DAY, born)
    assert grown == (day == birthday_in(day.year, born))


@given(days, births, st.none() | days)
def test_a_card_ends_at_a_birthday_or_with_the_stay(
    issued: date, born: date, stay: date | None
) -> None:
    assume(born <= issued)
    ends = card_expires_on(issued, born, stay)
    natural = card_expires_on(issued, born)
    assert natural == birthday_in(natural.year, born)
    assert ends in (natural, stay)
    assert stay is None or ends <= stay
    years = 10 if age_on(issued, born) >= ADULT else 5
    assert years - 1 <= age_on(natural, born) - age_on(issued, born) <= years
    assert natural <= birthday_in(issued.year + years, born) or natural.year == issued.year + years


@given(days, days, births)
def test_cards_issued_later_never_end_earlier_for_grown_ups(
    one: date, other: date, born: date
) -> None:
    first, second = sorted((one, other))
    assume(born <= first)
    assume(age_on(first, born) >= ADULT)
    assert card_expires_on(first, born) <= card_expires_on(second, born)


@given(days, births, days)
def test_no_certificate_outlives_its_card(issued: date, born: date, card: date) -> None:
    for generation in (False, True):
        ends = certificate_expires_on(issued, born, card, next_generation=generation)
        assert ends <= card
        assert ends == card or not generation
    assert certificate_expires_on(issued, born, date(2100, 1, 1)) == nth_birthday_after(
        issued, born, 5
    )


@given(days)
def test_renewal_opens_three_months_before(ends: date) -> None:
    opens = renewal_opens_on(ends)
    assert (ends.year - opens.year) * 12 + ends.month - opens.month == 3
    assert opens.day == ends.day or (opens.day < ends.day and (opens + DAY).day == 1)


@given(days, days)
def test_later_ends_open_no_earlier(one: date, other: date) -> None:
    first, second = sorted((one, other))
    assert renewal_opens_on(first) <= renewal_opens_on(second)


@given(days, st.none() | days)
def test_the_next_generation_begins_on_its_day(applied: date, start: date | None) -> None:
    assert is_next_generation(applied, start) == (start is not None and applied >= start)


def test_nobody_has_an_age_before_birth() -> None:
    with pytest.raises(ValueError, match="before birth"):
        age_on(date(2026, 1, 1), date(2026, 1, 2))


def test_the_invented_lots_keep_the_rule() -> None:
    for card in draw_lot("L", 400, date(2026, 4, 10)):
        assert card.card_expires_on == card_expires_on(card.shipped_on, card.birth_date)


@given(birth=births, applied=days, wait=st.integers(0, 60))
def test_the_right_last_day_is_among_the_possible_ones(
    birth: date, applied: date, wait: int
) -> None:
    assume(birth <= applied)
    shipped = applied + timedelta(days=wait)
    ends = possible_ends(applied, shipped, birth)
    assert card_expires_on(shipped, birth) in ends
    assert card_expires_on(applied, birth) in ends
    assert all(birthday_in(end.year, birth) == end for end in ends)


def test_who_grows_up_between_application_and_card_may_have_either_span() -> None:
    ends = possible_ends(date(2026, 4, 1), date(2026, 4, 20), date(2008, 4, 10))
    assert {date(2030, 4, 10), date(2036, 4, 10)} <= ends

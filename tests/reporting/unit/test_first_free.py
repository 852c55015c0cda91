"""How the first free day moved: what was told last of a day counts, and no day from before."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.first_free import Telling, evenings, of_sites
from shared.contracts.base import Procedure
from shared.ids import SiteId

SITE, CARD = SiteId("office"), Procedure.CARD_ISSUANCE
EVENING = date(2026, 7, 1)
HORIZON = 10


def telling(first: int, *free: int | None, evening: int = 0) -> Telling:
    """Told by the evening, from ``first`` days after the first of July on."""
    return Telling(day(evening), SITE, CARD, day(first), free)


def day(number: int) -> date:
    return EVENING + timedelta(days=number)


def firsts(*told: Telling) -> list[date | None]:
    return [each.first_free for each in of_sites(evenings(told, HORIZON))]


def test_the_first_day_after_the_evening_with_a_seat() -> None:
    assert firsts(telling(0, 5, 0, 3)) == [day(2)]
    assert firsts(telling(1, 0, 0)) == [None]


def test_what_is_told_later_replaces_the_days_it_speaks_of() -> None:
    assert firsts(telling(1, 4, 4, 4), telling(1, 0, None)) == [day(2)]
    assert firsts(telling(1, 0, 0), telling(3, 7)) == [day(3)]


def test_nobody_books_beyond_the_horizon() -> None:
    assert firsts(telling(HORIZON, 1)) == [day(HORIZON)]
    assert firsts(telling(HORIZON + 1, 1)) == []


@given(st.lists(st.lists(st.none() | st.integers(0, 2), min_size=1, max_size=12), max_size=4))
def test_day_by_day_as_somebody_with_a_calendar_would(tellings: list[list[int | None]]) -> None:
    calendar: dict[date, int] = {}
    for told in tellings:
        for number, free in enumerate(told):
            if free is not None and 0 < number <= HORIZON:
                calendar[day(number)] = free
    expected = min((at for at, free in calendar.items() if free), default=None)
    found = firsts(*(telling(0, *each) for each in tellings))
    assert found == ([expected] if calendar else [])

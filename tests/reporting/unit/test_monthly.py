"""The plan's layout: rows, months and sums."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.monthly import plan_rows
from shared.calendar import FiscalYear
from shared.contracts.base import Procedure
from tests.reporting.histories import CARD, RENEWAL

YEAR = FiscalYear(8)
COUNTS = st.dictionaries(
    st.tuples(st.sampled_from(YEAR.months()), st.sampled_from(Procedure)),
    st.integers(0, 50_000),
)


def test_rows_are_those_of_the_plan() -> None:
    rows = plan_rows(YEAR, {(date(2026, 4, 1), CARD): 12_556, (date(2026, 4, 1), RENEWAL): 12_444})
    assert [row.label.ja for row in rows] == ["①カード交付", "②電子証明書更新", "①＋②計"]
    assert [row.months[0] for row in rows] == [12_556, 12_444, 25_000]


def test_the_year_runs_from_april_to_march() -> None:
    rows = plan_rows(YEAR, {(date(2027, 3, 1), CARD): 5, (date(2027, 4, 1), CARD): 7})
    assert rows[0].months == (0,) * 11 + (5,)


@given(COUNTS)
def test_sums_hold(counts: dict[tuple[date, Procedure], int]) -> None:
    cards, certificates, both = plan_rows(YEAR, counts)
    assert both.total == sum(counts.values())
    assert both.total == cards.total + certificates.total
    assert all(len(row.months) == 12 for row in (cards, certificates, both))

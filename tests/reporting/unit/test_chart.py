"""The chart's geometry: what is larger stands higher, and nothing leaves the picture."""

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.chart import HEIGHT, WIDTH, round_up, stacked

YEAR = st.lists(st.integers(0, 10**7), min_size=12, max_size=12)


@given(st.integers(0, 10**9))
def test_scale_ends_on_a_round_number_close_above(value: int) -> None:
    top = round_up(value)
    assert value <= top <= max(5, 2 * value)
    assert top % 5 == 0


@given(YEAR, YEAR)
def test_bars_stay_inside_and_keep_proportion(first: list[int], second: list[int]) -> None:
    chart = stacked(first, second)
    for bar, a, b in zip(chart.bars, first, second, strict=True):
        assert bar.value == a + b
        assert 0 <= bar.second_y <= bar.first_y <= chart.ground < HEIGHT
        assert 0 < bar.x < bar.x + bar.width < WIDTH
    tallest = max(chart.bars, key=lambda bar: bar.value)
    assert tallest.second_y == min(bar.second_y for bar in chart.bars)


@given(YEAR)
def test_lines_go_from_nothing_to_the_top(first: list[int]) -> None:
    values = [line.value for line in stacked(first, [0] * 12).lines]
    assert len(values) == 6
    assert values[0] == 0
    assert values[-1] >= max(first)


def test_an_empty_year_has_a_scale() -> None:
    assert [line.value for line in stacked([0] * 12, [0] * 12).lines] == [0, 1, 2, 3, 4, 5]

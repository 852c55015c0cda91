"""A bar chart as geometry: stacked months on a scale that ends on a round number.

Numbers only; the template draws them. Units are those of the SVG's own view box.
"""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 960, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 8, 28, 34
_LINES = 5


@dataclass(frozen=True, slots=True)
class Bar:
    """One month: the first series from the ground up, the second upon it."""

    x: float
    width: float
    first_y: float
    first_height: float
    second_y: float
    second_height: float
    value: int

    @property
    def middle(self) -> float:
        """Where labels stand."""
        return self.x + self.width / 2


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the scale."""

    y: float
    value: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars, the lines behind them, and the ground they stand on."""

    bars: tuple[Bar, ...]
    lines: tuple[Line, ...]
    ground: float = HEIGHT - _BOTTOM
    left: float = _LEFT
    right: float = WIDTH - _RIGHT
    width: int = WIDTH
    height: int = HEIGHT


def stacked(first: Sequence[int], second: Sequence[int]) -> Chart:
    """The chart of two series of the same length."""
    top = round_up(max((a + b for a, b in zip(first, second, strict=True)), default=0))
    scale = (HEIGHT - _TOP - _BOTTOM) / top
    step = (WIDTH - _LEFT - _RIGHT) / max(1, len(first))
    bars = (
        _bar(_LEFT + step * (number + 0.16), step * 0.68, a, b, scale)
        for number, (a, b) in enumerate(zip(first, second, strict=True))
    )
    lines = (
        Line(round(HEIGHT - _BOTTOM - value * scale, 1), value)
        for value in range(0, top + 1, top // _LINES)
    )
    return Chart(tuple(bars), tuple(lines))


def round_up(value: int) -> int:
    """A round number not below ``value``: 5, 10, 20, 25, 30, 40, 50, 100, 200, …"""
    power = 1
    while True:
        for digit in (5, 10, 20, 25, 30, 40):
            if value <= digit * power:
                return digit * power
        power *= 10


def _bar(x: float, width: float, first: int, second: int, scale: float) -> Bar:
    ground = HEIGHT - _BOTTOM
    first_height, second_height = round(first * scale, 1), round(second * scale, 1)
    return Bar(
        x=round(x, 1),
        width=round(width, 1),
        first_y=round(ground - first_height, 1),
        first_height=first_height,
        second_y=round(ground - first_height - second_height, 1),
        second_height=second_height,
        value=first + second,
    )

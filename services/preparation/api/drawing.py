"""Lines over days as an SVG picture: made on the server, nothing from elsewhere, no script.

Colours are told apart by people who see fewer of them (Okabe and Ito), and each line has a pattern
of its own as well; a description says in words what the lines show.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from typing import Final

from starlette.responses import Response

from shared.errors import Language

WIDTH, HEIGHT = 960, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 64, 40
_COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_PATTERNS: Final = ("", "8 4", "2 3", "12 3 2 3", "5 2", "1 4", "10 6")
_LINES = 5
_LABELS = 8

Point = tuple[date, float]


@dataclass(frozen=True, slots=True)
class Line:
    """One line under the name that the legend gives it; days without a value are gaps."""

    name: str
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Picture:
    """Lines over days; ``unit`` names what the scale counts."""

    title: str
    unit: str
    lines: Sequence[Line]


def drawn(picture: Picture, language: Language) -> Response:
    """The picture as an answer; it can do nothing but be looked at."""
    return Response(
        svg(picture, language).encode(),
        media_type="image/svg+xml",
        headers={
            "Content-Language": language,
            "Vary": "Accept-Language",
            "Cache-Control": "private, no-cache",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        },
    )


def svg(picture: Picture, language: Language) -> str:
    """The picture as SVG."""
    days = [day for line in picture.lines for day, _ in line.points]
    most = max((value for line in picture.lines for _, value in line.points), default=0)
    scale = _Scale(min(days, default=date.min), max(days, default=date.min), round_up(most))
    parts = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' lang="{language}" font-family="sans-serif" font-size="13">',
        f"<title>{escape(picture.title)}</title><desc>{escape(_described(picture))}</desc>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="22" font-size="16">{escape(picture.title)}</text>',
        f'<text x="{_LEFT - 8}" y="{_TOP - 6}" text-anchor="end">{escape(picture.unit)}</text>',
        *_grid(scale, bool(days)),
        *(_line(number, line, scale) for number, line in enumerate(picture.lines)),
        *_legend(picture.lines),
        *([] if days else [_nothing(language)]),
        "</svg>",
    )
    return "".join(parts)


def round_up(value: float) -> int:
    """A round number not below ``value`` that the scale's lines divide: 5, 10, 20, 25, 50, …"""
    power = 1
    while True:
        for digit in (5, 10, 20, 25, 30, 40):
            if value <= digit * power:
                return digit * power
        power *= 10


@dataclass(frozen=True, slots=True)
class _Scale:
    first: date
    last: date
    most: int

    def x(self, day: date) -> float:
        span = max(1, (self.last - self.first).days)
        return round(_LEFT + (WIDTH - _LEFT - _RIGHT) * (day - self.first).days / span, 1)

    def y(self, value: float) -> float:
        return round(HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * value / self.most, 1)


def _grid(scale: _Scale, with_days: bool) -> Iterator[str]:
    for value in range(0, scale.most + 1, scale.most // _LINES):
        y = scale.y(value)
        yield f'<path d="M{_LEFT} {y}H{WIDTH - _RIGHT}" stroke="#ccc"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{value:,}</text>'
    span = (scale.last - scale.first).days
    step = max(1, -(-span // _LABELS))
    for number in range(0, span + 1, step) if with_days else ():
        day = scale.first + timedelta(days=number)
        yield f'<text x="{scale.x(day)}" y="{HEIGHT - 14}" text-anchor="middle">{day:%m-%d}</text>'


def _line(number: int, line: Line, scale: _Scale) -> str:
    colour, pattern = _COLOURS[number % 7], _PATTERNS[number % 7]
    points = " ".join(f"{scale.x(day)},{scale.y(value)}" for day, value in line.points)
    dots = "".join(
        f'<circle cx="{scale.x(day)}" cy="{scale.y(value)}" r="2.5" fill="{colour}">'
        f"<title>{escape(line.name)} {day}: {value:g}</title></circle>"
        for day, value in line.points
    )
    return (
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"'
        f' stroke-dasharray="{pattern}"/>{dots}'
    )


def _legend(lines: Sequence[Line]) -> Iterator[str]:
    width = (WIDTH - _LEFT - _RIGHT) / max(1, len(lines))
    for number, line in enumerate(lines):
        x = round(_LEFT + width * number)
        colour, pattern = _COLOURS[number % 7], _PATTERNS[number % 7]
        yield f'<path d="M{x} 40h26" stroke="{colour}" stroke-width="3"'
        yield f' stroke-dasharray="{pattern}"/>'
        yield f'<text x="{x + 32}" y="44">{escape(line.name)}</text>'


def _described(picture: Picture) -> str:
    return "; ".join(_in_words(line) for line in picture.lines if line.points)


def _in_words(line: Line) -> str:
    (first, before), (last, after) = line.points[0], line.points[-1]
    return f"{line.name}: {first} {before:g} → {last} {after:g}"


def _nothing(language: Language) -> str:
    words = "データがありません" if language == "ja" else "Nothing to show yet"
    return f'<text x="{WIDTH / 2}" y="{HEIGHT / 2}" text-anchor="middle">{words}</text>'

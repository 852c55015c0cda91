"""Draws the public page from its figures: what is shown where, and in which words."""

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from services.reporting.api.filters import FIRST_YEAR
from services.reporting.api.tables import month_name
from services.reporting.domain.chart import stacked
from services.reporting.domain.monthly import PlanRow
from services.reporting.domain.words import words
from shared.calendar import TOKYO, FiscalYear, business_date
from shared.errors import Language

_FOLDER = Path(__file__).parent.parent / "templates"


@cache
def templates() -> Environment:
    """Those of this room, each compiled once."""
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@dataclass(frozen=True, slots=True)
class PageStyle:
    """The template, its style sheet, and the policy that lets only this sheet apply."""

    template: Template
    css: str
    policy: str

    @classmethod
    def load(cls, name: str, *allowed: str) -> "PageStyle":
        """Read both files of that name; ``allowed`` are further directives of its policy.

        Raises ``OSError`` when the room is installed without them.
        """
        css = (_FOLDER / f"{name}.css").read_text("utf-8")
        digest = b64encode(hashlib.sha256(css.encode()).digest()).decode()
        directives = [
            "default-src 'none'",
            *allowed,
            f"style-src 'sha256-{digest}'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
        return cls(templates().get_template(f"{name}.html"), css, "; ".join(directives))


@dataclass(frozen=True, slots=True)
class Shown:
    """The figures of a page; ``known`` are the first and last month with any."""

    year: FiscalYear
    rows: Sequence[PlanRow]
    known: tuple[date, date] | None
    now: datetime
    language: Language


def render(shown: Shown, style: PageStyle) -> str:
    """The page as HTML."""
    cards, certificates, both = shown.rows
    return style.template.render(
        css=style.css,
        lang=shown.language,
        other="en" if shown.language == "ja" else "ja",
        words=words(shown.language),
        year=_year(shown.year, shown.language),
        western=shown.year.first.year,
        previous=_neighbour(shown, -1),
        next=_neighbour(shown, 1),
        months=[_month(month, shown) for month in shown.year.months()],
        told=[_is_told(month, shown) for month in shown.year.months()],
        rows=[(row.label.to(shown.language), row) for row in shown.rows],
        cards=cards,
        certificates=certificates,
        both=both,
        chart=stacked(cards.months, certificates.months),
        as_of=_moment(shown.now, shown.language),
    )


def _year(year: FiscalYear, language: Language) -> str:
    """令和8年度（2026年度）: the era's year as the city writes it, the western beside it."""
    western = year.first.year
    if language == "ja":
        return f"{year.name('ja')}（{western}年度）"
    return f"{year.name('en')} (April {western} – March {western + 1})"


def _month(month: date, shown: Shown) -> dict[str, Any]:
    return {
        "name": month_name(month).to(shown.language),
        "year": month.year,
        "iso": f"{month:%Y-%m}",
        "is_running": _is_running(month, shown),
    }


def _is_running(month: date, shown: Shown) -> bool:
    return month == business_date(shown.now).replace(day=1)


def _is_told(month: date, shown: Shown) -> bool:
    """Whether 0 would be a figure: the month runs, or the city completed anything in it."""
    *_, both = shown.rows
    return _is_running(month, shown) or both.months[list(shown.year.months()).index(month)] > 0


def _neighbour(shown: Shown, step: int) -> int | None:
    """The western year before or after, where there can be figures."""
    year = shown.year.first.year + step
    today = max(business_date(shown.now), date(FIRST_YEAR, 4, 1))
    first, last = shown.known or (today, today)
    lower = FiscalYear.of(min(first, today)).first.year
    upper = FiscalYear.of(max(last, today)).first.year
    return year if lower <= year <= upper else None


def _moment(at: datetime, language: Language) -> str:
    """To the minute, so that the page stays the same, and its ETag with it, for that long."""
    local = at.astimezone(TOKYO)
    if language == "ja":
        return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"
    return f"{local.day} {month_name(local.date()).en} {local.year}, {local:%H:%M} (Japan)"

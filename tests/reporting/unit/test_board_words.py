"""What the dashboard says, and how it writes days."""

import re
from datetime import date
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.api.board.dates import day_name, short_day
from services.reporting.api.board.words import WORDS
from services.reporting.domain.alarms import Alarm
from services.reporting.domain.circle import circle
from services.reporting.settings import ReportingSettings
from shared.errors import Language

BOARD = Path(__file__).parents[3] / "services/reporting"


def test_every_word_that_is_said_is_worded() -> None:
    sources = [*BOARD.glob("api/board/*.py"), *BOARD.glob("templates/board*.html")]
    text = "\n".join(path.read_text("utf-8") for path in sources)
    assert set(re.findall(r"\bt\([\"'](\w+)[\"']\)", text)) <= WORDS.keys()
    assert set(Alarm) <= WORDS.keys()


@pytest.mark.parametrize(
    ("day", "language", "name", "short"),
    [
        (date(2026, 7, 15), "ja", "2026年7月15日（令和8年・水）", "7/15（水）"),
        (date(2026, 7, 15), "en", "Wed 15 Jul 2026 (R8)", "Wed 15 Jul"),
        (date(2019, 5, 1), "ja", "2019年5月1日（令和元年・水）", "5/1（水）"),
        (date(2019, 4, 30), "en", "Tue 30 Apr 2019", "Tue 30 Apr"),
    ],
)
def test_days_have_both_years(day: date, language: Language, name: str, short: str) -> None:
    assert (day_name(day, language), short_day(day, language)) == (name, short)


@given(st.floats(-70, 70), st.floats(-170, 170), st.floats(1, 10))
def test_a_circle_is_as_wide_as_it_says(latitude: float, longitude: float, radius: float) -> None:
    shape: Any = circle(latitude, longitude, radius)
    (ring,) = shape["geometry"]["coordinates"]
    assert ring[0] == pytest.approx(ring[-1])
    for east, north in ring:
        half = sin(radians(north - latitude) / 2) ** 2 + cos(radians(latitude)) * cos(
            radians(north)
        ) * (sin(radians(east - longitude) / 2) ** 2)
        assert 2 * 6371 * asin(sqrt(half)) == pytest.approx(radius, rel=0.01)


def test_addresses_are_those_of_the_web() -> None:
    with pytest.raises(ValueError, match="http"):
        ReportingSettings(metrics_urls={"a": "file:///etc/passwd"})

"""Settings are checked when the room starts, and what is left empty is not set."""

from datetime import date

import pytest
from pydantic import ValidationError

from services.preparation.settings import PreparationSettings

NAME = "MADOGUCHI_PREPARATION_NEXT_GENERATION_FROM"


@pytest.mark.parametrize(
    ("text", "day"), [(None, None), ("", None), ("none", None), ("2028-04-01", date(2028, 4, 1))]
)
def test_the_next_generation_begins_when_it_is_set(
    monkeypatch: pytest.MonkeyPatch, text: str | None, day: date | None
) -> None:
    monkeypatch.delenv(NAME, raising=False)
    if text is not None:
        monkeypatch.setenv(NAME, text)
    assert PreparationSettings().next_generation_from == day


@pytest.mark.parametrize("text", ["2028", "0", "2028-02-30", "1/4/2028", "2016-01-01", "soon"])
def test_no_other_day_is_taken(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(NAME, text)
    with pytest.raises(ValidationError):
        PreparationSettings()

"""From when on next-generation cards are made is one day of the city's, whichever room asks."""

import importlib
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError
from pydantic_settings import BaseSettings

Models = dict[str, type[BaseSettings]]


@pytest.fixture(scope="module")
def asking(rooms: list[str]) -> Models:
    """The settings that have the day, by the name under which each is told it."""
    return {
        f"MADOGUCHI_{room.upper()}_NEXT_GENERATION_FROM": model
        for room in rooms
        for model in vars(importlib.import_module(f"services.{room}.settings")).values()
        if isinstance(model, type)
        and issubclass(model, BaseSettings)
        and "next_generation_from" in model.model_fields
    }


def test_compose_tells_every_room_that_asks_the_same_day(
    compose: dict[str, Any], asking: Models
) -> None:
    environments = [one.get("environment", {}) for one in compose["services"].values()]
    told = {
        name: value
        for environment in environments
        for name, value in environment.items()
        if name.endswith("_NEXT_GENERATION_FROM")
    }
    assert told.keys() == asking.keys()
    assert len(told) > 1
    assert set(told.values()) == {"${MADOGUCHI_NEXT_GENERATION_FROM:-none}"}


@pytest.mark.parametrize(
    ("text", "day"), [("none", None), ("", None), ("2028-04-01", date(2028, 4, 1))]
)
def test_every_room_that_asks_reads_it_alike(
    asking: Models, monkeypatch: pytest.MonkeyPatch, text: str, day: date | None
) -> None:
    for name, model in asking.items():
        monkeypatch.setenv(name, text)
        assert model().model_dump()["next_generation_from"] == day


@pytest.mark.parametrize("text", ["2028", "0", "2028-02-30", "2026-03-31", "soon"])
def test_every_room_that_asks_refuses_the_same(
    asking: Models, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    for name, model in asking.items():
        monkeypatch.setenv(name, text)
        with pytest.raises(ValidationError, match="next_generation_from"):
            model()

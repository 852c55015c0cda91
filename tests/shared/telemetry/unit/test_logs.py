"""A log line is one JSON object, carries the trace, and holds no My Number."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import asyncpg
import pytest
from pydantic import BaseModel, Field, ValidationError

from shared.security.my_number import mask_my_numbers
from shared.telemetry.logs import JsonFormatter, configure_logging
from shared.telemetry.tracing import configure_tracing, current_ids, span

MY_NUMBER = "1234" + "5678" + "9018"
"""The sample of every textbook: valid check digit, nobody's."""
OTHER = "1234" + "5678" + "9012"


def line(message: str, *args: object, exc_info: Any = None, **extra: object) -> dict[str, Any]:
    logger = logging.Logger("madoguchi.test")
    record = logger.makeRecord(
        logger.name, logging.WARNING, "file.py", 1, message, args, exc_info, extra=extra
    )
    text = JsonFormatter(service="issuance", role="api", mask=mask_my_numbers).format(record)
    assert "\n" not in text
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def test_a_line_says_who_when_and_in_which_trace() -> None:
    configure_tracing(service="test", role="api")
    with span("work"):
        ids = current_ids()
        made = line("moved %d cards\nto %s", 3, "窓口", site_id="minami")
    assert ids is not None
    assert made.pop("time").endswith("+00:00")
    assert made == {
        "level": "WARNING",
        "logger": "madoguchi.test",
        "message": "moved 3 cards\nto 窓口",
        "trace_id": ids[0],
        "span_id": ids[1],
        "service": "issuance",
        "role": "api",
        "site_id": "minami",
    }


def test_outside_a_trace_the_ids_are_null() -> None:
    assert line("x")["trace_id"] is None


@pytest.mark.parametrize(
    "value",
    [MY_NUMBER, int(MY_NUMBER), f"a {MY_NUMBER}.", [MY_NUMBER], {"x": {MY_NUMBER: MY_NUMBER}}],
)
def test_a_my_number_is_masked_wherever_it_stands(value: object) -> None:
    made = line("got %s", value, cell=value)
    assert MY_NUMBER not in json.dumps(made)


def test_other_values_stay_as_they_are() -> None:
    made = line("got %s", OTHER, number=int(OTHER), share=0.5, flag=True, nothing=None, many=(1, 2))
    assert OTHER in made["message"]
    assert made["number"] == int(OTHER)
    assert (made["share"], made["flag"], made["nothing"], made["many"]) == (0.5, True, None, [1, 2])


class UniqueViolationError(Exception):
    """Speaks as PostgreSQL's driver does."""


def test_an_exception_is_told_without_the_row_it_quotes() -> None:
    try:
        raise UniqueViolationError(
            'duplicate key value "booking_pkey"\nDETAIL:  Key (name)=(Hanako) exists.'
        )
    except UniqueViolationError:
        made = line("failed", exc_info=sys.exc_info())
    exception = made["exception"]
    assert exception["type"].endswith(".UniqueViolationError")
    assert exception["message"].startswith('duplicate key value "booking_pkey"')
    assert "raise UniqueViolationError" in exception["stack"]
    assert "Hanako" not in json.dumps(made)


NAME = "Hanako"


class Named(BaseModel):
    """Refuses a long name."""

    name: Annotated[str, Field(max_length=3)]


def quoting() -> Iterator[Exception]:
    """Errors whose texts quote a value: of the driver, of PostgreSQL, of pydantic."""
    yield asyncpg.DataError("invalid input for query argument $1: 'Hanako' (expected int)")
    yield asyncpg.InvalidTextRepresentationError('invalid input syntax for type uuid: "Hanako"')
    try:
        Named(name=NAME)
    except ValidationError as error:
        yield error


@pytest.mark.parametrize("error", list(quoting()), ids=lambda error: type(error).__name__)
def test_no_error_quotes_the_value_it_is_about(error: Exception) -> None:
    logged = line("failed", exc_info=(type(error), error, None))
    told = line("it waits: %s", error)
    assert "Hanako" not in json.dumps([logged, told])
    assert type(error).__name__ in logged["exception"]["type"]
    assert len(told["message"]) > len("it waits: ")


def test_other_texts_of_a_database_are_told() -> None:
    missing = asyncpg.UndefinedTableError('relation "cell" does not exist')
    assert line("it waits: %s", missing)["message"] == 'it waits: relation "cell" does not exist'


def test_a_process_logs_json_and_libraries_keep_addresses_to_themselves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = io.StringIO()
    root = logging.getLogger()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(root, "handlers", [])
    level = root.level
    try:
        configure_logging(service="issuance", role="api", level="info", mask=mask_my_numbers)
        logging.getLogger("httpx").info("GET http://host/?token=himitsu")
        logging.getLogger("madoguchi").debug("too fine")
        logging.getLogger("madoguchi").info("started")
    finally:
        root.setLevel(level)
    assert [json.loads(each)["message"] for each in out.getvalue().splitlines()] == ["started"]

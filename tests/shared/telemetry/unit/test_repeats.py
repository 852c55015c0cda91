"""What a library repeats is written once in a while, and nothing of ours is held back."""

import logging

import pytest

from shared.telemetry import repeats
from shared.telemetry.repeats import Repeats


def _record(text: str, logger: str = "aiokafka.consumer") -> logging.LogRecord:
    return logging.makeLogRecord({"name": logger, "levelno": logging.ERROR, "msg": text})


def test_the_same_words_pass_once() -> None:
    heard = Repeats("aiokafka")
    assert [heard.filter(_record("gone")) for _ in range(3)] == [True, False, False]
    assert heard.filter(_record("back"))


def test_after_a_while_they_pass_again_with_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    heard = Repeats("aiokafka")
    for _ in range(5):
        heard.filter(_record("gone"))
    now += repeats.SECONDS
    again = _record("gone")
    assert heard.filter(again)
    assert vars(again)["repeated"] == 4


def test_our_own_words_always_pass() -> None:
    heard = Repeats("aiokafka")
    assert all(heard.filter(_record("again", "shared.messaging.relay")) for _ in range(3))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "MOST", 10)
    heard = Repeats("aiokafka")
    for number in range(100):
        heard.filter(_record(f"node {number}"))
    assert len(heard._heard) <= 10

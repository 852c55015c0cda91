"""A taken port and a second command are told in words that help."""

import socket
from pathlib import Path

import pytest

from deploy.embedded.errors import PortTaken
from deploy.embedded.lock import Busy, only_one
from deploy.embedded.ports import LOOPBACK, answers, free_port, free_ports, require_free


def test_free_ports_are_different() -> None:
    assert len(set(free_ports(20))) == 20


def test_a_taken_port_names_the_port_and_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(PortTaken) as caught:
            require_free(port, "Kafka", "MADOGUCHI_KAFKA_PORT")
        assert answers(port)
    assert str(port) in str(caught.value)
    assert "MADOGUCHI_KAFKA_PORT" in str(caught.value)


def test_the_operators_language_is_spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    assert "使用中" in str(PortTaken(9392, "Kafka", "MADOGUCHI_KAFKA_PORT"))


def test_a_free_port_passes_and_answers_nothing() -> None:
    port = free_port()
    require_free(port, "Kafka", "MADOGUCHI_KAFKA_PORT")
    assert not answers(port)


def test_a_second_command_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    with only_one(tmp_path), pytest.raises(Busy), only_one(tmp_path):
        pytest.fail("the lock was given twice")
    with only_one(tmp_path):
        pass

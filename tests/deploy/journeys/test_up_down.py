"""A whole installation, started and stopped as an operator does it."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio

from deploy.embedded import processes
from deploy.embedded.kafka import EmbeddedKafka
from deploy.embedded.plan import DEFAULT_PORTS, Plan
from deploy.embedded.ports import LOOPBACK, free_ports
from deploy.embedded.processes import ProcessRecord
from deploy.embedded.stack import Stack

pytestmark = pytest.mark.journey
JARS = Path(__file__).parents[3] / ".madoguchi" / "cache"


@pytest.fixture(scope="module")
def house() -> Iterator["House"]:
    """An installation on ports of its own; whatever a test does, nothing of it stays."""
    # Not pytest's own: the next run closes that one to other users, and PostgreSQL may be one.
    with tempfile.TemporaryDirectory(prefix="madoguchi-") as folder:
        house = House(Path(folder))
        yield house
        house.stack.down()


class House:
    """The command line on one data folder."""

    def __init__(self, data: Path) -> None:
        self.data = data
        ports = zip(DEFAULT_PORTS, free_ports(len(DEFAULT_PORTS)), strict=True)
        self.settings = {f"MADOGUCHI_{name}": str(port) for name, port in ports}
        self.settings |= {"MADOGUCHI_HOME": str(data), "MADOGUCHI_CACHE": str(JARS)}
        self.stack = Stack(Plan.read(data, self.settings))

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if "MADOGUCHI" not in name}
        return subprocess.run(
            [sys.executable, "-c", "from deploy.cli.main import main; main()", *arguments],
            env={**clean, "LC_ALL": "C.UTF-8", **self.settings, **settings},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )

    def status(self) -> dict[str, dict[str, Any]]:
        lines = json.loads(self.run("status", "--json").stdout)
        return {line["part"]: line for line in lines}

    def pids(self) -> dict[str, int]:
        records = {part: self.stack.parts.running(part) for part in self.stack.parts.names}
        return {part: record.pid for part, record in records.items() if record}


@pytest.fixture
def up(house: House) -> House:
    """The installation, running."""
    done = house.run("up")
    assert done.returncode == 0, done.stderr
    return house


@pytest.fixture
def bystander(tmp_path: Path) -> Iterator[ProcessRecord]:
    """A process that has nothing to do with the installation."""
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    record = processes.spawn("bystander", command, tmp_path / "bystander.log")
    yield record
    processes.kill(record)


@pytest_asyncio.fixture
async def marked(up: House) -> str:
    """A fact put into a room's database."""
    conn = await asyncpg.connect(up.stack.database_url("reservation"))
    await conn.execute("CREATE TABLE IF NOT EXISTS operators_mark (fact text)")
    await conn.execute("INSERT INTO operators_mark VALUES ('kept')")
    await conn.close()
    return "kept"


def test_everything_is_ready_after_up(up: House) -> None:
    lines = up.status()
    assert len(lines) == 15
    assert {line["state"] for line in lines.values()} == {"ready"}
    assert not lines["reservation-consume"]["figures"]["consumer_lag"]
    assert lines["reservation-relay"]["figures"]["outbox_unpublished"] == 0
    assert lines["kafka"]["memory_mb"] < 400


def test_a_second_up_says_so_and_leaves_the_running_one_alone(up: House) -> None:
    before = up.pids()
    done = up.run("up")
    assert done.returncode == 0
    assert "Already running" in done.stderr
    assert up.pids() == before


def test_only_what_is_missing_is_started(up: House) -> None:
    before = up.pids()
    record = up.stack.parts.running("reporting-relay")
    assert record is not None
    processes.kill(record)
    assert up.run("up").returncode == 0
    after = up.pids()
    assert {part for part in after if after[part] != before[part]} == {"reporting-relay"}


async def test_a_token_opens_the_doors_of_every_room(up: House) -> None:
    token = up.run("token", "--role", "auditor", "--site", "*").stdout.strip()
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(headers=headers) as http:
        answer = await http.get(f"{up.stack.plan.url('preparation')}/v1/lots")
        refused = await http.get(
            f"{up.stack.plan.url('preparation')}/v1/lots",
            headers={"Authorization": headers["Authorization"] + "x"},
        )
    assert answer.status_code == 200, answer.text
    assert refused.status_code == 401


def test_topics_are_there_and_nothing_is_dead(up: House) -> None:
    topics = json.loads(up.run("topics", "list", "--json").stdout)
    assert {row["partitions"] for row in topics} == {12, 1}
    assert json.loads(up.run("dead-letters", "list", "--json").stdout) == []
    audit = up.run("audit", "verify")
    assert audit.returncode == 0, audit.stderr
    assert audit.stderr.count("whole") == 4


async def test_data_survives_and_others_are_left_alone(
    up: House, marked: str, bystander: ProcessRecord, kafka: EmbeddedKafka
) -> None:
    stale = replace(bystander, name="issuer", created=bystander.created - 3600)
    assert up.run("down").returncode == 0
    assert up.pids() == {}
    stale.save(up.stack.parts.record_path("issuer"))
    assert up.run("up").returncode == 0
    conn = await asyncpg.connect(up.stack.database_url("reservation"))
    assert await conn.fetchval("SELECT fact FROM operators_mark") == marked
    await conn.close()
    assert up.run("down").returncode == 0
    assert bystander.running
    assert kafka.running() is not None


@pytest.mark.parametrize("name", ["KAFKA_PORT", "ISSUER_PORT", "ISSUANCE_RELAY_PORT"])
def test_a_taken_port_is_named_and_nothing_is_started(house: House, name: str) -> None:
    house.run("down")
    with socket.create_server((LOOPBACK, int(house.settings[f"MADOGUCHI_{name}"]))) as taken:
        done = house.run("up")
        assert done.returncode == 1
        assert str(taken.getsockname()[1]) in done.stderr
        assert f"MADOGUCHI_{name}" in done.stderr
    assert house.pids() == {}
    assert not house.stack.plan.home.running.exists()


def test_a_setting_that_cannot_be_used_is_named(house: House) -> None:
    house.run("down")
    done = house.run("up", MADOGUCHI_CITY_CODE="141306")  # its check digit is wrong
    assert done.returncode == 1
    assert "MADOGUCHI_CITY_CODE" in done.stderr
    assert "Traceback" not in done.stderr
    assert house.pids() == {}


def test_a_failed_start_stops_what_it_started(house: House, tmp_path: Path) -> None:
    house.run("down")
    nothing = str(tmp_path / "no-such-key.pem")
    done = house.run("up", MADOGUCHI_CITIZEN_SIGNING_KEY_FILE=nothing)
    assert done.returncode == 1
    assert "reservation-api did not start" in done.stderr
    assert "no-such-key.pem" in done.stderr
    assert house.pids() == {}

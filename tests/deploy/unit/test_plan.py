"""The environment decides what an installation consists of."""

import json
from pathlib import Path

import pytest

from deploy.embedded.environment import room_environment
from deploy.embedded.keys import KeyStore
from deploy.embedded.parts import Parts
from deploy.embedded.plan import DEFAULT_PORTS, ROOMS, OtherClock, Plan, WrongSetting
from deploy.embedded.postgres import EmbeddedPostgres

EXTERNAL_KAFKA = {"MADOGUCHI_KAFKA_BOOTSTRAP_SERVERS": "kafka.example:9092"}
EXTERNAL_ISSUER = {"MADOGUCHI_OIDC_ISSUER": "https://id.example"}
EXTERNAL_DATABASES = {
    f"MADOGUCHI_{name.upper()}_DATABASE_URL": f"postgresql://{name}@db.example/{name}"
    for name in (*ROOMS, "audit")
}


def test_by_default_everything_is_ours(tmp_path: Path) -> None:
    parts = Parts(Plan.read(tmp_path, {}))
    assert parts.names[:3] == ["postgres", "kafka", "issuer"]
    assert len(parts.services) == 12


@pytest.mark.parametrize(
    ("environment", "part"),
    [(EXTERNAL_KAFKA, "kafka"), (EXTERNAL_ISSUER, "issuer"), (EXTERNAL_DATABASES, "postgres")],
)
def test_what_is_elsewhere_is_not_started(
    tmp_path: Path, environment: dict[str, str], part: str
) -> None:
    assert part not in Parts(Plan.read(tmp_path, environment)).names


def test_one_external_database_leaves_our_server_to_the_others(tmp_path: Path) -> None:
    environment = {"MADOGUCHI_REPORTING_DATABASE_URL": "postgresql://r@db.example/r"}
    plan = Plan.read(tmp_path, environment)
    assert "reporting" not in plan.embedded_databases
    assert "postgres" in Parts(plan).names


def test_an_offset_moves_every_port(tmp_path: Path) -> None:
    plan = Plan.read(tmp_path, {"MADOGUCHI_PORT_OFFSET": "1000"})
    assert plan.ports == {name: port + 1000 for name, port in DEFAULT_PORTS.items()}


def test_a_port_of_its_own_counts_before_the_offset(tmp_path: Path) -> None:
    environment = {"MADOGUCHI_PORT_OFFSET": "1000", "MADOGUCHI_KAFKA_PORT": "19092"}
    assert Plan.read(tmp_path, environment).bootstrap == "127.0.0.1:19092"


@pytest.mark.parametrize("value", ["", "many", "0", "70000", "-1"])
def test_a_wrong_port_names_its_setting(tmp_path: Path, value: str) -> None:
    with pytest.raises(WrongSetting, match="MADOGUCHI_ISSUER_PORT"):
        Plan.read(tmp_path, {"MADOGUCHI_ISSUER_PORT": value})


def test_ports_of_a_running_installation_are_found_again(tmp_path: Path) -> None:
    started = Plan.read(tmp_path, {"MADOGUCHI_PORT_OFFSET": "2000"})
    started.remember()
    assert Plan.read(tmp_path, {}).ports == started.ports
    started.forget()
    assert Plan.read(tmp_path, {}).ports == DEFAULT_PORTS


def room(tmp_path: Path, name: str, given: dict[str, str]) -> dict[str, str]:
    keys = KeyStore(tmp_path / "keys")
    keys.ensure()
    postgres = EmbeddedPostgres(tmp_path / "postgres")
    return room_environment(Plan.read(tmp_path, given), name, keys, postgres)


def test_a_room_is_given_no_other_rooms_secrets(tmp_path: Path) -> None:
    given = {
        "MADOGUCHI_RESERVATION_MASTER_KEYS": "k:abc",
        "MADOGUCHI_NOTICE_KEYS": "k:abc",
        "MADOGUCHI_CITIZEN_SIGNING_KEY_FILE": "key.pem",
        **EXTERNAL_DATABASES,
    }
    environment = room(tmp_path, "reporting", given)
    foreign = [
        name
        for name in environment
        if any(name.startswith(f"MADOGUCHI_{other.upper()}_") for other in ROOMS[:3])
    ]
    assert foreign == []
    assert "MADOGUCHI_NOTICE_KEYS" not in environment
    assert "MADOGUCHI_CITIZEN_SIGNING_KEY_FILE" not in environment


def test_reservation_signs_for_citizens(tmp_path: Path) -> None:
    environment = room(tmp_path, "reservation", {})
    assert Path(environment["MADOGUCHI_CITIZEN_SIGNING_KEY_FILE"]).exists()
    assert environment["MADOGUCHI_NOTICE_KEYS"].startswith("k1:")


def test_mails_of_an_embedded_run_stay_in_its_folder(tmp_path: Path) -> None:
    made = room(tmp_path, "reservation", {})["MADOGUCHI_RESERVATION_MAIL_URL"]
    assert made == (tmp_path / "mail").as_uri()
    assert "MADOGUCHI_RESERVATION_MAIL_URL" not in room(tmp_path, "issuance", {})
    given = {"MADOGUCHI_RESERVATION_MAIL_URL": "smtp://mail.city.example:25"}
    assert room(tmp_path, "reservation", given).items() >= given.items()


def test_the_dashboard_reads_every_process_where_it_is(tmp_path: Path) -> None:
    given = {"MADOGUCHI_PORT_OFFSET": "1000"}
    made = room(tmp_path, "reporting", given)
    urls = json.loads(made["MADOGUCHI_REPORTING_METRICS_URLS"])
    assert len(urls) == len(ROOMS) * 3
    assert urls["issuance-consume"] == "http://127.0.0.1:9113/metrics"


def test_what_the_operator_sets_counts_before_what_we_make(tmp_path: Path) -> None:
    environment = room(tmp_path, "issuance", {"MADOGUCHI_NOTICE_KEYS": "mine:abc"})
    assert environment["MADOGUCHI_NOTICE_KEYS"] == "mine:abc"


def test_another_clock_is_not_joined(tmp_path: Path) -> None:
    Plan.read(tmp_path, {"MADOGUCHI_CLOCK": "replay"}).remember()
    with pytest.raises(OtherClock, match="replay"):
        Plan.read(tmp_path, {}).require_same_clock()

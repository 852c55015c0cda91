"""docker-compose.yml keeps its promises although no engine runs here."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROCESSES = {"api", "consume", "relay"}
Compose = dict[str, Any]


def test_it_follows_the_compose_specification(root: Path, tmp_path: Path) -> None:
    checked = subprocess.run(
        [
            str(Path(sys.executable).parent / "check-jsonschema"),
            "--builtin-schema",
            "vendor.compose-spec",
            str(root / "docker-compose.yml"),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)},
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_room_has_its_four_processes(compose: Compose, rooms: list[str]) -> None:
    for room in rooms:
        for process in sorted(PROCESSES | {"migrate"}):
            service = compose["services"][f"{room}-{process}"]
            assert service["command"] == [process]
            assert service["build"]["args"] == {"SERVICE": room}
            assert service["image"].startswith(f"madoguchi/{room}:")


def test_dependencies_exist_and_their_condition_can_come_true(compose: Compose) -> None:
    services = compose["services"]
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            assert needed in services, f"{name} needs {needed}, which is not there"
            needs = services[needed]
            if how["condition"] == "service_healthy":
                assert "healthcheck" in needs, f"{name} waits for the health of {needed}: no check"
            if how["condition"] == "service_completed_successfully":
                assert needs["restart"].startswith("on-failure"), f"{needed} never completes"


def test_dependencies_have_no_circle(compose: Compose) -> None:
    services = compose["services"]

    def walk(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " → ".join((*path, name))
        for needed in services[name].get("depends_on", {}):
            walk(needed, (*path, name))

    for name in services:
        walk(name, ())


def test_rooms_wait_for_tables_topics_and_keys(compose: Compose, rooms: list[str]) -> None:
    for room in rooms:
        for process in PROCESSES:
            needs = compose["services"][f"{room}-{process}"]["depends_on"]
            for once in (f"{room}-migrate", "audit-migrate", "topics", "keys"):
                assert needs[once] == {"condition": "service_completed_successfully"}
            for part in ("kafka", "postgres"):
                assert needs[part] == {"condition": "service_healthy"}


def test_images_are_pinned(compose: Compose) -> None:
    for name, service in compose["services"].items():
        tag = service["image"].rpartition(":")[2].removesuffix("}").removeprefix("-")
        assert re.search(r"\d+\.\d+", tag), f"{name}: {service['image']} is not pinned"
        assert "latest" not in service["image"]


def test_doors_open_on_the_loopback_address_only(compose: Compose) -> None:
    ports = [
        (name, port)
        for name, service in compose["services"].items()
        for port in service.get("ports", ())
    ]
    assert ports
    for name, port in ports:
        assert str(port).startswith("127.0.0.1:"), f"{name} publishes {port} to the network"
    outside = [str(port).split(":")[1] for _, port in ports]
    assert len(outside) == len(set(outside)), "two services publish the same port"


def test_containers_have_no_rights_they_do_not_need(compose: Compose) -> None:
    writable = {"kafka", "keycloak"}  # both unpack themselves beside their own programs
    for name, service in compose["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
        assert service.get("read_only", False) is (name not in writable), name
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}, name
        assert service["restart"] in {"unless-stopped", "on-failure:5"}, name


def test_named_volumes_are_declared_and_used(compose: Compose) -> None:
    used = {
        mount.split(":")[0]
        for service in compose["services"].values()
        for mount in service.get("volumes", ())
        if not mount.startswith(".")
    }
    assert used == set(compose["volumes"])


def test_mounted_files_exist(compose: Compose, root: Path) -> None:
    for name, service in compose["services"].items():
        for mount in service.get("volumes", ()):
            source, _, flags = mount.split(":") if mount.count(":") == 2 else (mount, "", "")
            if source.startswith("./"):
                assert (root / source).is_dir(), f"{name} mounts {source}, which is not there"
                assert flags == "ro", f"{name} could write to {source}"


def test_a_room_reads_its_own_keys_only(compose: Compose, rooms: list[str]) -> None:
    for room in rooms:
        for process in PROCESSES:
            service = compose["services"][f"{room}-{process}"]
            assert service["volumes"] == [f"{room}-keys:/run/madoguchi:ro"]


def test_a_room_knows_the_way_to_its_own_database_only(compose: Compose, rooms: list[str]) -> None:
    for room in rooms:
        environment = compose["services"][f"{room}-api"]["environment"]
        urls = {name for name in environment if name.endswith("_DATABASE_URL")}
        assert urls == {f"MADOGUCHI_{room.upper()}_DATABASE_URL", "MADOGUCHI_AUDIT_DATABASE_URL"}


@pytest.mark.parametrize("secret", ["PASSWORD", "SECRET"])
def test_secrets_come_from_outside(compose: Compose, secret: str) -> None:
    for name, service in compose["services"].items():
        for variable, value in service.get("environment", {}).items():
            if secret in variable:
                assert re.fullmatch(r"\$\{\w+:\?\}", value), (
                    f"{name}: {variable} stands in the file"
                )


def test_kafka_is_the_version_of_the_embedded_one(compose: Compose, root: Path) -> None:
    jars = (root / "deploy/embedded/kafka_jars.txt").read_text("utf-8")
    version = compose["services"]["kafka"]["image"].rpartition(":")[2]
    assert f"kafka_2.13:{version}" in jars or f"kafka_2.13-{version}" in jars

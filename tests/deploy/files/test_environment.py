"""Every variable that a deployment file sets is one that a process reads: a typo fails here."""

import importlib
import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic_settings import BaseSettings

from deploy.docker import environment
from shared.settings import Doors, KernelSettings

PREFIX = "MADOGUCHI_"


def known_to(room: str) -> set[str]:
    """The environment variables that the processes of ``room`` read: kernel, doors, its own."""
    prefix = f"{PREFIX}{room.upper()}_"
    return {
        *(PREFIX + field.upper() for field in KernelSettings.model_fields),
        *(prefix + field.upper() for field in Doors.model_fields),
        *_of_the_room(room, prefix),
    }


def _of_the_room(room: str, prefix: str) -> Iterator[str]:
    for name in ("settings", "citizen_settings"):
        if importlib.util.find_spec(f"services.{room}.{name}") is None:
            continue
        module = importlib.import_module(f"services.{room}.{name}")
        for model in vars(module).values():
            if isinstance(model, type) and issubclass(model, BaseSettings):
                own = model.model_config.get("env_prefix") or prefix
                yield from (f"{own}{field}".upper() for field in model.model_fields)


def test_rooms_are_told_only_what_they_read(compose: dict[str, Any], rooms: list[str]) -> None:
    for room in rooms:
        for process in ("api", "consume", "relay", "migrate"):
            told = set(compose["services"][f"{room}-{process}"]["environment"])
            assert told <= known_to(room), f"{room}-{process}: {sorted(told - known_to(room))}"


def test_a_misspelt_variable_would_be_found() -> None:
    assert "MADOGUCHI_KAFKA_BOOTSTRAP_SERVER" not in known_to("reservation")
    assert "MADOGUCHI_PREPARATION_DATABASE_URL" not in known_to("reservation")


@pytest.mark.parametrize("name", ["topics", "audit-migrate", "madoguchi"])
def test_tools_are_told_only_what_is_read(
    compose: dict[str, Any], rooms: list[str], name: str
) -> None:
    told = set(compose["services"][name]["environment"])
    assert told <= set().union(*(known_to(room) for room in rooms))


def test_what_rooms_must_be_told_is_told(compose: dict[str, Any], rooms: list[str]) -> None:
    for room in rooms:
        required = {
            f"{PREFIX}{room}_{name}".upper()
            for name, field in Doors.model_fields.items()
            if field.is_required()
        }
        assert required <= set(compose["services"][f"{room}-api"]["environment"])


def test_kernel_settings_accept_what_compose_gives(
    compose: dict[str, Any], rooms: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in rooms:
        for name, value in compose["services"][f"{room}-api"]["environment"].items():
            monkeypatch.setenv(name, _interpolated(value))
    settings = KernelSettings()
    assert settings.kafka_bootstrap_servers == "kafka:9092"
    assert settings.cors_origins == ("http://localhost:5173",)


def test_the_example_names_every_value_that_compose_asks_for(root: Path) -> None:
    asked = set(re.findall(r"\$\{(\w+)", (root / "docker-compose.yml").read_text("utf-8")))
    given = {line.split("=")[0] for line in _assignments(root)}
    assert asked - {"MADOGUCHI_VERSION"} == given


def test_the_example_holds_no_secret(root: Path) -> None:
    for line in _assignments(root):
        name, _, value = line.partition("=")
        if "PASSWORD" in name or "SECRET" in name:
            assert not value, f"{name} has a value in .env.example"


def test_the_realm_is_filled_by_the_keycloak_container(compose: dict[str, Any], root: Path) -> None:
    realm = (root / "deploy/keycloak/madoguchi-realm.json").read_text("utf-8")
    placeholders = set(re.findall(r"\$\{(\w+)", realm))
    given = set(compose["services"]["keycloak"]["environment"])
    assert placeholders == {name for name in given if name.startswith(PREFIX)}


def test_env_is_written_once_with_values_of_its_own(root: Path, tmp_path: Path) -> None:
    (tmp_path / ".env.example").write_text((root / ".env.example").read_text("utf-8"))
    environment.write(tmp_path)
    lines = (tmp_path / ".env").read_text("utf-8").splitlines()
    values = [line.split("=", 1)[1] for line in lines if "=" in line and not line.startswith("#")]
    secrets = [value for value in values if len(value) >= 32]
    assert all(values)
    assert len(set(secrets)) == len(secrets) == 12
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        environment.write(tmp_path)


def test_env_is_not_committed(root: Path) -> None:
    assert ".env" in (root / ".gitignore").read_text("utf-8").split()


def _assignments(root: Path) -> list[str]:
    lines = (root / ".env.example").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _interpolated(value: Any) -> str:
    given = {"MADOGUCHI_CITY_CODE": "141305"}
    return re.sub(
        r"\$\{(\w+)(?::[-?]([^}]*))?\}",
        lambda found: given.get(found[1], found[2] or "x"),
        value if isinstance(value, str) else json.dumps(value),
    )

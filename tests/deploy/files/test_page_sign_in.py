"""Realm, compose file and settings name one client and the same addresses of staff's pages."""

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from services.issuance.api.page_session import COUNTER
from services.reporting.api.board.entrance import DOOR as DASHBOARD
from shared.http.page_session import Door
from shared.http.page_settings import PageSettings

CLIENT = "madoguchi-pages"
DOORS = {"issuance": COUNTER, "reporting": DASHBOARD}
each_room = pytest.mark.parametrize(("room", "door"), DOORS.items())


@pytest.fixture(scope="module")
def client(root: Path) -> dict[str, Any]:
    """The client of pages as the realm has it."""
    realm = json.loads((root / "deploy/keycloak/madoguchi-realm.json").read_text("utf-8"))
    (found,) = (one for one in realm["clients"] if one["clientId"] == CLIENT)
    return dict(found)


def told(compose: dict[str, Any], service: str) -> dict[str, str]:
    """A container's environment."""
    return dict(compose["services"][service]["environment"])


def filled(text: str, given: dict[str, str]) -> str:
    """``text`` with its placeholders as ``given``, and those with their defaults."""
    return re.sub(r"\$\{(\w+)\}", lambda found: given[found[1]], text)


def default(text: str) -> str:
    """A value of the compose file where ``.env`` says nothing."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def test_every_room_with_pages_of_staff_is_asked_about(rooms: list[str]) -> None:
    with_pages = {
        room
        for room in rooms
        for model in vars(importlib.import_module(f"services.{room}.settings")).values()
        if isinstance(model, type) and issubclass(model, PageSettings) and model is not PageSettings
    }
    assert with_pages == set(DOORS)


@each_room
def test_a_room_is_told_the_client_and_how_to_reach_its_provider(
    compose: dict[str, Any], room: str, door: Door
) -> None:
    environment, prefix = told(compose, f"{room}-api"), f"MADOGUCHI_{room.upper()}_PAGE_"
    assert environment[f"{prefix}CLIENT_ID"] == CLIENT
    realm = "/realms/madoguchi"
    assert environment["MADOGUCHI_OIDC_ISSUER"].endswith(realm)
    inside = environment["MADOGUCHI_OIDC_JWKS_URL"].partition(realm)[0] + realm
    discovery = f"{inside}/.well-known/openid-configuration"
    assert environment[f"{prefix}DISCOVERY_URL"] == discovery
    assert environment[f"{prefix}TOKEN_URL"] == f"{inside}/protocol/openid-connect/token"
    # Asked from inside, Keycloak still sends browsers to its public name.
    keycloak = told(compose, "keycloak")
    assert environment["MADOGUCHI_OIDC_ISSUER"] == keycloak["KC_HOSTNAME"] + realm
    assert keycloak["KC_HOSTNAME_BACKCHANNEL_DYNAMIC"] == "true"


@each_room
def test_the_room_comes_back_to_where_the_realm_lets_it(
    compose: dict[str, Any], client: dict[str, Any], root: Path, room: str, door: Door
) -> None:
    environment, keycloak = told(compose, f"{room}-api"), told(compose, "keycloak")
    name = f"MADOGUCHI_{room.upper()}_PAGE_URL"
    assert environment[name] == keycloak[name]
    assert f"{name}={default(environment[name])}\n" in (root / ".env.example").read_text("utf-8")
    (port,) = compose["services"][f"{room}-api"]["ports"]
    assert default(environment[name]) == f"http://localhost:{port.split(':')[1]}"
    addresses = [filled(uri, keycloak) for uri in client["redirectUris"]]
    assert f"{environment[name]}{door.prefix}/callback" in addresses
    ends = filled(client["attributes"]["post.logout.redirect.uris"], keycloak).split("##")
    assert f"{environment[name]}{door.prefix}/sign-in" in ends


@each_room
def test_the_settings_take_what_compose_tells(
    compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch, room: str, door: Door
) -> None:
    prefix = f"MADOGUCHI_{room.upper()}_PAGE_"
    environment = {k: v for k, v in told(compose, f"{room}-api").items() if k.startswith(prefix)}
    for variable, value in environment.items():
        monkeypatch.setenv(variable, default(value))
    module = importlib.import_module(f"services.{room}.settings")
    settings: PageSettings = getattr(module, f"{room.title()}Settings")()
    read = settings.model_dump(include=set(PageSettings.model_fields))
    assert read == {
        name: default(environment[f"MADOGUCHI_{room.upper()}_{name.upper()}"]) for name in read
    }


def test_nobody_is_sent_back_to_anything_but_callbacks_of_staffs_pages(
    client: dict[str, Any],
) -> None:
    ends = client["attributes"]["post.logout.redirect.uris"].split("##")
    assert len(client["redirectUris"]) == len(ends) == len(DOORS)
    assert not any("*" in uri for uri in [*client["redirectUris"], *ends])
    assert "webOrigins" not in client, "no script of a page asks for a token"


def test_pkce_is_required_and_there_is_no_secret(client: dict[str, Any]) -> None:
    assert client["publicClient"] is True
    assert client["attributes"]["pkce.code.challenge.method"] == "S256"
    assert "secret" not in client

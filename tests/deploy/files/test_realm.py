"""The realm that Keycloak imports gives tokens as the rooms read them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from shared.security.principal import EVERY_SITE, STAFF_ROLES, Role

Json = dict[str, Any]


@pytest.fixture(scope="module")
def realm(root: Path) -> Json:
    """The realm as it stands in the file, placeholders unfilled."""
    document: Json = json.loads((root / "deploy/keycloak/madoguchi-realm.json").read_text("utf-8"))
    return document


@pytest.fixture(params=["madoguchi-pages", "madoguchi-system", "madoguchi-satellite"])
def client(realm: Json, request: pytest.FixtureRequest) -> Json:
    """One client of the realm."""
    (found,) = (client for client in realm["clients"] if client["clientId"] == request.param)
    return dict(found)


def sites_of(realm: Json) -> list[str]:
    """The sites of every user, and of a placeholder its default."""
    named = [site for user in realm["users"] for site in user["attributes"]["sites"]]
    return [re.sub(r"^\$\{\w+:(.*)\}$", r"\1", site) for site in named]


def mapper(client: Json, kind: str) -> Json:
    """The configuration of a client's one protocol mapper of a kind."""
    (found,) = (m for m in client["protocolMappers"] if m["protocolMapper"] == kind)
    return dict(found["config"])


def test_the_roles_of_staff_are_the_roles_of_the_realm(realm: Json) -> None:
    assert {role["name"] for role in realm["roles"]["realm"]} == {*STAFF_ROLES}


@pytest.mark.parametrize(
    ("kind", "claim"),
    [("oidc-usermodel-realm-role-mapper", "roles"), ("oidc-usermodel-attribute-mapper", "sites")],
)
def test_roles_and_sites_are_lists_at_the_top_of_the_token(
    client: Json, kind: str, claim: str
) -> None:
    config = mapper(client, kind)
    assert config["claim.name"] == claim
    assert config["multivalued"] == "true"
    assert config["jsonType.label"] == "String"
    assert config["access.token.claim"] == "true"
    assert config.get("user.attribute", claim) == claim
    assert "usermodel.realmRoleMapping.rolePrefix" not in config


def test_the_token_is_for_madoguchi(client: Json) -> None:
    config = mapper(client, "oidc-audience-mapper")
    assert config["included.custom.audience"] == "madoguchi"
    assert config["access.token.claim"] == "true"


def test_keycloaks_own_scopes_are_made(realm: Json) -> None:
    # A realm that brings scopes of its own gets none of the built-in ones; `basic` carries `sub`.
    assert "clientScopes" not in realm
    assert all("defaultClientScopes" not in client for client in realm["clients"])


def test_pages_use_code_with_pkce_and_no_secret(realm: Json) -> None:
    (pages,) = (c for c in realm["clients"] if c["clientId"] == "madoguchi-pages")
    assert pages["publicClient"]
    assert pages["standardFlowEnabled"]
    assert pages["attributes"]["pkce.code.challenge.method"] == "S256"
    assert not pages["implicitFlowEnabled"]
    assert not pages["directAccessGrantsEnabled"]
    assert "secret" not in pages


@pytest.mark.parametrize("name", ["system", "satellite"])
def test_systems_use_client_credentials(realm: Json, name: str) -> None:
    (system,) = (c for c in realm["clients"] if c["clientId"] == f"madoguchi-{name}")
    assert system["serviceAccountsEnabled"]
    assert not system["publicClient"]
    assert not system["standardFlowEnabled"]
    assert not system["directAccessGrantsEnabled"]
    assert system["secret"] == f"${{MADOGUCHI_{name.upper()}_CLIENT_SECRET}}"
    assert mapper(system, "oidc-hardcoded-claim-mapper")["claim.value"] == system["clientId"]


def test_no_person_can_be_the_system_and_the_system_is_nobody_else(realm: Json) -> None:
    assert not any(client["fullScopeAllowed"] for client in realm["clients"])
    scopes = {entry["client"]: set(entry["roles"]) for entry in realm["scopeMappings"]}
    assert scopes == {
        "madoguchi-pages": {*STAFF_ROLES} - {Role.SYSTEM},
        "madoguchi-system": {Role.SYSTEM},
        "madoguchi-satellite": {Role.SYSTEM},
    }
    accounts = [user for user in realm["users"] if "serviceAccountClientId" in user]
    assert [user["realmRoles"] for user in accounts] == [[Role.SYSTEM], [Role.SYSTEM]]
    sites = {user["serviceAccountClientId"]: user["attributes"]["sites"] for user in accounts}
    assert sites == {
        "madoguchi-system": [EVERY_SITE],
        "madoguchi-satellite": ["${MADOGUCHI_SATELLITE_SITE:window-saginuma}"],
    }


def test_a_satellite_has_its_client_only_where_one_is_wanted(realm: Json) -> None:
    (satellite,) = (c for c in realm["clients"] if c["clientId"] == "madoguchi-satellite")
    assert satellite["enabled"] == "${MADOGUCHI_SATELLITE_ENABLED:false}"


def test_demo_users_are_off_unless_asked_for(realm: Json) -> None:
    people = [user for user in realm["users"] if "serviceAccountClientId" not in user]
    assert {role for user in people for role in user["realmRoles"]} == STAFF_ROLES - {Role.SYSTEM}
    for user in people:
        assert user["username"].startswith("demo-")
        assert user["enabled"] == "${MADOGUCHI_DEMO_USERS:false}"
        assert [c["value"] for c in user["credentials"]] == ["${MADOGUCHI_DEMO_PASSWORD}"]


def test_users_may_have_sites_and_only_an_administrator_sets_them(realm: Json) -> None:
    (provider,) = realm["components"]["org.keycloak.userprofile.UserProfileProvider"]
    assert provider["providerId"] == "declarative-user-profile"
    (text,) = provider["config"]["kc.user.profile.config"]
    attributes = {attribute["name"]: attribute for attribute in json.loads(text)["attributes"]}
    assert {"username", "email", "firstName", "lastName", "sites"} == attributes.keys()
    sites = attributes["sites"]
    assert sites["multivalued"] is True
    assert sites["permissions"]["edit"] == ["admin"]
    assert int(sites["validations"]["multivalued"]["max"]) >= 20
    pattern = re.compile(sites["validations"]["pattern"]["pattern"])
    given = sites_of(realm)
    assert all(pattern.fullmatch(site) for site in given)
    assert not pattern.fullmatch("Kawasaki Ward")


def test_demo_users_work_at_places_that_exist(realm: Json, root: Path) -> None:
    places = (root / "simulation/data/places.csv").read_text("utf-8").splitlines()
    known = {line.split(",")[0] for line in places} | {EVERY_SITE}
    assert {*sites_of(realm)} <= known


def test_tokens_are_signed_with_a_key_the_rooms_accept(realm: Json) -> None:
    assert realm["defaultSignatureAlgorithm"] == "ES256"
    assert realm["accessTokenLifespan"] <= 900
    assert realm["registrationAllowed"] is False
    assert realm["bruteForceProtected"] is True

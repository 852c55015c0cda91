"""What a satellite's token opens: the role `system` at one site, and nothing of the whole city."""

from importlib import import_module

import pytest

from shared.errors import Forbidden
from shared.http.dead_letters import DEAD_LETTER_ACCESS
from shared.ids import SiteId
from shared.security.access import Access, AccessTable, SiteRule, check
from shared.security.principal import Principal, Role
from tests.support.rooms import NAMES

HOME = SiteId("window-saginuma")
SATELLITE = Principal("staff:satellite", frozenset({Role.SYSTEM}), frozenset({HOME}))
ROOMS: dict[str, AccessTable] = {
    name: import_module(f"services.{name}.access").ACCESS for name in NAMES
}


def opens(access: Access) -> bool:
    """Whether the token passes at the door of its own site."""
    try:
        check(access, SATELLITE, HOME)
    except Forbidden:
        return False
    return True


def test_it_opens_what_looks_at_its_site_and_the_checklists() -> None:
    found = {
        (route, access.site)
        for table in (*ROOMS.values(), DEAD_LETTER_ACCESS)
        for route, access in table.items()
        if Role.PUBLIC not in access.roles and opens(access)
    }
    assert found == {
        (("POST", "/v1/satellites/{site_id}:lease"), SiteRule.PATH),
        (("POST", "/v1/visits:batch"), SiteRule.RESOURCE),
        (("POST", "/v1/days:sign-off"), SiteRule.RESOURCE),
        (("POST", "/v1/messages/{message_id}:bounced"), SiteRule.RESOURCE),
        (("GET", "/v1/checklists/{version}"), SiteRule.ANY),
    }


@pytest.mark.parametrize(
    "access",
    [
        ROOMS["preparation"]["POST", "/v1/registry-changes"],
        DEAD_LETTER_ACCESS["POST", "/v1/dead-letters/{letter_id}:discard"],
        DEAD_LETTER_ACCESS["GET", "/v1/dead-letters"],
    ],
)
def test_it_voids_no_card_and_drops_no_message(access: Access) -> None:
    with pytest.raises(Forbidden):
        check(access, SATELLITE, None)
    check(access, Principal.system("preparation"), None)

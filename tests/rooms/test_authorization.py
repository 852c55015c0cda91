"""Every route × role × own or other site: the access table is what the doors do.

What lies in each world lies at the site OWN. A request may fail for other reasons (an empty body,
a case in the wrong state), but it is refused for its caller exactly where the table says so.
"""

import re
from collections.abc import Awaitable, Callable, Iterator
from itertools import product
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from shared.db import Database
from shared.ids import SiteId
from shared.security.access import Access, SiteRule
from shared.security.principal import EVERY_SITE, STAFF_ROLES, Role
from tests.rooms.worlds import OTHER, OWN, World, world
from tests.support.rooms import NAMES

REFUSED = {401, 403}
LOGIN_REFUSED = "urn:madoguchi:problem:login-refused"


def expected(access: Access, role: Role | None, site: SiteId) -> set[int]:
    """Status codes of a refusal that must come; empty where none may."""
    if Role.PUBLIC in access.roles:
        return set()
    if role is None:
        return {401}
    if role not in access.roles:
        return {403}
    if role not in STAFF_ROLES or site == EVERY_SITE or access.site is SiteRule.ANY:
        return set()
    if access.site is SiteRule.NONE:
        return {403} if role is Role.SYSTEM else set()
    return {403} if site != OWN else set()


def callers() -> Iterator[tuple[Role | None, SiteId]]:
    """Nobody, every role at its own and at another site, and a program of every site."""
    yield None, OWN
    yield Role.SYSTEM, EVERY_SITE
    yield from product(set(Role) - {Role.PUBLIC}, (OWN, OTHER))


async def ask(
    client: httpx.AsyncClient, made: World, route: tuple[str, str], role: Role | None, site: SiteId
) -> int:
    """The status of one request about what lies at OWN."""
    method, path = route
    headers = {"Idempotency-Key": str(uuid4())}
    if role is not None:
        headers["Authorization"] = f"Bearer {role}@{site}@{made.parameters['case_id']}"
    query = {"site_id": OWN} if made.access[route].site is SiteRule.QUERY else None
    filled = re.sub(r"\{(\w+)\}", lambda found: made.parameters[found[1]], path)
    query = {"site_id": OWN} if made.access[route].site is SiteRule.QUERY else None
    answer = await client.request(
        method, filled, headers=headers, json=made.body(method, path), params=query
    )
    if answer.status_code == 401 and answer.json()["type"] == LOGIN_REFUSED:
        return 200  # whoever may try to log in may fail to
    return answer.status_code


@pytest.mark.parametrize("name", NAMES)
async def test_the_doors_do_what_the_table_says(
    room_database: Callable[[str], Awaitable[Database]], tmp_path: Path, name: str
) -> None:
    made = await world(name, await room_database(name), tmp_path)
    transport = httpx.ASGITransport(made.app)
    wrong, tried = [], 0
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for route, access in made.access.items():
            for role, site in callers():
                status = await ask(client, made, route, role, site)
                tried += 1
                must = expected(access, role, site)
                right = status in must if must else status not in REFUSED
                if not right:
                    wrong.append(f"{route} as {role} at {site}: {status}")
    assert wrong == []
    assert tried == len(made.access) * (2 + 2 * (len(Role) - 1))


@pytest.mark.parametrize("name", NAMES)
async def test_every_route_of_a_room_is_in_its_table(
    room_database: Callable[[str], Awaitable[Database]], tmp_path: Path, name: str
) -> None:
    made = await world(name, await room_database(name), tmp_path)
    transport = httpx.ASGITransport(made.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        document = (await client.get("/openapi.json")).json()
    served = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert served <= set(made.access)

"""The table decides: every route has an entry, and an entry is read in one place."""

from uuid import uuid4

import pytest
from fastapi import APIRouter, FastAPI

from shared.errors import Forbidden, Problem, Unauthorized
from shared.ids import CaseId, SiteId
from shared.security.access import Access, AccessTableError, SiteRule, allow, check, verify_table
from shared.security.principal import EVERY_SITE, STAFF_ROLES, Principal, Role

HERE, THERE = SiteId("here"), SiteId("there")


def holder(*roles: Role, sites: tuple[SiteId, ...] = (HERE,)) -> Principal:
    return Principal("staff:somebody", frozenset(roles), frozenset(sites))


def outcome(access: Access, principal: Principal, site_id: SiteId | None) -> type[Problem] | None:
    try:
        check(access, principal, site_id)
    except Problem as problem:
        return Unauthorized if isinstance(problem, Unauthorized) else Forbidden
    return None


@pytest.mark.parametrize("role", sorted(STAFF_ROLES))
@pytest.mark.parametrize("rule", [SiteRule.PATH, SiteRule.QUERY, SiteRule.BODY])
def test_staff_pass_only_at_their_own_site(role: Role, rule: SiteRule) -> None:
    access = allow(role, site=rule)
    assert outcome(access, holder(role), HERE) is None
    assert outcome(access, holder(role), THERE) is Forbidden
    assert outcome(access, holder(role, sites=()), HERE) is Forbidden
    assert outcome(access, holder(role, sites=(EVERY_SITE,)), THERE) is None


@pytest.mark.parametrize("rule", [SiteRule.PATH, SiteRule.QUERY, SiteRule.BODY])
def test_a_request_that_names_no_site_needs_every_site(rule: SiteRule) -> None:
    access = allow(Role.CLERK, site=rule)
    assert outcome(access, holder(Role.CLERK), None) is Forbidden
    assert outcome(access, holder(Role.CLERK), EVERY_SITE) is Forbidden
    assert outcome(access, holder(Role.CLERK, sites=(EVERY_SITE,)), None) is None


def test_a_program_of_one_site_passes_only_where_sites_are_looked_at() -> None:
    satellite, relay = holder(Role.SYSTEM), Principal.system("issuance")
    open_ = allow(Role.SYSTEM, Role.BACK_OFFICE)
    assert outcome(open_, satellite, None) is Forbidden
    assert outcome(open_, holder(Role.SYSTEM, sites=()), None) is Forbidden
    assert outcome(open_, relay, None) is None
    assert outcome(open_, holder(Role.BACK_OFFICE), None) is None, "people are known by name"
    for rule in (SiteRule.ANY, SiteRule.RESOURCE):
        assert outcome(allow(Role.SYSTEM, site=rule), satellite, None) is None


def test_without_a_token_401_and_with_another_role_403() -> None:
    access = allow(Role.CLERK)
    assert outcome(access, Principal.anonymous(), None) is Unauthorized
    assert outcome(access, holder(Role.PLANNER), None) is Forbidden
    assert outcome(access, holder(), None) is Forbidden, "a token without a role is still a token"


def test_public_is_everybody() -> None:
    access = allow(Role.PUBLIC, Role.CLERK, site=SiteRule.PATH)
    for principal in (Principal.anonymous(), holder(Role.CLERK), holder(Role.CITIZEN), holder()):
        assert outcome(access, principal, THERE) is None


def test_a_citizen_is_bound_to_cases_not_sites() -> None:
    mine, other = CaseId(uuid4()), CaseId(uuid4())
    citizen = Principal("citizen:c", frozenset({Role.CITIZEN}), cases=frozenset({mine}))
    assert outcome(allow(Role.CITIZEN, Role.CLERK, site=SiteRule.BODY), citizen, THERE) is None
    citizen.require_case(mine)
    citizen.require_case_at(mine, THERE)
    with pytest.raises(Forbidden):
        citizen.require_case(other)
    with pytest.raises(Forbidden):
        citizen.require_site(HERE)
    with pytest.raises(Forbidden):
        citizen.require_case_at(other, HERE)
    with pytest.raises(Forbidden):
        Principal.anonymous().require_case(mine)


def test_staff_reach_a_case_through_its_site() -> None:
    clerk = holder(Role.CLERK)
    clerk.require_case_at(CaseId(uuid4()), HERE)
    with pytest.raises(Forbidden):
        clerk.require_case_at(CaseId(uuid4()), THERE)
    assert Principal.system("issuance").may_act_at(THERE)


def app_with(*routes: tuple[str, str]) -> FastAPI:
    app, router, inner = FastAPI(openapi_url=None), APIRouter(prefix="/v1"), APIRouter()
    for method, path in routes:
        inner.add_api_route(path, lambda: None, methods=[method])
    router.include_router(inner)
    app.include_router(router)
    return app


def test_the_table_matches_the_routes() -> None:
    app = app_with(("GET", "/sites/{site_id}"), ("POST", "/bookings"))
    verify_table(
        app,
        {
            ("GET", "/v1/sites/{site_id}"): allow(Role.CLERK, site=SiteRule.PATH),
            ("POST", "/v1/bookings"): allow(Role.CITIZEN),
        },
    )


def test_differences_are_all_named() -> None:
    app = app_with(("GET", "/sites"), ("POST", "/bookings"))
    app.mount("/files", FastAPI())
    table = {
        ("GET", "/v1/sites"): allow(Role.CLERK, site=SiteRule.PATH),
        ("GET", "/v1/gone"): allow(),
    }
    with pytest.raises(AccessTableError) as raised:
        verify_table(app, table)
    text = str(raised.value)
    assert "no access entry for the route POST /v1/bookings" in text
    assert "no access entry for the route MOUNT /files" in text
    assert "access entry without a route: GET /v1/gone" in text
    assert "access entry without a role: GET /v1/gone" in text
    assert "no {site_id}: GET /v1/sites" in text


def test_open_paths_need_no_entry() -> None:
    app = app_with(("GET", "/livez"))
    verify_table(app, {}, open_paths={"/v1/livez"})

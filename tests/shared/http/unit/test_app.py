"""What surrounds every request: documents, spans, figures, headers, origins."""

import json
import logging
import re

import httpx
import pytest
from fastapi import APIRouter

from shared.http.call import OnceDep
from shared.http.dead_letters import DEAD_LETTER_ACCESS
from shared.http.paging import Page, PageDep
from shared.security.access import SiteRule, allow
from shared.security.principal import Role
from shared.telemetry.metrics import Metrics
from shared.telemetry.tracing import current_traceparent
from tests.support.http import MakeClient

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
router = APIRouter(prefix="/v1")


@router.get("/things/{thing_id}")
async def trace(thing_id: str) -> str | None:
    return current_traceparent()


@router.get("/list")
async def listed(page: PageDep) -> Page[int]:
    """Everything there is."""
    return Page(items=[])


@router.post("/sites/{site_id}/things", status_code=201)
async def make(site_id: str, call: OnceDep) -> None:
    pass


ACCESS = {
    ("GET", "/v1/things/{thing_id}"): allow(Role.PUBLIC),
    ("GET", "/v1/list"): allow(Role.PUBLIC, Role.PLANNER),
    ("POST", "/v1/sites/{site_id}/things"): allow(Role.SUPERVISOR, Role.CLERK, site=SiteRule.PATH),
}


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(service="test", role="api")


@pytest.fixture
async def client(make_client: MakeClient, metrics: Metrics) -> httpx.AsyncClient:
    origins = ("https://madoguchi.example",)
    return await make_client(router, access=ACCESS, metrics=metrics, cors_origins=origins)


async def test_the_document_tells_roles_errors_and_keys(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    operations = [each for path in document["paths"].values() for each in path.values()]
    assert len(operations) == len(ACCESS) + len(DEAD_LETTER_ACCESS)
    for operation in operations:
        schema = operation["responses"]["default"]["content"]["application/problem+json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/ProblemDocument"}
        assert "422" not in operation["responses"]
    post = document["paths"]["/v1/sites/{site_id}/things"]["post"]
    assert post["description"] == (
        "**Open to:** `clerk`, `supervisor`; staff at the site in the path."
    )
    assert post["security"] == [{"bearer": []}]
    assert "Idempotency-Key" in [each["name"] for each in post["parameters"]]
    listing = document["paths"]["/v1/list"]["get"]
    assert listing["description"].startswith("Everything there is.\n\n**Open to:**")
    assert listing["security"] == [{}, {"bearer": []}]
    assert "/livez" not in document["paths"]
    _assert_references_resolve(document)


def _assert_references_resolve(document: dict[str, object]) -> None:
    for path in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))):
        node: object = document
        for step in path.split("/"):
            assert isinstance(node, dict)
            node = node[step]


async def test_the_documentation_needs_no_internet(client: httpx.AsyncClient) -> None:
    page = (await client.get("/docs")).text
    assert "://" not in page
    for asset in set(re.findall(r'(?:href|src)="([^"]+)"', page)):
        assert (await client.get(f"/{asset}")).status_code == 200
    assert re.search(r"url: 'openapi.json'", page)


async def test_a_request_goes_on_in_the_trace_it_came_with(client: httpx.AsyncClient) -> None:
    header = {"traceparent": TRACEPARENT}
    _, trace_id, span_id, flags = (
        (await client.get("/v1/things/1", headers=header)).json().split("-")
    )
    assert (trace_id, flags) == (TRACEPARENT.split("-")[1], "01")
    assert span_id != TRACEPARENT.split("-")[2]


@pytest.mark.parametrize("traceparent", [None, "nonsense", "00-0-0-00"])
async def test_without_a_trace_one_begins(
    client: httpx.AsyncClient, traceparent: str | None
) -> None:
    headers = {"traceparent": traceparent} if traceparent else {}
    answer = (await client.get("/v1/things/1", headers=headers)).json()
    assert re.fullmatch(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-00", answer)


async def test_figures_and_logs_know_the_route_not_the_path(
    client: httpx.AsyncClient, metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="madoguchi.http"):
        await client.get("/v1/things/hidden-1?name=hidden-2")
        await client.get("/wp-admin/hidden-3")
        await client.request("PROPFIND", "/v1/list")
        await client.get("/livez")
    text = metrics.render().decode()
    for labels in (
        'method="GET",route="/v1/things/{thing_id}",status="200"',
        'method="GET",route="(none)",status="404"',
        'method="_OTHER",route="(none)",status="405"',
    ):
        assert f"madoguchi_http_request_seconds_count{{{labels}}} 1.0" in text
    assert [record.getMessage() for record in caplog.records] == [
        "GET /v1/things/{thing_id} 200",
        "GET (none) 404",
        "_OTHER (none) 405",
    ]
    assert "hidden" not in text + caplog.text


async def test_only_named_origins_may_ask(client: httpx.AsyncClient) -> None:
    for origin, allowed in [("https://madoguchi.example", True), ("https://evil.example", False)]:
        response = await client.get("/v1/list", headers={"origin": origin})
        assert (response.headers.get("access-control-allow-origin") == origin) is allowed
    preflight = await client.options(
        "/v1/sites/a/things",
        headers={
            "origin": "https://madoguchi.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization, idempotency-key, if-match",
        },
    )
    assert preflight.status_code == 200


async def test_browsers_are_told_not_to_guess(client: httpx.AsyncClient) -> None:
    for path in ("/v1/list", "/nowhere", "/docs"):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"

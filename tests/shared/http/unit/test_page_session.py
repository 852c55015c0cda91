"""Staff on pages: the cookie opens the pages of its door and nothing else."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from shared.http.page_session import Door, PageSession, mark

DOOR = Door("/desk", "desk", ("sign-in", "session", "assets/"))
PAGE = {"Accept": "text/html"}
COOKIE = {"Cookie": "desk=valid"}


async def tell(request: Request) -> PlainTextResponse:
    """The token as the rooms see it, and 401 for one that holds no more."""
    token = request.headers.get("authorization", "none")
    return PlainTextResponse(f"{token} {bool(mark(request))}", 401 if "over" in token else 200)


@pytest.fixture
def client() -> httpx.AsyncClient:
    """A browser without a jar."""
    app = Starlette(routes=[Route("/{path:path}", tell, methods=["GET", "POST"])])
    app.add_middleware(PageSession, door=DOOR)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


@pytest.mark.parametrize(
    ("path", "cookie", "seen"),
    [
        ("/desk/today", "desk=valid", "Bearer valid True"),
        ("/desk/today/3", "other=valid; desk=valid", "Bearer valid True"),
        ("/v1/anything", "desk=valid", "none False"),
        ("/desk", "desk=valid", "none False"),
        ("/desk/sign-in", "desk=over", "none False"),
        ("/desk/session", "desk=over", "none False"),
        ("/desk/assets/page.css", "desk=over", "none False"),
    ],
)
async def test_where_the_cookie_counts(
    client: httpx.AsyncClient, path: str, cookie: str, seen: str
) -> None:
    answer = await client.get(path, headers={"Cookie": cookie, **PAGE})
    assert (answer.status_code, answer.text) == (200, seen)


@pytest.mark.parametrize(
    ("method", "path", "cookie", "target"),
    [
        ("GET", "/desk/today", "", "sign-in"),
        ("GET", "/desk/site/3", "", "../sign-in"),
        ("GET", "/desk/today", "desk=over", "sign-in"),
        ("POST", "/desk/site/3", "", "../sign-in"),
        ("POST", "/desk/today", "desk=over", "sign-in"),
    ],
)
async def test_who_has_none_that_holds_is_led_to_sign_in(
    client: httpx.AsyncClient, method: str, path: str, cookie: str, target: str
) -> None:
    answer = await client.request(method, path, headers={"Cookie": cookie, **PAGE})
    assert (answer.status_code, answer.headers["location"]) == (303, target)


async def test_programs_are_told_and_not_led(client: httpx.AsyncClient) -> None:
    assert (await client.get("/desk/today")).text == "none False"
    over = await client.get("/desk/today", headers={"Cookie": "desk=over"})
    assert over.status_code == 401
    own = await client.get("/desk/today", headers={**COOKIE, "Authorization": "Bearer own"})
    assert own.text == "Bearer own False"

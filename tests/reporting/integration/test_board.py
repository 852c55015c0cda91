"""The dashboard: right figures in both languages, for staff alone, nothing from elsewhere."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.reporting.api.board.live import Live, TooManyReaders
from services.reporting.api.board.view import View
from services.reporting.api.board.words import PAGES
from services.reporting.gateways.processes import Processes
from services.reporting.handlers import alert_history
from services.reporting.handlers.alerts import Watch
from shared.calendar import BusinessCalendar
from shared.security.principal import Principal
from tests.reporting.conftest import Reporting, bearer
from tests.reporting.day_story import DAY, at, story
from tests.reporting.histories import done, tokyo
from tests.reporting.integration.test_dashboard import Reader

EMPTY = View((), ())


@pytest.fixture
async def told(reporting: Reporting) -> Reporting:
    """The room in the middle of a day."""
    await reporting.hear(story())
    reporting.clock.set(at(10, 45))
    return reporting


async def page(reporting: Reporting, path: str) -> tuple[str, Reader]:
    """A page as a planner gets it."""
    answer = await reporting.get(f"/dashboard/{path}")
    assert answer.status_code == 200, answer.text
    return answer.text, Reader(answer.text)


@pytest.mark.parametrize("name", PAGES)
async def test_each_page_is_whole_in_both_languages(told: Reporting, name: str) -> None:
    for language, (here, there) in {"ja": (0, 1), "en": (1, 0)}.items():
        text, reader = await page(told, f"{name}?lang={language}")
        title = (PAGES[name][0].ja, PAGES[name][0].en)
        assert reader.all("html") == [{"lang": language}]
        assert title[here] in text
        assert f">{title[there]}</a>" not in text
        assert len(reader.all("h1")) == len(reader.all("main")) == 1
        charts = [each for each in reader.all("script") if each.get("class") == "chart"]
        assert len(charts) <= len(reader.all("table"))
        assert {each["scope"] for each in reader.all("th")} <= {"col", "row"}
        assert not re.search(r'(src|href)="(https?:)?//', text)
        assert not any(attr.startswith("on") for _, each in reader.tags for attr in each)
        assert not any("style" in each for _, each in reader.tags)


async def test_the_policy_lets_in_only_what_is_from_here(told: Reporting) -> None:
    answer = await told.get("/dashboard/today")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"


async def test_figures_are_those_of_the_api(told: Reporting) -> None:
    _, reader = await page(told, "today?lang=en")
    rows = (await told.get("/v1/reports/sites")).json()["rows"]
    for row in rows:
        start = reader.cells.index(row["site_name"])
        keys = ("waiting", "longest_wait_minutes", "being_served", "served", "booked", "to_come")
        shown = reader.cells[start + 2 : start + 8]
        assert shown == ["–" if row[key] is None else str(row[key]) for key in keys]
    _, reader = await page(told, "booking?lang=en")
    free = (await told.get("/v1/reports/sites/first-free")).json()["rows"]
    for row in free:
        name = reader.cells.index(row["site_name"])
        assert reader.cells[name:].count(str(row["days"])) >= 1


def together(cells: list[str], wanted: list[str]) -> bool:
    """Whether ``wanted`` stand beside each other among ``cells``."""
    starts = range(len(cells) - len(wanted) + 1)
    return any(cells[at : at + len(wanted)] == wanted for at in starts)


async def test_searches_in_vain_and_alerts_are_those_of_the_api(told: Reporting) -> None:
    _, reader = await page(told, "booking?lang=en")
    span = f"from={DAY - timedelta(days=6)}&to={DAY}"
    for by in ("ward", "site"):
        lines = (await told.get(f"/v1/reports/searches?{span}&by={by}")).json()["items"]
        assert lines
        for line in lines:
            if by == "ward" or line["part"] != "any":
                figures = [f"{line['searched']:,}", f"{line['refused']:,}"]
                assert together(reader.cells, [*figures, f"{line['refused_share']:.0%}"])
    told.clock.set(at(11, 30))
    async with told.units.begin(Principal.system("reporting")) as unit:
        await alert_history.look(unit, Watch(DAY, 0.15, BusinessCalendar()))
    await asyncio.sleep(2.1)  # the page as it was is kept for two seconds
    _, reader = await page(told, "today?lang=en")
    kept = (await told.get(f"/v1/alerts/history?{span}")).json()["items"]
    assert kept
    for each in kept:
        assert together(reader.cells, ["Tue 14 Jul 11:30", "still so", "–"])
        assert each["title"] in reader.cells
    hours = (await told.get(f"/v1/reports/sites/hours?from={DAY}&to={DAY}")).json()["items"]
    for hour in {each["hour"] for each in hours}:
        own = [each for each in hours if each["hour"] == hour]
        keys = ("planned_minutes", "offered_minutes", "booked_minutes")
        sums = [sum(each[key] or 0 for each in own) for key in keys]
        assert together(reader.cells, [f"{hour}:00", *(f"{each:,}" for each in sums)])


_CLOSED = """
INSERT INTO alert (alert_id, kind, subject, site_id, figures, opened_at, closed_at)
SELECT gen_random_uuid(), 'late_transfer', 'office', 'office', '{}', at, at + interval '1 second'
FROM generate_series(1, 31) AS n, LATERAL (SELECT $1::timestamptz + n * interval '10 s' AS at) AS o
"""


async def test_an_alert_that_stands_is_shown_whatever_came_and_went_since(told: Reporting) -> None:
    async with told.units.begin(Principal.system("reporting")) as unit:
        await alert_history.look(unit, Watch(DAY, 0.15, BusinessCalendar()))
        await unit.conn.execute(_CLOSED, told.clock.now())
    standing = (await told.get(f"/v1/alerts/history?from={DAY}&to={DAY}&state=open")).json()
    assert standing["items"]
    _, reader = await page(told, "today?lang=en")
    assert reader.cells.count("still so") == len(standing["items"])
    over = [each for each in reader.cells if each.startswith("Tue 14 Jul 10:")]
    assert len(over) == 30 + (30 - len(standing["items"])), "thirty in all, and when each was over"


async def test_months_away_from_their_forecast_are_those_of_the_api(reporting: Reporting) -> None:
    await reporting.hear([done(number, tokyo(2026, 5, 1)) for number in range(9)])
    months = [f"2026-{month:02}" for month in (4, 5, 6)]
    services = ("card_issuance", "certificate_renewal")
    rows = [f"{month},{service},forecast,10" for month in months for service in services]
    answer = await reporting.client.post(
        "/v1/forecasts:import?name=plan",
        content="\n".join(["month,service,basis,count", *rows]),
        headers=bearer("planner") | {"Content-Type": "text/csv", "Idempotency-Key": "one"},
    )
    assert answer.status_code in (200, 201), answer.text
    told = (await reporting.get("/v1/alerts")).json()["items"]
    _, reader = await page(reporting, "demand?lang=en&fiscal_year=2026")
    shown = reader.cells[reader.cells.index("Alarms") + 1 :]
    assert told
    assert shown[0::5] == [each["figures"]["month"] for each in told]
    assert shown[2::5] == [str(each["figures"]["actual"]) for each in told]


async def test_staff_alone_see_pages_and_are_led_to_sign_in(told: Reporting) -> None:
    html = {"accept": "text/html"}
    lost = await told.get("/dashboard/today", None, **html)
    assert (lost.status_code, lost.headers["location"]) == (303, "sign-in?next=today")
    assert (await told.get("/dashboard/today", "clerk")).status_code == 403
    for token, status in (("nobody", 422), ("planner", 303)):
        answer = await told.client.post("/dashboard/session", data={"token": token, "lang": "ja"})
        assert answer.status_code == status
    told.client.cookies.set("madoguchi_dashboard", "planner")
    shown = await told.get("/dashboard/system", None, **html)
    assert shown.status_code == 200
    mark = next(each["value"] for each in Reader(shown.text).all("input") if each.get("value"))
    for csrf, status in (("0" * 64, 400), (mark, 303)):
        answer = await told.client.post("/dashboard/sign-out", data={"csrf": csrf})
        assert answer.status_code == status
    told.client.cookies.clear()
    stranger = {"Origin": "https://elsewhere.example"}
    answer = await told.client.post(
        "/dashboard/session", data={"token": "planner"}, headers=stranger
    )
    assert answer.status_code == 400


async def test_files_are_kept_by_browsers(told: Reporting) -> None:
    for name in ("board.css", "board.js"):
        answer = await told.get(f"/dashboard/assets/{name}", None)
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] == "gzip"
        plain = await told.get(f"/dashboard/assets/{name}", None, accept_encoding="identity")
        assert "content-encoding" not in plain.headers
        assert plain.text == answer.text
    for name in ("none.js", "..%2Fboard.html"):
        assert (await told.get(f"/dashboard/assets/{name}", None)).status_code == 404


async def test_news_come_when_a_page_says_something_else() -> None:
    views = [EMPTY, EMPTY, replace(EMPTY, notes=("new",))]
    live = Live(1, seconds=0)

    async def read() -> View:
        await asyncio.sleep(0)
        return views.pop(0) if len(views) > 1 else views[0]

    stream = live.stream(read, EMPTY.version)
    said = [await anext(stream) for _ in range(2)]
    assert said[0].startswith(b":")
    assert said[1] == f"event: changed\ndata: {views[0].version}\n\n".encode()
    with pytest.raises(TooManyReaders):
        live.stream(read, "")
    assert (await anext(stream)).startswith(b":"), "a comment keeps the connection open"
    await stream.aclose()  # type: ignore[attr-defined]
    live.stream(read, "")


async def test_who_closes_a_page_cuts_off_no_reading() -> None:
    begun, go, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def read() -> View:
        begun.set()
        await go.wait()
        ended.set()
        return EMPTY

    live = Live(1, seconds=0)
    stream = live.stream(read, "shown")
    assert await anext(stream) == b": here\n\n"
    waiting = asyncio.ensure_future(anext(stream))
    await begun.wait()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    with pytest.raises(TooManyReaders):
        live.stream(read, "shown")  # it reads still, in its reader's place
    go.set()
    await asyncio.wait_for(ended.wait(), 60)
    await asyncio.sleep(0)
    assert await anext(live.stream(read, "shown")) == b": here\n\n"


async def test_a_page_that_cannot_be_read_stays_as_it_is() -> None:
    async def fail() -> View:
        raise OSError

    stream = Live(1, seconds=0).stream(fail, "shown")
    assert all([(await anext(stream)).startswith(b":") for _ in range(3)])


def metrics(lag: int, asked: int, failed: int) -> str:
    name = "madoguchi_http_request_seconds_count"
    return (
        f'madoguchi_consumer_lag{{topic="a",partition="0"}} {lag}\n'
        f'madoguchi_consumer_lag{{topic="a",partition="1"}} 1\n'
        f'{name}{{method="GET",route="/",status="200"}} {asked}\n'
        f'{name}{{method="GET",route="/",status="503"}} {failed}\n'
        "madoguchi_dead_letters 2\nmadoguchi_outbox_oldest_age_seconds 31.5\n"
    )


async def test_processes_tell_of_themselves_and_silence_is_a_finding() -> None:
    answers: list[Any] = [metrics(4, 10, 0), metrics(7, 18, 2), metrics(0, 1, 1)]
    now = [0.0]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "gone":
            raise httpx.ConnectError("refused")
        return httpx.Response(200, text=answers.pop(0))

    urls = {"a-api": "http://here/metrics", "b-api": "http://gone/metrics"}
    processes = Processes(urls, transport=httpx.MockTransport(answer), clock=lambda: now[0])
    first, silent = await processes.look()
    assert (first.lag, first.dead_letters, first.outbox_age, first.requests) == (5, 2, 31.5, 0)
    assert (silent.name, silent.answers, silent.lag) == ("b-api", False, None)
    now[0] = 60.0
    second, _ = await processes.look()
    assert (second.lag, second.requests, second.errors) == (8, 10, 2)
    restarted, _ = await processes.look()
    assert (restarted.requests, restarted.errors) == (0, 0)

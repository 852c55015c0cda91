"""Forecasts over HTTP: the city's own table taken in, shown in the plan's layout, and judged."""

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.contracts.reporting import ForecastPublished
from shared.http.paging import packed
from tests.reporting.conftest import Reporting, bearer
from tests.reporting.histories import RENEWAL, SITES, WARDS, done, tokyo

FILE = Path(__file__).parents[3] / "simulation/data/kawasaki_monthly_demand.csv"
IMPORT = "/v1/forecasts:import"
HEAD = "month,service,basis,count\n"
SMALL = (
    HEAD
    + "2025-04,card_issuance,actual,2\n2025-05,card_issuance,actual,4\n"
    + "".join(f"2026-{m:02},card_issuance,forecast,{n}\n" for m, n in ((4, 6), (5, 1), (7, 9)))
    + "2026-04,certificate_renewal,forecast,2\n2026-05,certificate_renewal,forecast,0\n"
)


async def send(
    reporting: Reporting, body: str | bytes, query: str = "", who: str = "planner"
) -> httpx.Response:
    return await reporting.client.post(IMPORT + query, content=body, headers=bearer(who))


async def done_so_far(reporting: Reporting) -> None:
    """Five cards and one renewal in April, one card in May, one in the month that is going on."""
    april = tokyo(2026, 4, 10, 10)
    await reporting.hear(
        [
            done(99, tokyo(2026, 3, 31)),  # so April was counted whole
            *(done(number, april + timedelta(hours=number)) for number in range(4)),
            done(4, april, ward=WARDS[1], site_id=SITES[1]),
            done(5, april, procedure=RENEWAL),
            done(6, tokyo(2026, 5, 1)),
            done(7, tokyo(2026, 7, 1)),
        ]
    )


async def items(reporting: Reporting, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await reporting.get(path)).json()["items"]
    return found


async def test_the_city_s_table_comes_out_as_it_went_in(reporting: Reporting) -> None:
    made = (await send(reporting, FILE.read_bytes(), "?name=plan")).json()
    assert (made["outcome"], made["version"], made["rows"], made["refused"]) == (
        "imported",
        1,
        96,
        0,
    )
    path = "/v1/reports/plan?fiscal_year=2023&until_year=2026&basis=published&basis=forecast"
    rows = (await reporting.get(path, accept_language="ja")).json()["rows"]
    assert [(row["era_year"], row["total"]) for row in rows if row["service"] == "sum"] == [
        ("令和5年度（公表実績）", 229_919),
        ("令和6年度（公表実績）", 215_560),
        ("令和7年度（予想）", 448_233),
        ("令和8年度（予想）", 313_501),
    ]
    july = [row["07"] for row in rows if row["fiscal_year"] == 2025]
    assert july == [20_959, 20_433, 41_392]
    long = (await reporting.get(f"{path}&layout=long&format=csv")).text
    told = {tuple(row[:2]): row[3] for row in list(csv.reader(io.StringIO(long)))[1:]}
    given = list(csv.reader(io.StringIO(FILE.read_text())))[1:]
    assert told == {(month, service): count for month, service, _, count in given}


async def test_the_same_file_twice_changes_nothing(reporting: Reporting) -> None:
    first, again = (await send(reporting, SMALL)).json(), (await send(reporting, SMALL)).json()
    other = (await send(reporting, SMALL.replace(",9\n", ",8\n"))).json()
    assert [each["outcome"] for each in (first, again, other)] == [
        "imported",
        "unchanged",
        "imported",
    ]
    assert [each["version"] for each in (first, again, other)] == [1, 1, 2]
    versions = await items(reporting, "/v1/forecasts?limit=1")
    assert [(each["version"], each["imported_by"]) for each in versions] == [(2, "staff:planner")]
    page = (await reporting.get("/v1/forecasts?limit=1")).json()
    rest = await items(reporting, f"/v1/forecasts?cursor={page['next_cursor']}")
    assert [(each["version"], each["last_month"]) for each in rest] == [(1, "2026-07")]


async def test_a_dry_run_leaves_nothing(reporting: Reporting) -> None:
    tried = (await send(reporting, SMALL, "?dry_run=true")).json()
    assert (tried["outcome"], tried["version"], len(tried["results"])) == ("dry_run", None, 7)
    assert await items(reporting, "/v1/forecasts") == []
    await send(reporting, SMALL)
    assert (await send(reporting, SMALL, "?dry_run=true")).json()["outcome"] == "unchanged"


async def test_a_version_is_whole_or_not_at_all(reporting: Reporting) -> None:
    body = SMALL + "2026-13,card_issuance,forecast,1\n2026-07,card_issuance,forecast,1\n"
    answer = (await send(reporting, body)).json()
    assert (answer["outcome"], answer["version"], answer["refused"]) == ("refused", None, 2)
    wrong = {
        row["line"]: row["refusal"]["errors"][0]["field"]
        for row in answer["results"]
        if row["refusal"]
    }
    assert wrong == {9: "month", 10: "month"}
    assert await items(reporting, "/v1/forecasts") == []


@pytest.mark.parametrize("body", ["", "month,count\n2026-04,1\n", b"\xff\x00"])
async def test_a_file_of_another_kind_is_refused(reporting: Reporting, body: str | bytes) -> None:
    answer = await send(reporting, body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_only_planners_take_forecasts_in(reporting: Reporting) -> None:
    assert (await send(reporting, SMALL, who="supervisor")).status_code == 403


async def test_what_was_done_beside_what_was_expected(reporting: Reporting) -> None:
    await send(reporting, SMALL)
    await done_so_far(reporting)
    rows = (await reporting.get("/v1/reports/plan?fiscal_year=2026")).json()["rows"]
    found = {(row["service"], row["basis"]): row for row in rows}
    assert [found["sum", "actual"][month] for month in ("04", "05", "06", "07")] == [6, 1, None, 1]
    assert found["sum", "actual"]["running"] == "2026-07"
    assert found["card_issuance", "forecast"]["running"] is None
    assert found["sum", "forecast"]["07"] is None  # the renewals of July are not in the file
    assert found["card_issuance", "forecast"]["total"] == 16
    assert found["card_issuance", "actual"]["03"] is None


@pytest.mark.parametrize(
    ("query", "parts"),
    [
        ("by=ward", {WARDS[0]: 6, WARDS[1]: 1}),
        ("by=site", {SITES[0]: 6, SITES[1]: 1}),
        (f"ward={WARDS[1]}", {None: 1}),
        (f"site_id={SITES[0]}&procedure=card_issuance", {None: 6}),
    ],
)
async def test_parts_of_the_city_have_actuals_alone(
    reporting: Reporting, query: str, parts: dict[str | None, int]
) -> None:
    await send(reporting, SMALL)
    await done_so_far(reporting)
    rows = (await reporting.get(f"/v1/reports/plan?fiscal_year=2026&{query}")).json()["rows"]
    assert {row["basis"] for row in rows} == {"actual"}
    cards = [row for row in rows if row["service"] == "card_issuance"]
    assert {row.get("ward", row.get("site_id")): row["total"] for row in cards} == parts


async def test_errors_come_with_the_actuals(reporting: Reporting) -> None:
    await send(reporting, SMALL)
    assert await items(reporting, "/v1/forecasts/1/accuracy") == []
    await done_so_far(reporting)
    found = {each["service"]: each for each in await items(reporting, "/v1/forecasts/1/accuracy")}
    # April: 6 for 5 cards, May: 1 for 1; the present month, July, is not judged.
    assert found["card_issuance"] == {
        "version": 1,
        "service": "card_issuance",
        "months": 2,
        "mae": 0.5,
        "mape": 0.1,
        "mase": 0.25,  # the naive one was 2 away between April and May of the year before
        "bias": 0.5,
    }
    assert (found["sum"]["months"], found["sum"]["bias"]) == (2, 1.0)


async def test_the_month_of_going_live_is_judged_by_nothing(reporting: Reporting) -> None:
    await send(reporting, SMALL)
    await reporting.hear([done(0, tokyo(2026, 4, 2)), done(1, tokyo(2026, 5, 1))])
    (cards,) = [
        each
        for each in await items(reporting, "/v1/forecasts/1/accuracy")
        if each["service"] == "card_issuance"
    ]
    assert (cards["months"], cards["mae"]) == (1, 0), "of April a business day is missing"
    series = await items(reporting, "/v1/series?to=2026-05&procedure=card_issuance")
    assert [e["complete"] for e in series if e["series"] == "actual"] == [False, True]
    assert await complete_in_tables(reporting) == [{"2026-04": False, "2026-05": True}] * 3
    assert await items(reporting, "/v1/alerts?kind=forecast_left") == []
    await reporting.hear([done(2, tokyo(2026, 4, 1, 9))])
    found = {each["service"]: each for each in await items(reporting, "/v1/forecasts/1/accuracy")}
    assert found["card_issuance"]["months"] == 2, "that day came late"
    assert await complete_in_tables(reporting) == [{"2026-04": True, "2026-05": True}] * 3
    left = [each["subject"] for each in await items(reporting, "/v1/alerts?kind=forecast_left")]
    assert "1/2026-04/card_issuance" in left


async def complete_in_tables(reporting: Reporting) -> list[dict[str, bool]]:
    """What each long table calls complete of the months in which something was done."""
    found = []
    for path in ("monthly?layout=long", "monthly?layout=service", "plan?layout=long&basis=actual"):
        rows = (await reporting.get(f"/v1/reports/{path}&fiscal_year=2026")).json()["rows"]
        done_in = [row for row in rows if row.get("completed", row.get("count"))]
        found.append({row["month"]: row["complete"] for row in done_in})
    return found


async def test_series_side_by_side(reporting: Reporting) -> None:
    await send(reporting, SMALL)
    await done_so_far(reporting)
    path = "/v1/series?from=2026-04&to=2026-07&procedure=card_issuance"
    found = await items(reporting, path)
    assert [(each["month"][5:], each["series"], each["count"]) for each in found] == [
        ("04", "actual", 5),
        ("04", "forecast-1", 6),
        ("05", "actual", 1),
        ("05", "forecast-1", 1),
        ("07", "actual", 1),
        ("07", "forecast-1", 9),
    ]
    assert [each["complete"] for each in found][-2:] == [False, True]
    page = (await reporting.get(f"{path}&limit=3")).json()
    rest = await items(reporting, f"{path}&cursor={page['next_cursor']}")
    assert page["items"] + rest == found
    answer = await reporting.get(path)
    again = await reporting.get(path, if_none_match=answer.headers["etag"])
    assert again.status_code == 304
    lines = (await reporting.get(f"{path}&format=csv")).text.splitlines()
    assert lines[1] == "2026-04,card_issuance,actual,5,true"


@pytest.mark.parametrize(
    ("now", "over"),
    [
        (tokyo(2026, 7, 31, 23, 59, second=59), False),  # 14:59:59 UTC of the same day
        (tokyo(2026, 8, 1), True),  # still July in UTC
    ],
)
async def test_a_month_is_judged_when_it_has_ended_in_japan(
    reporting: Reporting, now: datetime, *, over: bool
) -> None:
    """Till then it says everywhere that it runs, and is far from nothing."""
    await send(reporting, SMALL)
    await done_so_far(reporting)
    reporting.clock.set(now)
    told_of = {each["service"]: each for each in await items(reporting, "/v1/forecasts/1/accuracy")}
    # June, of which nothing was told, is no month in which nothing came: it never counts.
    assert told_of["card_issuance"]["months"] == (3 if over else 2)
    assert told_of["card_issuance"]["mae"] == ((1 + 0 + 8) / 3 if over else 0.5)
    series = await items(reporting, "/v1/series?from=2026-07&to=2026-07&procedure=card_issuance")
    assert [(each["series"], each["complete"]) for each in series] == [
        ("actual", over),
        ("forecast-1", True),
    ]
    plan = "/v1/reports/plan?fiscal_year=2026&basis=actual&procedure=card_issuance"
    (row,) = (await reporting.get(plan)).json()["rows"]
    assert (row["07"], row["running"]) == (1, None if over else "2026-07")
    long = (await reporting.get(f"{plan}&layout=long")).json()["rows"]
    assert [each["complete"] for each in long] == [True, True, over]
    alerts = [each["subject"] for each in await items(reporting, "/v1/alerts?kind=forecast_left")]
    assert ("1/2026-07/card_issuance" in alerts) is over
    paper = (await reporting.get("/v1/reports/committee?month=2026-07&lang=en")).text
    assert ("the month is not over" in paper) is not over
    assert ("2026-07</td><td>card_issuance</td>" in paper) is over  # among what left its band
    assert ("so far" in paper) is not over


async def test_month_service_completed(reporting: Reporting) -> None:
    await done_so_far(reporting)
    rows = (await reporting.get("/v1/reports/monthly?fiscal_year=2026&layout=service")).json()[
        "rows"
    ]
    assert rows[:2] == [
        {"month": "2026-04", "service": "card_issuance", "completed": 5, "complete": True},
        {"month": "2026-04", "service": "certificate_renewal", "completed": 1, "complete": True},
    ]
    assert len(rows) == 24


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/reports/plan?fiscal_year=2026&until_year=2025", 400),
        ("/v1/reports/plan?fiscal_year=2026&until_year=2126", 400),
        ("/v1/reports/plan?version=7", 404),
        ("/v1/reports/plan?version=99999999999", 422),
        ("/v1/series?version=99999999999", 422),
        (f"/v1/forecasts?cursor={packed((99999999999,))}", 400),
        ("/v1/reports/plan?basis=hope", 422),
        ("/v1/series?from=2026-05&to=2026-04", 400),
        ("/v1/series?cursor=nonsense", 400),
        ("/v1/forecasts/7", 404),
        ("/v1/forecasts/7/values", 404),
        ("/v1/forecasts/0", 422),
    ],
)
async def test_wrong_questions(reporting: Reporting, path: str, status: int) -> None:
    answer = await reporting.get(path, accept_language="ja")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_values_of_a_version(reporting: Reporting) -> None:
    await send(reporting, SMALL)
    found = await items(reporting, "/v1/forecasts/1/values")
    assert found[0] == {
        "month": "2025-04",
        "service": "card_issuance",
        "basis": "published",
        "count": 2,
    }
    assert len(found) == 7
    one = await reporting.get("/v1/forecasts/1")
    assert (one.json()["first_month"], one.json()["name"]) == ("2026-04", "forecast")


async def test_a_new_version_is_told_once_with_all_that_it_expects(reporting: Reporting) -> None:
    await send(reporting, SMALL, "?name=somebody&dry_run=true")
    for _ in range(2):
        await send(reporting, SMALL, "?name=somebody")
    async with reporting.database.reader() as conn:
        rows = await conn.fetch("SELECT type, subject, topic, data FROM outbox")
    ((kind, subject, topic, data),) = [tuple(row) for row in rows]
    assert (kind, subject, topic) == ("forecast.published.v1", "forecast-1", "reporting.events")
    told = ForecastPublished.model_validate_json(data)
    assert [(f"{each.month:%Y-%m}", each.procedure, each.count) for each in told.months] == [
        ("2026-04", "card_issuance", 6),
        ("2026-04", "certificate_renewal", 2),
        ("2026-05", "card_issuance", 1),
        ("2026-05", "certificate_renewal", 0),
        ("2026-07", "card_issuance", 9),
    ]
    assert b"somebody" not in data, "what it is called is anybody's text"

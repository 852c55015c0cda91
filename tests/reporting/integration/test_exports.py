"""Pictures, the committee's paper, and figures for everybody."""

import csv
import io
import re
from pathlib import Path

import pytest

from tests.reporting.conftest import Reporting, bearer
from tests.reporting.day_story import story
from tests.reporting.histories import WARDS, done, tokyo
from tests.reporting.integration.test_forecasts import SMALL, done_so_far
from tests.reporting.integration.test_reports import cards

WARDS_FILE = Path(__file__).parents[3] / "simulation/data/wards.csv"
WARD_NAMES = "code,name,name_en,office_latitude,office_longitude\n"


async def import_forecast(reporting: Reporting) -> None:
    await reporting.client.post(
        "/v1/forecasts:import", content=SMALL.encode(), headers=bearer("planner")
    )


async def test_charts_as_svg_and_png(reporting: Reporting) -> None:
    await import_forecast(reporting)
    await done_so_far(reporting)
    path = "/v1/reports/charts/months?fiscal_year=2026"
    svg = await reporting.get(path, accept_language="ja")
    assert svg.headers["content-type"] == "image/svg+xml"
    assert svg.text.startswith("<svg")
    assert "令和8年度 月別件数" in svg.text
    assert "予想（計）" in svg.text
    tag = svg.headers["etag"]
    assert (await reporting.get(path, accept_language="ja", if_none_match=tag)).status_code == 304
    png = await reporting.get(f"{path}&format=png")
    assert png.content.startswith(b"\x89PNG\r\n\x1a\n")
    assert (await reporting.get("/v1/reports/charts/unicorns")).status_code == 422
    assert (await reporting.get(f"{path}&format=gif")).status_code == 422
    assert (await reporting.get(path, "clerk")).status_code == 403


@pytest.mark.parametrize("chart", ["waiting", "distances"])
async def test_every_chart_can_be_drawn(reporting: Reporting, chart: str) -> None:
    path = f"/v1/reports/charts/{chart}?from=2026-04-01&to=2026-04-10"
    assert (await reporting.get(path)).text.startswith("<svg")
    await reporting.hear([*cards(), *story()])
    assert (await reporting.get(path)).text.startswith("<svg")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "ja",
            [
                "マイナンバーカード交付等 月次報告（2026年5月）",
                "令和8年度（予想）",
                "ジニ係数",
                "川崎区",
            ],
        ),
        ("en", ["report for May 2026", "FY R8 (forecast)", "Gini coefficient", "Kawasaki-ku"]),
    ],
)
async def test_the_committee_s_paper(reporting: Reporting, language: str, words: list[str]) -> None:
    await import_forecast(reporting)
    await reporting.client.post(
        "/v1/wards:import", content=WARDS_FILE.read_bytes(), headers=bearer("planner")
    )
    await done_so_far(reporting)
    await reporting.hear(cards())
    answer = await reporting.get(f"/v1/reports/committee?month=2026-05&lang={language}")
    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.text
    assert all(word in answer.text for word in words)
    # All it needs is in it: two pictures, no script, nothing from elsewhere.
    assert answer.text.count("data:image/svg+xml;base64,") == 2
    assert not re.search(r"<script|<link|https?://", answer.text)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    again = await reporting.get(
        f"/v1/reports/committee?month=2026-05&lang={language}",
        if_none_match=answer.headers["etag"],
    )
    assert again.status_code == 304


async def test_the_paper_is_of_the_last_month_that_is_over(reporting: Reporting) -> None:
    answer = await reporting.get("/v1/reports/committee", accept_language="ja")
    assert "（2026年6月）" in answer.text
    assert (await reporting.get("/v1/reports/committee", "clerk")).status_code == 403
    early = await reporting.get("/v1/reports/committee?month=2019-03")
    assert (early.status_code, early.json()["errors"][0]["field"]) == (400, "month")


async def test_open_data_hides_what_is_small(reporting: Reporting) -> None:
    rows = f"{WARDS[0]},幸,A-ku,35,139\n{WARDS[1]},南,B-ku,35,139\n141330,中,C-ku,35,139\n"
    await reporting.client.post(
        "/v1/wards:import", content=(WARD_NAMES + rows).encode(), headers=bearer("planner")
    )
    april = tokyo(2026, 4, 10)
    await reporting.hear(
        [
            *(done(n, april) for n in range(3)),
            *(done(10 + n, april, ward=WARDS[1]) for n in range(20)),
            *(done(40 + n, april, ward="141330") for n in range(30)),
            done(99, tokyo(2026, 7, 1)),
        ]
    )
    answer = await reporting.get("/v1/open-data?format=csv&bom=true", None, accept_language="ja")
    assert answer.status_code == 200
    assert answer.content.startswith(b"\xef\xbb\xbf")
    heads, *lines = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert heads == [
        "全国地方公共団体コード",
        "市区町村名",
        "年月",
        "手続コード",
        "手続",
        "件数",
        "秘匿",
    ]
    # July is not over and not there; the second ward hides the first.
    assert [(line[0], line[5], line[6]) for line in lines] == [
        ("141305", "53", "0"),
        (WARDS[0], "", "1"),
        (WARDS[1], "", "1"),
        ("141330", "30", "0"),
    ]
    assert lines[3][1] == "中"
    json = (await reporting.get("/v1/open-data", None)).json()["rows"]
    assert json[1]["completed"] is None

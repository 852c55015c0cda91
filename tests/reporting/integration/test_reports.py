"""The reports over HTTP: figures, filters, forms, and the cases behind them."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from openpyxl import load_workbook

from shared.contracts.preparation import (
    CardApplied,
    CardDisposed,
    CardPreset,
    CardShipped,
    CardVoided,
    VoidReason,
)
from shared.http.paging import packed
from shared.ids import DisposalId, derived_id
from tests.reporting.conftest import Reporting
from tests.reporting.histories import (
    CARD,
    RENEWAL,
    SITES,
    WARDS,
    Happening,
    case_of,
    completed,
    done,
    opened,
    tokyo,
    told,
)

MONTHLY = "/v1/reports/monthly?fiscal_year=2026"


def some() -> list[Happening]:
    """Seven completions: five in April, one in May, one in the March before."""
    april = tokyo(2026, 4, 10, 10)
    return [
        done(1, april),
        done(2, april, ward=WARDS[1]),
        done(3, april, ward=WARDS[1], site_id=SITES[1]),
        done(4, april, procedure=RENEWAL),
        done(5, april + timedelta(hours=1), procedure=RENEWAL, site_id=SITES[1]),
        done(6, tokyo(2026, 5, 1)),
        done(7, tokyo(2026, 3, 31, 23, 59)),
    ]


def by_row(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The rows of the plan by procedure."""
    return {row["procedure"]: row for row in body["rows"]}


async def test_the_plan_s_table(reporting: Reporting) -> None:
    await reporting.hear(some())
    rows = by_row((await reporting.get(MONTHLY)).json())
    assert list(rows) == ["card_issuance", "certificate_renewal", "sum"]
    assert [rows[key]["2026-04"] for key in rows] == [3, 2, 5]
    assert [rows[key]["2026-05"] for key in rows] == [1, 0, 1]
    assert [rows[key]["total"] for key in rows] == [4, 2, 6]
    assert rows["sum"]["2027-03"] == 0


async def test_the_month_that_runs_is_named(reporting: Reporting) -> None:
    body = (await reporting.get(MONTHLY)).json()
    assert [row["running"] for row in body["rows"]] == ["2026-07"] * 3
    assert [column["key"] for column in body["columns"]] == list(body["rows"][0])
    before = (await reporting.get("/v1/reports/monthly?fiscal_year=2025")).json()
    assert {row["running"] for row in before["rows"]} == {None}
    file = await reporting.get(f"{MONTHLY}&format=csv")
    assert file.text.splitlines()[0].endswith(",Year"), "the year is the last column of files"
    await reporting.hear([*some(), done(8, tokyo(2026, 7, 1))])
    for layout in ("long", "service"):
        rows = (await reporting.get(f"{MONTHLY}&layout={layout}")).json()["rows"]
        assert {row["month"]: row["complete"] for row in rows if row["completed"]} == {
            "2026-04": True,
            "2026-05": True,
            "2026-07": False,
        }
    lines = (await reporting.get(f"{MONTHLY}&layout=service&format=csv")).text.splitlines()
    assert lines[7] == "2026-07,card_issuance,1,false"
    assert lines[4:6] == ["2026-05,certificate_renewal,0,true", "2026-06,card_issuance,0,false"]


async def test_the_present_fiscal_year_is_meant_without_one(reporting: Reporting) -> None:
    body = (await reporting.get("/v1/reports/monthly")).json()
    assert {row["fiscal_year"] for row in body["rows"]} == {2026}


@pytest.mark.parametrize(
    ("query", "cards", "certificates"),
    [
        (f"&ward={WARDS[0]}", 1, 2),
        (f"&ward={WARDS[1]}", 2, 0),
        (f"&site_id={SITES[1]}", 1, 1),
        (f"&ward={WARDS[1]}&site_id={SITES[1]}", 1, 0),
        ("&ward=999999", 0, 0),
    ],
)
async def test_filters(reporting: Reporting, query: str, cards: int, certificates: int) -> None:
    await reporting.hear(some())
    rows = by_row((await reporting.get(MONTHLY + query)).json())
    assert rows["card_issuance"]["2026-04"] == cards
    assert rows["certificate_renewal"]["2026-04"] == certificates


async def test_the_long_form_adds_up_to_the_plan(reporting: Reporting) -> None:
    await reporting.hear(some())
    rows = (await reporting.get(f"{MONTHLY}&layout=long")).json()["rows"]
    assert sum(row["completed"] for row in rows) == 6
    assert rows[0] == {
        "month": "2026-04",
        "procedure": "card_issuance",
        "ward": WARDS[0],
        "site_id": SITES[0],
        "site_name": None,
        "completed": 1,
        "complete": True,
    }


@pytest.mark.parametrize("bom", [False, True])
async def test_csv(reporting: Reporting, bom: bool) -> None:
    await reporting.hear(some())
    answer = await reporting.get(
        f"{MONTHLY}&format=csv&bom={str(bom).lower()}", accept_language="ja"
    )
    assert answer.content.startswith(b"\xef\xbb\xbf") is bom
    heads, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert heads[5:] == [*(f"{m}月" for m in (4, 5, 6, 7, 8, 9, 10, 11, 12, 1, 2, 3)), "計"]
    assert rows[0][:6] == [
        "2026",
        "令和8年度（実績）",
        "actual",
        "card_issuance",
        "①カード交付",
        "3",
    ]
    assert [row[-1] for row in rows] == ["4", "2", "6"]


async def test_xlsx_reads_back(reporting: Reporting) -> None:
    await reporting.hear(some())
    answer = await reporting.get(f"{MONTHLY}&format=xlsx")
    sheet = load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None
    heads, *rows = sheet.iter_rows(values_only=True)
    assert heads[5:7] == ("Apr", "May")
    assert [row[-1] for row in rows] == [4, 2, 6]


async def test_who_has_the_table_is_spared_it(reporting: Reporting) -> None:
    await reporting.hear(some())
    tag = (await reporting.get(MONTHLY)).headers["etag"]
    assert (await reporting.get(MONTHLY, if_none_match=tag)).status_code == 304
    csv_tag = (await reporting.get(f"{MONTHLY}&format=csv")).headers["etag"]
    assert csv_tag != tag
    await reporting.hear([done(8, tokyo(2026, 6, 1))])
    assert (await reporting.get(MONTHLY, if_none_match=tag)).status_code == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("monthly?fiscal_year=2018", "fiscal_year"),
        ("monthly?ward=kawasaki", "ward"),
        ("monthly?layout=wide", "layout"),
        ("totals?date=2026-02-30", "date"),
        ("totals?date=9999-12-31", "date"),
        ("cases?month=2026-13", "month"),
        ("cases", "month"),
        ("cases?month=2026-04&cursor=nonsense", "cursor"),
        (f"cases?month=2026-04&cursor={packed(('2026-04-01T00:00:00', case_of(1)))}", "cursor"),
    ],
)
async def test_wrong_questions_are_told_which_field(
    reporting: Reporting, query: str, field: str
) -> None:
    answer = await reporting.get(f"/v1/reports/{query}", accept_language="ja")
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def cards() -> list[Happening]:
    """Six card cases of one ward, each a stage further, and one renewal, which is no card."""
    history: list[Any] = []

    def so_far(number: int, *events: Any) -> None:
        at = tokyo(2026, 4, 1, number)
        history.append((opened(case_of(number)), at, "preparation.events"))
        for days, event in enumerate(events):
            topic = event.topic or "preparation.events"
            history.append((event, at + timedelta(days=days), topic))

    def stages(number: int) -> list[Any]:
        return [
            CardApplied(case_id=case_of(number), applied_on=tokyo(2026, 4, 1, 9).date()),
            CardShipped(case_id=case_of(number), lot_id="L1", shipped_on=tokyo(2026, 4, 2).date()),
            CardPreset(case_id=case_of(number)),
            completed(case_of(number)),
        ]

    for number in (1, 2, 3, 4):
        so_far(number, *stages(number)[:number])
    so_far(5, *stages(5)[:3], CardVoided(case_id=case_of(5), reason=VoidReason.MOVED_OUT))
    disposed = CardDisposed(case_id=case_of(6), disposal_id=DisposalId(derived_id("disposal")))
    so_far(6, *stages(6)[:3], disposed)
    renewal = opened(case_of(7), RENEWAL)
    history.append((renewal, tokyo(2026, 4, 1), "reservation.events"))
    return told(history)


async def test_totals_and_backlog(reporting: Reporting) -> None:
    await reporting.hear(cards())
    ward, city = (await reporting.get("/v1/reports/totals?date=2026-04-30")).json()["rows"]
    assert ward == {
        "date": "2026-04-30",
        "ward": WARDS[0],
        "applied": 6,
        "shipped": 5,
        "preset": 4,
        "issued": 1,
        "waiting_for_shipment": 1,
        "waiting_for_preset": 1,
        "waiting_for_issuance": 1,
        "ended": 2,
    }
    assert city == ward | {"ward": "sum"}


async def test_totals_of_a_day_gone_by(reporting: Reporting) -> None:
    await reporting.hear(cards())
    city = (await reporting.get("/v1/reports/totals?date=2026-04-03")).json()["rows"][-1]
    assert (city["applied"], city["preset"], city["issued"], city["ended"]) == (6, 4, 0, 0)
    assert city["waiting_for_issuance"] == 4


async def test_a_card_without_its_opening_stands_apart(reporting: Reporting) -> None:
    await reporting.hear([each for each in cards() if each.event.type == "card.preset.v1"])
    rows = (await reporting.get("/v1/reports/totals")).json()["rows"]
    assert [(row["ward"], row["preset"]) for row in rows] == [("unknown", 4), ("sum", 4)]


async def test_every_figure_is_traced_to_its_cases(reporting: Reporting) -> None:
    await reporting.hear(some())
    path = "/v1/reports/cases?month=2026-04&limit=2"
    found, cursor = [], ""
    while True:
        page = (await reporting.get(path + cursor)).json()
        found += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert {line["case_id"] for line in found} == {str(case_of(n)) for n in (1, 2, 3, 4, 5)}
    assert len(found) == 5
    assert found[-1]["completed_at"] == "2026-04-10T11:00:00+09:00"
    only = (await reporting.get(f"{path}&procedure={CARD}&ward={WARDS[0]}")).json()["items"]
    assert [line["case_id"] for line in only] == [str(case_of(1))]


async def test_looking_at_cases_is_audited(reporting: Reporting) -> None:
    await reporting.hear(some())
    await reporting.get(f"/v1/reports/cases?month=2026-04&site_id={SITES[0]}", "own")
    async with reporting.database.reader() as conn:
        entry = await conn.fetchrow("SELECT * FROM audit_entry")
    assert entry is not None
    assert (entry["actor"], entry["action"], entry["subject"], entry["site_id"]) == (
        "staff:own",
        "report.cases_read",
        "2026-04",
        SITES[0],
    )
    assert re.search(r'"cases": 3\b', entry["refs"])

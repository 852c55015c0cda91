"""What pages show is what the API tells, in tables and in charts, in the order of the calendar."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from services.reporting.api.board.board import PageName
from services.reporting.api.board.system import dead_letters
from services.reporting.gateways.processes import Health
from services.reporting.store.stages import Waiting
from shared.contracts.base import Event
from shared.contracts.reservation import AvailabilitySearched, BookingConfirmed
from shared.contracts.site import CapacityPublished, DayCapacity
from shared.ids import derived_id
from tests.contracts.samples import SAMPLES
from tests.reporting.board_scene import scene
from tests.reporting.conftest import Reporting
from tests.reporting.day_story import DAY, LATER, OFFICE, at, story
from tests.reporting.histories import CARD, case_of
from tests.reporting.histories import told as events_told
from tests.reporting.integration.test_board import page, together

_NEAR = ("days_to_first_free", "distance_km")
_SHARES = ("own_ward_share", "near_share", "center_share", "satellite_share", "ward_office_share")


@pytest.fixture
async def told(reporting: Reporting) -> Reporting:
    """The room with something on every page."""
    await scene(reporting)
    return reporting


def charts(html: str) -> dict[str, Any]:
    """The specification of each chart by the section it stands in."""
    found = re.findall(r'data-place="([a-z_]+)-plot">(.*?)</script>', html, re.DOTALL)
    return {name: json.loads(spec) for name, spec in found}


async def test_demand_shows_the_plan_s_table_and_marks_the_month_that_runs(
    told: Reporting,
) -> None:
    html, reader = await page(told, "demand?lang=en&fiscal_year=2026")
    rows = (await told.get("/v1/reports/plan?fiscal_year=2026")).json()["rows"]
    assert {row["basis"] for row in rows} == {"actual", "forecast"}
    months = [f"{1 + (month + 3) % 12:02}" for month in range(12)]
    for row in rows:
        label = f"{row['label']}, {row['basis']}"
        figures = ["–" if row[key] is None else f"{row[key]:,}" for key in (*months, "total")]
        assert together(reader.cells, [label, *figures])
    assert "Jul (so far)" in reader.cells
    points = charts(html)["plan"]["datasets"]["rows"]
    assert {(each["month"], each["series"]) for each in points if each["running"]} == {
        ("Jul", "Actual")
    }
    places = dict.fromkeys(each["month"] for each in points)
    assert [*places][::11] == ["Apr", "Mar"]
    assert len(places) == 12, "also where nothing is known of a month"
    _, before = await page(told, "demand?lang=ja&fiscal_year=2025")
    assert not any("途中" in cell for cell in before.cells)


async def test_months_stand_in_the_order_of_the_year_whatever_is_known_of_them(
    told: Reporting,
) -> None:
    """What is done may begin in July and what was expected in April: April still comes first."""
    html, _ = await page(told, "demand?lang=en&fiscal_year=2026")
    for layer in charts(html)["plan"]["layer"]:
        assert layer["encoding"]["x"]["sort"] == {"field": "order", "op": "min"}
    html, _ = await page(told, "booking?lang=en")
    heat = charts(html)["heat"]
    assert heat["encoding"]["x"]["sort"] == {"field": "order", "op": "min"}
    days = {each["order"]: each["day"] for each in heat["datasets"]["rows"]}
    assert list(days) == sorted(days)


async def test_preparation_shows_the_totals_and_lead_times(told: Reporting) -> None:
    _, reader = await page(told, "preparation?lang=en")
    names = ("applied", "shipped", "preset", "issued", "waiting_for_shipment", "waiting_for_preset")
    rows = (await told.get("/v1/reports/totals")).json()["rows"]
    assert any(row["waiting_for_preset"] for row in rows)
    for row in rows:
        assert together(reader.cells, [f"{row[key]:,}" for key in names])
    stages = (await told.get("/v1/reports/stages")).json()["rows"]
    assert [each["stage"] for each in stages] == [each.value for each in Waiting]
    assert any(each["pace"] for each in stages)
    for each in stages:
        pace = "–" if each["pace"] is None else f"{each['pace']:,.1f}"
        days = "–" if each["days"] is None else f"{each['days']:,}"
        row = reader.cells.index(each["label"])
        assert reader.cells[row + 1] == f"{each['cards']:,}"
        path = f"/v1/reports/cases/standing?figure=at_{each['stage']}"
        assert len((await told.get(path)).json()["items"]) == each["cards"]
        assert reader.cells[row + 3 : row + 5] == [pace, days]
    lines = (await told.get("/v1/reports/lead-times?from=2026-06-17&to=2026-07-14")).json()["items"]
    assert any(line["cases"] for line in lines)
    keys = ("cases", "p50", "p90", "p50_days", "p90_days")
    for line in lines:
        figures = ["–" if line[key] is None else f"{line[key]:,}" for key in keys]
        assert together(reader.cells, [line["title"], *figures])


async def test_equity_shows_the_measures_of_each_ward(told: Reporting) -> None:
    html, reader = await page(told, "equity?lang=en")
    lines = (await told.get("/v1/equity?from=2026-06-17&to=2026-07-14")).json()["items"]
    assert len(lines) == 2
    for line in lines:
        near = ["–" if line[key] is None else f"{line[key]:,.1f}" for key in _NEAR]
        shares = ["–" if line[key] is None else f"{line[key]:.0%}" for key in _SHARES]
        assert together(reader.cells, [str(line["completed"]), *near, *shares])
    assert all("below" in each for each in charts(html)["map"]["datasets"]["rows"])


async def test_booking_shows_how_first_free_days_moved_and_today_as_it_is(told: Reporting) -> None:
    """Not as this morning told: the same page says what is free now."""
    near = DAY + timedelta(days=1)
    days = tuple(DayCapacity(business_date=day, total=9, free=1) for day in (near, LATER))
    seats = CapacityPublished(site_id=OFFICE, procedure=CARD, minutes=20, days=days)
    sample = SAMPLES["booking.confirmed.v1"]
    assert isinstance(sample, BookingConfirmed)
    own = {"case_id": case_of(77), "booking_id": derived_id("free", 77), "site_id": OFFICE}
    booked = sample.model_copy(update=own | {"minutes": 20, "starts_at": at(9, day=near)})
    topics = ((seats, at(0, 30)), (booked, at(10)))
    await told.hear(events_told([(event, when, event.topic or "") for event, when in topics]))
    _, reader = await page(told, "booking?lang=en")
    path = f"/v1/reports/first-free?from={DAY - timedelta(days=28)}&to={DAY}"
    evenings = {str(DAY - timedelta(days=number)) for number in range(0, 29, 2)}
    lines = [
        (line["business_date"], (line["part"], line["procedure"]), line["days"])
        for line in (await told.get(path)).json()["items"]
        if line["business_date"] in evenings
    ]
    own_waits = {day: wait for day, whose, wait in lines if whose == (OFFICE, CARD)}
    assert own_waits[str(DAY)] == (LATER - DAY).days
    waits = [own_waits.get(day) for day in sorted({day for day, *_ in lines})]
    figures = ["–" if wait is None else str(wait) for wait in waits]
    assert together(reader.cells, [f"Site {OFFICE} – Card issuance", *figures])


async def test_no_frame_is_drawn_around_nothing(reporting: Reporting) -> None:
    """Of a room that has heard of nothing yet, and of a week in which nobody searched in vain."""
    for name in PageName:
        html, _ = await page(reporting, f"{name}?lang=ja")
        assert all(each["datasets"]["rows"] for each in charts(html).values()), name
        said = "該当はありません。" in html  # no alert, no month away: that is known, and good
        assert said == (name in (PageName.TODAY, PageName.DEMAND)), name
    await reporting.hear([each for each in story() if _is_found(each.event)])
    html, reader = await page(reporting, "booking?lang=en")
    assert "refused_wards" not in charts(html)
    assert together(reader.cells, ["5", "0", "0%"])


def _is_found(event: Event) -> bool:
    """Whether it tells only of searches that were not in vain."""
    return isinstance(event, AvailabilitySearched) and not any(c.refused for c in event.counts)


async def test_what_all_processes_of_a_room_tell_counts_once() -> None:
    found = [Health(f"issuance-{name}", dead_letters=2) for name in ("consume", "consume-2")]
    assert dead_letters([*found, Health("reporting-consume", dead_letters=1), Health("x")]) == 3

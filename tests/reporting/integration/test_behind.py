"""Each figure has its cases: as many as it says, whatever it is."""

from datetime import date
from typing import Any

import pytest

from services.reporting.store.behind import Behind
from shared.contracts.issuance import VisitCalled, VisitCompleted
from shared.ids import BookingId, VisitId, derived_id
from tests.contracts.samples import SAMPLES
from tests.reporting.conftest import Reporting
from tests.reporting.day_story import CARD, DAY, OFFICE, at, story
from tests.reporting.histories import SITES, case_of, completed, tokyo, told
from tests.reporting.integration.test_reports import cards

SPAN = "from=2026-07-01&to=2026-07-31"
COUNTED = "/v1/reports/cases/counted"


@pytest.fixture
async def room(reporting: Reporting) -> Reporting:
    """A day's story, and two cases that were done on it."""
    done = [
        (completed(case_of(number), site_id=OFFICE), tokyo(2026, 7, 14, 9), "issuance.events")
        for number in (0, 50)
    ]
    await reporting.hear([*story(), *told(done)])
    return reporting


async def items(reporting: Reporting, path: str) -> list[dict[str, Any]]:
    """All of it, page by page."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = await reporting.get(f"{path}&limit=2{cursor}")
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        if answer.json()["next_cursor"] is None:
            return found
        cursor = f"&cursor={answer.json()['next_cursor']}"


async def test_bookings_and_what_became_of_them(room: Reporting) -> None:
    figures = list(Behind)[: list(Behind).index(Behind.SEATS)]
    for line in await items(room, f"/v1/reports/bookings?{SPAN}"):
        for figure in figures:
            path = f"{COUNTED}?{SPAN}&figure={figure}&site_id={line['part']}"
            found = await items(room, f"{path}&procedure={line['procedure']}")
            assert len(found) == line[figure], figure
            assert len({each["reference"] for each in found}) == len(found)


async def test_a_day_of_a_site_and_how_long_it_took(room: Reporting) -> None:
    on_day = f"from={DAY}&to={DAY}&site_id={OFFICE}"
    (day,) = (await room.get(f"/v1/reports/sites/days?{on_day}")).json()["items"]
    names = {"seats": "bookings", "seats_missed": "no_shows", "seats_cancelled": "cancelled"}
    for figure in ("seats", "seats_missed", "seats_cancelled", "walk_ins", "served", "deferred"):
        found = await items(room, f"{COUNTED}?{on_day}&figure={figure}")
        assert len(found) == day[names.get(figure, figure)], figure
    times = (await room.get(f"/v1/reports/sites/times?{on_day}")).json()["rows"][0]
    waited = await items(room, f"{COUNTED}?{on_day}&figure=waited")
    assert (len(waited), times["wait_p50"]) == (times["wait_count"], 20.0)
    assert sorted(each["minutes"] for each in waited) == [10.0, 30.0]
    served = await items(room, f"{COUNTED}?{on_day}&figure=service")
    assert len(served) == times["service_count"]


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(
    ("later", "missed"),
    [
        ("booking.fulfilled.v1", 0),  # it was served late
        ("booking.cancelled.v1", 0),  # the citizen came in vain
        ("another", 1),  # a booking made afterwards was kept
    ],
)
async def test_a_missed_booking_is_no_no_show_once_its_citizen_came(
    room: Reporting, later: str, missed: int, *, backwards: bool
) -> None:
    """Number, minutes by day and hour and every list say the same, in any order."""
    number = 70
    case_id = case_of(number)
    own = {"case_id": case_id, "booking_id": BookingId(derived_id("b", case_id)), "site_id": OFFICE}
    other = own | {"booking_id": BookingId(derived_id("b2", case_id))}
    confirmed = SAMPLES["booking.confirmed.v1"].model_copy(
        update=own | {"starts_at": at(11, 20), "minutes": 30, "procedure": CARD}
    )
    gone = SAMPLES["booking.missed.v1"].model_copy(update=own | {"business_date": DAY})
    if later == "another":
        served = SAMPLES["booking.fulfilled.v1"].model_copy(update=other)
    else:
        served = SAMPLES[later].model_copy(update=own)
    day = f"from={DAY}&to={DAY}&site_id={OFFICE}"

    async def figures() -> list[int]:
        (line,) = (await room.get(f"/v1/reports/sites/days?{day}")).json()["items"]
        hours = (await room.get(f"/v1/reports/sites/hours?{day}&limit=100")).json()["items"]
        habits = await items(room, f"/v1/reports/bookings?{SPAN}")
        told_missed = sum(each["missed"] for each in habits if each["part"] == OFFICE)
        seats = await items(room, f"{COUNTED}?{day}&figure=seats_missed")
        lines = await items(room, f"{COUNTED}?{SPAN}&site_id={OFFICE}&figure=missed")
        assert line["no_shows"] == len(seats) == len(lines) == told_missed
        assert sum(each["minutes"] for each in seats) == line["no_show_minutes"]
        assert sum(each["no_show_minutes"] for each in hours) == line["no_show_minutes"]
        return [line["no_shows"], line["no_show_minutes"]]

    before = await figures()
    events = [
        (confirmed, at(12, day=date(2026, 7, 2)), "reservation.events"),
        (gone, at(17), "reservation.events"),
        (served, at(17, 5), "reservation.events"),
    ]
    history = told(events)
    for each in history[::-1] if backwards else history:
        await room.hear([each])
    assert await figures() == [before[0] + missed, before[1] + 30 * missed]


async def test_a_service_counts_before_its_check_in_is_told(room: Reporting) -> None:
    """Topics have no order among them, and a page goes on after such a party."""
    known: dict[str, Any] = {
        "case_id": case_of(60),
        "visit_id": VisitId(derived_id("visit", "early")),
        "site_id": OFFICE,
    }
    events = [
        (VisitCalled(**known, counter="1"), at(10, 5), "issuance.events"),
        (VisitCompleted(**known, procedure=CARD), at(10, 15), "issuance.events"),
    ]
    await room.hear(told(events))
    found = await items(room, f"{COUNTED}?from={DAY}&to={DAY}&site_id={OFFICE}&figure=service")
    assert [(each["at"][11:16], each["minutes"]) for each in found] == [
        ("08:55", 20.0),
        ("09:50", 30.0),
        ("10:05", 10.0),
    ]


async def test_lead_times(reporting: Reporting) -> None:
    await reporting.hear(cards())
    span = "from=2026-03-01&to=2026-05-31"
    lines = (await reporting.get(f"/v1/reports/lead-times?{span}")).json()["items"]
    assert lines
    for line in lines:
        path = f"/v1/reports/cases/lead-times?{span}&span={line['span']}"
        found = await items(reporting, path)
        assert len(found) == line["cases"]
        assert min(each["business_days"] for each in found) <= line["p50"]


@pytest.mark.parametrize(
    "path", [f"{COUNTED}?figure=moved", "/v1/reports/cases/lead-times?span=visit"]
)
async def test_cases_are_for_their_site_s_staff_and_looks_are_written_down(
    room: Reporting, path: str
) -> None:
    assert (await room.get(f"{path}&site_id={SITES[0]}", "own")).status_code == 200
    for refused in (path, f"{path}&site_id={SITES[1]}"):
        assert (await room.get(refused, "own")).status_code == 403
    assert (await room.get(path, "clerk")).status_code == 403
    async with room.database.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM audit_entry") == 1

"""What waits, how long it takes, who comes how: figures by hand, by their sums, and by case."""

import random
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from services.reporting.domain.backlog import running
from services.reporting.events import PROJECTIONS
from services.reporting.store import reports, ways
from shared.contracts.preparation import CardNotified, CardReceived
from shared.contracts.site import CapacityPublished, DayCapacity
from shared.ids import derived_id
from tests.contracts.samples import SAMPLES
from tests.reporting.conftest import Reporting
from tests.reporting.day_story import DAY, LATER, story
from tests.reporting.histories import (
    CARD,
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
from tests.reporting.integration.test_reports import cards
from tests.reporting.strategies import deliveries

ALL = "from=2026-03-01&to=2026-05-31"


async def items(reporting: Reporting, path: str, who: str = "planner") -> list[dict[str, Any]]:
    answer = await reporting.get(path, who)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(deliveries())
async def test_each_day_of_the_backlog_is_that_day_s_totals(
    reporting: Reporting, delivery: tuple[list[Happening], list[list[Happening]]]
) -> None:
    async with reporting.database.transaction() as conn:
        tables = ", ".join(table for each in PROJECTIONS for table in each.tables)
        await conn.execute(f"TRUNCATE {tables}, inbox")
    await reporting.hear(delivery[0])
    first, last = tokyo(2026, 3, 20).date(), tokyo(2026, 4, 20).date()
    async with reporting.database.reader() as conn:
        found = {}
        for each in running(await ways.changes(conn, first, last, None), first, last):
            found[each.day, each.ward] = each.totals
        for number in range(0, (last - first).days + 1, 4):
            day = first + timedelta(days=number)
            ended = tokyo(day.year, day.month, day.day) + timedelta(days=1)
            for ward in await reports.totals(conn, day, ended):
                assert found.pop((day, ward.ward)) == ward.totals
    # What is left are days that were not asked for, and wards that had no case by then.
    assert all(
        (day - first).days % 4 or not any(vars_of(totals)) for (day, _), totals in found.items()
    )


def vars_of(totals: Any) -> list[int]:
    return [getattr(totals, name) for name in totals.__slots__]


async def test_the_backlog_over_http(reporting: Reporting) -> None:
    await reporting.hear(cards())
    path = "/v1/reports/backlog?from=2026-04-01&to=2026-04-30"
    found = await items(reporting, f"{path}&limit=500")
    last = [line for line in found if line["business_date"] == "2026-04-30"]
    assert [line["ward"] for line in last] == [WARDS[0], "sum"]
    assert (last[1]["applied"], last[1]["waiting_for_issuance"], last[1]["ended"]) == (6, 1, 2)
    page = (await reporting.get(f"{path}&limit=7")).json()
    rest = await items(reporting, f"{path}&limit=500&cursor={page['next_cursor']}")
    assert page["items"] + rest == found
    one = await items(reporting, f"{path}&ward={WARDS[0]}&limit=500")
    assert {line["ward"] for line in one} == {WARDS[0]}


async def test_lead_times_over_http(reporting: Reporting) -> None:
    await reporting.hear(cards())
    found = {line["span"]: line for line in await items(reporting, f"/v1/reports/lead-times?{ALL}")}
    assert (found["shipment"]["cases"], found["shipment"]["p50"]) == (5, 0)  # the same day
    assert "preparation" not in found
    wards = await items(reporting, f"/v1/reports/lead-times?{ALL}&by_ward=true")
    assert [line["ward"] for line in wards if line["span"] == "shipment"] == ["sum", WARDS[0]]


def to_collect() -> list[Happening]:
    """Four notified cards: one collected, one past its deadline, one returned, one that expires."""
    history: list[Any] = []
    notice, arrival = SAMPLES["card.notified.v1"], SAMPLES["card.received.v1"]
    assert isinstance(notice, CardNotified)
    assert isinstance(arrival, CardReceived)
    april = tokyo(2026, 4, 1, 9)
    for number in range(4):
        values = {
            "case_id": case_of(number),
            "ward": WARDS[number % 2],
            "site_id": SITES[number % 2],
            "pickup_deadline": tokyo(2026, 6 if number == 1 else 9, 1, 9).date(),
            "card_expires_on": tokyo(2026, 8 if number == 3 else 12, 1, 9).date(),
        }
        came = {"card_expires_on": values["card_expires_on"], "old_card_expires_on": None}
        topic = "preparation.events"
        history += [
            (opened(case_of(number), ward=WARDS[number % 2]), april, topic),
            (arrival.model_copy(update={"case_id": case_of(number)} | came), april, topic),
            (SAMPLES["card.preset.v1"].model_copy(update=values_of(number)), april, topic),
            (notice.model_copy(update=values), april + timedelta(days=1), topic),
        ]
    returned = SAMPLES["card.notice_returned.v1"].model_copy(update=values_of(2))
    history.append((returned, april + timedelta(days=5), "preparation.events"))
    history.append((completed(case_of(0)), april + timedelta(days=20), "issuance.events"))
    return told(history)


def values_of(number: int) -> dict[str, Any]:
    return {"case_id": case_of(number)}


async def test_unclaimed_cards_and_those_about_to_expire(reporting: Reporting) -> None:
    await reporting.hear(to_collect())
    path = "/v1/reports/pickup?date=2026-07-15"
    found = {line["ward"]: line for line in await items(reporting, path)}
    city = found["sum"]
    assert (city["to_collect"], city["not_booked"], city["notice_returned"]) == (3, 3, 1)
    assert (city["past_deadline"], city["card_expires"], city["expired"]) == (1, 1, 0)
    assert found[WARDS[1]]["past_deadline"] == 1
    before = await items(reporting, "/v1/reports/pickup?date=2026-04-10")
    assert before[-1]["to_collect"] == 4
    later = {line["ward"]: line for line in await items(reporting, f"{path[:-10]}2026-08-02")}
    assert (later["sum"]["card_expires"], later["sum"]["expired"]) == (0, 1)


async def test_each_figure_of_the_table_has_its_cases(reporting: Reporting) -> None:
    await reporting.hear(to_collect())
    for line in await items(reporting, "/v1/reports/pickup?date=2026-07-15"):
        ward = "" if line["ward"] == "sum" else f"&ward={line['ward']}"
        for figure in ("to_collect", "not_booked", "notice_returned", "past_deadline", "expired"):
            path = f"/v1/reports/cases/standing?figure={figure}&date=2026-07-15{ward}"
            assert len(await items(reporting, path)) == line[figure]
    path = "/v1/reports/cases/standing?figure=past_deadline&date=2026-07-15"
    (case,) = await items(reporting, path)
    assert (case["case_id"], case["site_id"]) == (str(case_of(1)), SITES[1])
    assert (case["deadline"], case["expires_on"]) == ("2026-06-01", "2026-12-01")


async def test_the_official_totals_have_their_cases_too(reporting: Reporting) -> None:
    await reporting.hear([*cards(), done(900, tokyo(2026, 4, 20), ward=WARDS[1])])
    for day in ("2026-04-15", "2026-04-30"):
        rows = (await reporting.get(f"/v1/reports/totals?date={day}")).json()["rows"]
        for line in rows:
            ward = "" if line["ward"] == "sum" else f"&ward={line['ward']}"
            for figure in sorted(set(line) - {"date", "ward"}):
                path = f"/v1/reports/cases/standing?figure={figure}&date={day}{ward}&limit=500"
                assert len(await items(reporting, path)) == line[figure], (day, figure, ward)
    assert rows[-1]["issued"] > 0


async def test_a_case_is_known_since_its_day_in_japan(reporting: Reporting) -> None:
    early = Happening(opened(case_of(900)), tokyo(2026, 4, 20, 1), 1, "preparation.events")
    await reporting.hear([early, done(900, tokyo(2026, 4, 21))])
    (case,) = await items(reporting, "/v1/reports/cases/standing?figure=issued&date=2026-04-30")
    assert case["since"] == "2026-04-20"


async def test_standing_cases_are_shown_at_one_s_own_site_only(reporting: Reporting) -> None:
    await reporting.hear(to_collect())
    path = "/v1/reports/cases/standing?figure=to_collect"
    assert len(await items(reporting, f"{path}&site_id={SITES[0]}", "own")) == 1
    assert (await reporting.get(path, "own")).status_code == 403
    assert (await reporting.get(f"{path}&site_id={SITES[1]}", "own")).status_code == 403
    async with reporting.database.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM audit_entry") == 1


async def test_how_citizens_come(reporting: Reporting) -> None:
    walked_in = completed(case_of(0), site_id=SITES[0])
    booked = completed(case_of(1), site_id=SITES[0]).model_copy(
        update={"booking_id": SAMPLES["booking.cancelled.v1"].booking_id}  # type: ignore[attr-defined]
    )
    done = [(each, tokyo(2026, 7, 14, 9), "issuance.events") for each in (walked_in, booked)]
    await reporting.hear([*story(), *told(done)])
    path = "/v1/reports/bookings?from=2026-07-01&to=2026-07-31"
    lines = {line["part"]: line for line in await items(reporting, path)}
    office, center = lines[SITES[0]], lines[SITES[1]]
    assert (office["made"], office["moved"], office["moved_by_citizen"]) == (4, 1, 1)
    assert (office["cancelled"], office["cancelled_by_citizen"], office["missed"]) == (1, 1, 1)
    assert (office["completed"], office["out_of_reservation"]) == (2, 1)
    assert (office["change_share"], office["out_of_reservation_share"]) == (0.25, 0.5)
    assert (center["made"], center["completed"]) == (1, 0)
    cases = "/v1/reports/cases?month=2026-07"
    (walk_in,) = await items(reporting, f"{cases}&booked=false")
    assert walk_in["case_id"] == str(case_of(0))
    assert len(await items(reporting, f"{cases}&booked=true")) == 1
    by_ward = await items(reporting, f"{path}&by=ward")
    assert sum(line["completed"] for line in by_ward) == 2
    assert sum(line["made"] for line in by_ward) == 5


async def test_how_the_first_free_day_moved(reporting: Reporting) -> None:
    """As it was told next morning: full for the 14th on the 9th at 0:30, by the 8th's bookings."""
    await reporting.hear(story())
    path = "/v1/reports/first-free?from=2026-07-07&to=2026-07-10"
    found = [line for line in await items(reporting, path) if line["part"] == SITES[0]]
    assert [(line["first_free"], line["days"]) for line in found] == [
        (str(DAY), 7),
        (str(LATER), 12),
        (str(LATER), 11),
        (str(LATER), 10),
    ]
    wards = await items(reporting, f"{path}&by=ward")
    ward = [w for w in wards if w["part"] == WARDS[0] and w["procedure"] == CARD]
    # The center serves every ward, and has room on the 14th.
    assert [line["first_free"] for line in ward] == [str(DAY)] * 4
    # What is booked or told now changes nothing of what was known then.
    now = CapacityPublished(
        site_id=SITES[0],
        procedure=CARD,
        days=(DayCapacity(business_date=DAY, total=18, free=18),),
    )
    await reporting.hear(told([(now, tokyo(2026, 7, 15, 9), "site.events")]))
    again = [line for line in await items(reporting, path) if line["part"] == SITES[0]]
    assert again == found
    # Of the last day there is no next morning: what was told last of it counts.
    last = await items(reporting, f"{path[: path.index('?')]}?from=2026-07-13&to=2026-07-13")
    assert [(line["part"], line["days"]) for line in last] == [(SITES[1], 1), (SITES[0], 7)]
    silent = await items(reporting, "/v1/reports/first-free?from=2026-06-20&to=2026-06-25")
    assert silent == [], "nobody said anything for a week"
    long = await reporting.get("/v1/reports/first-free?from=2026-01-01&to=2026-07-01")
    assert (long.status_code, long.json()["errors"][0]["field"]) == (400, "to")


@pytest.mark.parametrize("seed", [None, 1, 2])
async def test_what_is_free_now_is_what_was_told_less_what_was_booked_since(
    reporting: Reporting, seed: int | None
) -> None:
    """The live figure and that of today are one, after a telling as between two."""
    near, far = date(2026, 7, 16), date(2026, 7, 17)

    def seats(free: int) -> CapacityPublished:
        # Of nine seats some are held, or kept for others: no booking told of them.
        found = tuple(
            DayCapacity(business_date=day, total=9, free=number)
            for day, number in ((near, free), (far, 9))
        )
        return CapacityPublished(site_id=SITES[0], procedure=CARD, days=found)

    def booking(number: int, name: str, day: date = near) -> Any:
        own = {"case_id": case_of(number), "booking_id": derived_id("free", number)}
        values = own | {"site_id": SITES[0], "procedure": CARD, "minutes": 20}
        sample = SAMPLES[f"booking.{name}.v1"]
        values["starts_at"] = tokyo(2026, 7, day.day, 9, 10 * number)
        left = near if day == far else far
        values |= {"previous_site_id": SITES[0], "previous_starts_at": tokyo(2026, 7, left.day, 9)}
        known = {key: each for key, each in values.items() if key in type(sample).model_fields}
        return sample.model_copy(update=known)

    async def first() -> list[str]:
        live = (await reporting.get("/v1/reports/sites/first-free")).json()["rows"]
        path = "/v1/reports/first-free?from=2026-07-15&to=2026-07-15"
        told_of = await items(reporting, path)
        assert [row["first_free"] for row in live] == [line["first_free"] for line in told_of]
        return [row["first_free"] for row in live]

    morning = tokyo(2026, 7, 15, 0, 30)
    before = tokyo(2026, 7, 14, 9)
    steps = [
        ([(seats(2), morning), (booking(0, "confirmed"), before)], near),
        ([(booking(1, "confirmed"), tokyo(2026, 7, 15, 9))], near),
        ([(booking(2, "confirmed"), tokyo(2026, 7, 15, 10))], far),
        ([(booking(0, "cancelled"), tokyo(2026, 7, 15, 11))], near),
        ([(seats(0), tokyo(2026, 7, 15, 11, 30))], far),
        # Only the seat that a booking had when it was told is given back, and once.
        ([(booking(1, "moved", far), tokyo(2026, 7, 15, 12, 0))], near),
        ([(booking(1, "moved", near), tokyo(2026, 7, 15, 12, 10))], far),
        ([(booking(1, "moved", far), tokyo(2026, 7, 15, 12, 20))], near),
        ([(booking(3, "confirmed"), tokyo(2026, 7, 15, 12, 30))], far),
        ([(booking(3, "moved", far), tokyo(2026, 7, 15, 12, 40))], near),
        ([(booking(1, "cancelled", far), tokyo(2026, 7, 15, 12, 50))], near),
        ([(booking(4, "confirmed"), tokyo(2026, 7, 15, 13))], far),
    ]
    heard: list[Happening] = []
    for events, expected in steps:
        heard += told([(event, at, event.topic or "") for event, at in events])
        if seed is None:
            await reporting.hear(heard)
            assert await first() == [str(expected)]
    shuffled = random.Random(seed).sample(heard, len(heard))
    for each in shuffled:
        await reporting.hear([each])
    assert await first() == [str(far)]


@pytest.mark.parametrize(
    ("told_at", "near", "days"),
    [
        pytest.param(tokyo(2026, 7, 2, 0, 30), 3, 19, id="the next morning tells of the day"),
        pytest.param(tokyo(2026, 7, 2, 0, 30), 13, 19, id="also where no day is near"),
        pytest.param(tokyo(2026, 7, 2, 13), 3, 13, id="what is told later is of the next day"),
        pytest.param(tokyo(2026, 7, 1, 15), 3, 19, id="without a morning the latest of the day"),
    ],
)
async def test_an_evening_knows_what_its_day_booked(
    reporting: Reporting, told_at: datetime, near: int, days: int
) -> None:
    def seats(left: int) -> CapacityPublished:
        found = tuple(
            DayCapacity(business_date=day, total=9, free=number)
            for day, number in ((date(2026, 7, near), 0), (DAY, left), (LATER, 9))
        )
        return CapacityPublished(site_id=SITES[0], procedure=CARD, days=found)

    # A site that tells first on the next morning was not there yet.
    events = [(seats(9), tokyo(2026, 7, 1, 0, 30)), (seats(0), told_at)]
    other = seats(9).model_copy(update={"site_id": SITES[1]})
    events += [(other, tokyo(2026, 7, 2, 10)), (seats(9), tokyo(2026, 7, 3, 0, 30))]
    await reporting.hear(told([(event, at, "site.events") for event, at in events]))
    path = "/v1/reports/first-free?from=2026-07-01&to=2026-07-01"
    (line,) = await items(reporting, path)
    assert (line["part"], line["days"]) == (SITES[0], days)


@pytest.mark.parametrize(
    "path", ["backlog", "lead-times", "pickup", "bookings", "first-free", "searches"]
)
async def test_files_and_tags(reporting: Reporting, path: str) -> None:
    await reporting.hear([*cards(), *story()])
    answer = await reporting.get(f"/v1/reports/{path}")
    again = await reporting.get(f"/v1/reports/{path}", if_none_match=answer.headers["etag"])
    assert again.status_code == 304
    file = await reporting.get(f"/v1/reports/{path}?format=csv&bom=true", accept_language="ja")
    assert file.content.startswith(b"\xef\xbb\xbf")
    assert (await reporting.get(f"/v1/reports/{path}", "clerk")).status_code == 403

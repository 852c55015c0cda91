"""Alerts: months that leave the band of their forecast, sites that need somebody."""

import asyncio
from datetime import date
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.alerts import TITLES, Alert, AlertKind, forecast_alerts
from services.reporting.domain.monthly import Counts
from services.reporting.handlers import alert_history, alerts, forecasts
from services.reporting.handlers.alerts import Watch
from services.reporting.handlers.forecasts import Present
from shared.calendar import BusinessCalendar, business_date
from shared.security.principal import Principal
from shared.unit import Unit
from tests.reporting.conftest import Reporting, bearer
from tests.reporting.day_story import DAY, LATER, OFFICE, at, story
from tests.reporting.histories import CARD, RENEWAL, case_of, done, tokyo

APRIL, MAY, JULY = (tokyo(2026, month, 1, 12).date() for month in (4, 5, 7))
HEAD = "month,service,basis,count\n"
NUMBERS = st.dictionaries(
    st.tuples(st.sampled_from([APRIL, MAY, JULY]), st.sampled_from([CARD, RENEWAL])),
    st.integers(0, 100),
)


async def items(reporting: Reporting, path: str) -> list[dict[str, Any]]:
    answer = await reporting.get(path)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_a_month_far_from_its_forecast_is_an_alert(reporting: Reporting) -> None:
    body = HEAD + "".join(
        f"2026-{month:02},card_issuance,forecast,{count}\n"
        for month, count in ((4, 10), (5, 2), (7, 1), (8, 9))
    )
    await reporting.client.post(
        "/v1/forecasts:import", content=body.encode(), headers=bearer("planner")
    )
    assert await items(reporting, "/v1/alerts") == []  # before anything is known, nothing is wrong
    april, may, july = tokyo(2026, 4, 10), tokyo(2026, 5, 10), tokyo(2026, 7, 10)
    await reporting.hear(
        [
            *(done(n, april) for n in range(9)),
            *(done(10 + n, may) for n in range(3)),
            *(done(20 + n, july) for n in range(2)),
        ]
    )
    found = await items(reporting, "/v1/alerts")
    assert [(each["kind"], each["subject"]) for each in found] == [
        ("forecast_left", "1/2026-05/card_issuance"),
        ("forecast_passed", "1/2026-07/card_issuance"),
    ]
    assert found[0]["since"] == "2026-06-01T00:00:00+09:00"
    assert (found[0]["figures"]["forecast"], found[0]["figures"]["actual"]) == (2, 3)
    page = (await reporting.get("/v1/alerts?limit=1")).json()
    assert await items(reporting, f"/v1/alerts?cursor={page['next_cursor']}") == found[1:]
    answer = await reporting.get("/v1/alerts?kind=forecast_left")
    again = await reporting.get(
        "/v1/alerts?kind=forecast_left", if_none_match=answer.headers["etag"]
    )
    assert (len(answer.json()["items"]), again.status_code) == (1, 304)
    file = await reporting.get("/v1/alerts?format=csv", accept_language="ja")
    assert "実績が予想の範囲を外れました" in file.text


async def test_a_site_in_need_is_an_alert(reporting: Reporting) -> None:
    await reporting.hear(story())
    noon_before = tokyo(DAY.year, DAY.month, DAY.day, 11, 30)
    reporting.clock.advance(noon_before - reporting.clock.now())
    found = await items(reporting, "/v1/alerts")
    # Two parties came at 10:40 without a booking and nobody has called them.
    assert {"late_transfer", "long_wait"} <= {each["kind"] for each in found}
    assert {each["site_id"] for each in found} == {"minami-office"}
    assert await items(reporting, "/v1/alerts?site_id=kita-center") == []


@given(NUMBERS, NUMBERS)
def test_only_months_with_both_numbers_are_judged(expected: Counts, came: Counts) -> None:
    for alert in forecast_alerts(1, expected, came, JULY, 0.15):
        hoped, actual = alert.figures["forecast"], alert.figures["actual"]
        assert isinstance(hoped, int)
        assert isinstance(actual, int)
        assert abs(actual - hoped) > 0.15 * hoped
        assert alert.kind is AlertKind.FORECAST_LEFT or actual > hoped


def test_every_kind_has_words() -> None:
    assert set(TITLES) == set(AlertKind)


async def look(reporting: Reporting) -> None:
    """What the consume process does once a minute."""
    async with reporting.units.begin(Principal.system("reporting")) as unit:
        await alert_history.look(unit, Watch(business_date(unit.now), 0.15, BusinessCalendar()))


async def test_what_the_page_of_today_shows_is_kept_too(reporting: Reporting) -> None:
    reporting.clock.set(at(11))
    await reporting.hear(story())
    page = "/dashboard/today?lang=en"
    assert (await reporting.get(page)).status_code == 200
    kept = await items(reporting, f"/v1/alerts/history?from={DAY}&to={DAY}")
    assert {each["site_id"] for each in kept} == {OFFICE}
    assert {each["closed_at"] for each in kept} == {None}
    # Another language is another reading, and finds them open.
    assert (await reporting.get("/dashboard/today?lang=ja")).status_code == 200
    assert await items(reporting, f"/v1/alerts/history?from={DAY}&to={DAY}") == kept
    assert {each["alert_id"] for each in await items(reporting, "/v1/alerts")} == {
        each["alert_id"] for each in kept
    }


async def test_what_somebody_was_shown_is_kept_however_short_it_was(reporting: Reporting) -> None:
    reporting.clock.set(at(11))
    await reporting.hear(story())
    shown = await items(reporting, "/v1/alerts")  # no look of the consumer has seen it
    assert shown
    history = f"/v1/alerts/history?from={DAY}&to={DAY}"
    kept = {each["alert_id"]: each for each in await items(reporting, history)}
    assert set(kept) == {each["alert_id"] for each in shown}
    assert {each["closed_at"] for each in kept.values()} == {None}
    again = await items(reporting, "/v1/alerts")
    assert [each["alert_id"] for each in again] == [each["alert_id"] for each in shown]
    # The facts are gone before the next look, which ends it.
    reporting.clock.set(at(11, 1))
    async with reporting.database.transaction() as conn:
        await conn.execute("TRUNCATE visit_fact, transfer_fact, site_suspension")
    async with reporting.units.begin(Principal.system("reporting")) as unit:
        await alert_history.look(unit, Watch(DAY, 0.15, BusinessCalendar()))
    ended = await items(reporting, history)
    assert {each["alert_id"] for each in ended} == set(kept)
    assert None not in {each["closed_at"] for each in ended}


async def acknowledge(reporting: Reporting, alert_id: str, who: str) -> httpx.Response:
    path = f"/v1/alerts/{alert_id}:acknowledge"
    return await reporting.client.post(path, headers=bearer(who))


_WAITS = """
SELECT EXISTS (
    SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = database
    WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted
)
"""
HISTORY = "/v1/alerts/history?from=2026-07-14&to=2026-07-14"


async def test_what_there_was_is_kept_with_who_took_note(reporting: Reporting) -> None:
    await reporting.hear(story())
    reporting.clock.set(at(11, 30))
    await asyncio.gather(*(look(reporting) for _ in range(4)))
    kept = await items(reporting, HISTORY)
    now = await items(reporting, "/v1/alerts")
    assert len(kept) == len(now) > 1
    assert {each["alert_id"] for each in kept} == {each["alert_id"] for each in now}
    (waits,) = [each for each in kept if each["kind"] == "long_wait"]
    assert (waits["opened_at"], waits["closed_at"]) == ("2026-07-14T11:30:00+09:00", None)
    own = waits["alert_id"]
    assert (await acknowledge(reporting, own, "back_office")).status_code == 403
    assert (await acknowledge(reporting, str(case_of(1)), "planner")).status_code == 404
    first = await acknowledge(reporting, own, "own")
    assert first.json()["acknowledged_by"] == "staff:own"
    assert (await acknowledge(reporting, own, "planner")).json() == first.json()
    (told,) = await items(reporting, "/v1/alerts?kind=long_wait")
    assert told["acknowledged_by"] == "staff:own"
    async with reporting.database.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM audit_entry") == 1
    # A day later nobody waits any more; a card that is late is still late.
    reporting.clock.set(at(9, day=LATER))
    await look(reporting)
    closed = await items(reporting, f"{HISTORY}&state=closed")
    assert own in {each["alert_id"] for each in closed}
    assert {each["kind"] for each in await items(reporting, f"{HISTORY}&state=open")} == {
        "late_transfer"
    }
    reporting.clock.set(at(11, 40))
    await look(reporting)
    assert len(await items(reporting, f"{HISTORY}&kind=long_wait")) == 2


async def test_the_city_s_alerts_are_for_planners_and_those_of_every_site(
    reporting: Reporting,
) -> None:
    body = HEAD + "2026-05,card_issuance,forecast,1\n"
    sent = await reporting.client.post(
        "/v1/forecasts:import", content=body.encode(), headers=bearer("planner")
    )
    assert sent.is_success, sent.text
    await reporting.hear([done(number, tokyo(2026, 5, 1)) for number in range(9)])
    await look(reporting)
    (alert,) = await items(reporting, "/v1/alerts/history?from=2026-07-15&to=2026-07-15")
    assert (alert["kind"], alert["site_id"]) == ("forecast_left", None)
    for who, status in (("own", 403), ("supervisor", 200), ("planner", 200)):
        assert (await acknowledge(reporting, alert["alert_id"], who)).status_code == status


async def test_who_looked_first_writes_first(
    reporting: Reporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what the first saw, and is over since, would be opened after the second closed it."""
    seen, go = asyncio.Event(), asyncio.Event()

    async def detect(_: Unit, __: Watch) -> list[Alert]:
        if seen.is_set():
            return []
        seen.set()
        await go.wait()
        return [Alert(AlertKind.LONG_WAIT, OFFICE, None, OFFICE)]

    monkeypatch.setattr(alerts, "DETECTORS", (detect,))
    first = asyncio.create_task(look(reporting))
    await seen.wait()
    second = asyncio.create_task(look(reporting))
    async with reporting.database.reader() as conn:
        while not second.done() and not await conn.fetchval(_WAITS):  # noqa: ASYNC110  of the database
            await asyncio.sleep(0.01)
    go.set()
    await asyncio.gather(first, second)
    path = "/v1/alerts/history?from=2026-07-15&to=2026-07-15"
    assert [each["closed_at"] is None for each in await items(reporting, path)] == [False]


async def test_only_the_forecast_s_months_are_counted(reporting: Reporting) -> None:
    await reporting.hear([done(month, tokyo(2026, month, 10)) for month in (4, 5, 7)])
    async with reporting.units.begin(Principal.system("reporting")) as unit:
        found = await forecasts.known(
            unit, Present(JULY, BusinessCalendar()), (MAY, date(2026, 6, 1))
        )
    assert {month.month for month, _ in found.counts} == {5}, "of June nothing was told"
    assert sum(found.counts.values()) == 1


async def test_the_history_comes_in_pages_and_files(reporting: Reporting) -> None:
    await reporting.hear(story())
    reporting.clock.set(at(11, 30))
    await look(reporting)
    whole = await items(reporting, HISTORY)
    page = (await reporting.get(f"{HISTORY}&limit=1")).json()
    rest = await items(reporting, f"{HISTORY}&cursor={page['next_cursor']}")
    assert page["items"] + rest == whole
    answer = await reporting.get(HISTORY)
    again = await reporting.get(HISTORY, if_none_match=answer.headers["etag"])
    assert again.status_code == 304
    file = await reporting.get(f"{HISTORY}&format=csv", accept_language="ja")
    assert len(file.text.splitlines()) == len(whole) + 1
    assert await items(reporting, "/v1/alerts/history?from=2026-07-15&to=2026-07-15") == whole
    assert await items(reporting, "/v1/alerts/history?from=2026-07-12&to=2026-07-13") == []

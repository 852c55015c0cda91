"""Alerts: months that leave the band of their forecast, sites that need somebody."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.alerts import TITLES, AlertKind, forecast_alerts
from services.reporting.domain.monthly import Counts
from tests.reporting.conftest import Reporting, bearer
from tests.reporting.day_story import DAY, story
from tests.reporting.histories import CARD, RENEWAL, done, tokyo

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
    assert "実績が予測の範囲を外れました" in file.text


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

"""Equity over HTTP, and the city's wards, of which nothing stands in code."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.contracts.place import SiteKind
from shared.contracts.site import SiteOpened
from tests.contracts.samples import SITE
from tests.reporting.conftest import Reporting, bearer
from tests.reporting.day_story import story
from tests.reporting.histories import RENEWAL, Happening, done, tokyo, told

WARDS_FILE = Path(__file__).parents[3] / "simulation/data/wards.csv"
USERS = {"141348": 30, "141364": 20, "141330": 16, "141313": 12, "141321": 8, "141356": 8}
JULY = "from=2026-07-01&to=2026-07-15"


def the_center_s_users() -> list[Happening]:
    """66 of 99 users of the center live in the three wards around it."""
    center = SITE.model_copy(
        update={
            "site_id": "center-ksp",
            "kind": SiteKind.CENTER,
            "ward": "141348",
            "latitude": 35.592,
            "longitude": 139.618,
        }
    )
    opening = (SiteOpened(site=center), tokyo(2026, 4, 1), "site.events")
    wards = [ward for ward, count in (USERS | {"141372": 5}).items() for _ in range(count)]
    at = tokyo(2026, 7, 10, 12)
    return [
        *told([opening]),
        *(done(n, at, ward=ward, site_id="center-ksp") for n, ward in enumerate(wards)),
    ]


async def send(reporting: Reporting, body: bytes, query: str = "") -> httpx.Response:
    return await reporting.client.post(
        f"/v1/wards:import{query}", content=body, headers=bearer("planner")
    )


async def items(reporting: Reporting, path: str) -> list[dict[str, Any]]:
    answer = await reporting.get(path)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_two_thirds_of_the_center_s_users_come_from_three_wards(
    reporting: Reporting,
) -> None:
    await send(reporting, WARDS_FILE.read_bytes())
    await reporting.hear(the_center_s_users())
    lines = await items(reporting, f"/v1/equity/sites?{JULY}")
    assert [line["ward"] for line in lines[:3]] == ["141348", "141364", "141330"]
    assert lines[2]["cumulative_share"] == pytest.approx(2 / 3, abs=1e-4)
    # And these three are the ones that lie near: within about four kilometres.
    near = {line["ward"] for line in lines if line["distance_km"] <= 4}
    assert near == {"141348", "141364", "141330"}
    wards = {line["ward"]: line for line in await items(reporting, f"/v1/equity?{JULY}")}
    assert len(wards) == 7
    assert (wards["141348"]["near_share"], wards["141348"]["own_ward_share"]) == (1, 1)
    assert (wards["141313"]["near_share"], wards["141313"]["center_share"]) == (0, 1)
    wider = {w["ward"]: w for w in await items(reporting, f"/v1/equity?{JULY}&near_km=20")}
    assert wider["141313"]["near_share"] == 1


async def test_how_uneven_it_is(reporting: Reporting) -> None:
    await send(reporting, WARDS_FILE.read_bytes())
    await reporting.hear(the_center_s_users())
    found = {
        line["measure"]: line for line in await items(reporting, f"/v1/equity/measures?{JULY}")
    }
    assert found["distance_km"]["least_ward"] == "141348"
    assert found["distance_km"]["most_ward"] == "141313"
    assert found["distance_km"]["ratio"] > 5
    assert 0 < found["distance_km"]["gini"] < 1
    assert found["center_share"]["gini"] == 0


async def test_days_to_the_first_free_day(reporting: Reporting) -> None:
    await reporting.hear(story())
    (first, second) = await items(reporting, "/v1/equity?from=2026-07-10&to=2026-07-11")
    # Seats on the 14th: 4 days from the 10th and 3 from the 11th, in both wards.
    assert [first["days_to_first_free"], second["days_to_first_free"]] == [3.5, 3.5]
    renewals = await items(reporting, f"/v1/equity?{JULY}&procedure={RENEWAL}")
    assert {line["days_to_first_free"] for line in renewals} == {None}


async def test_wards_are_the_city_s_own(reporting: Reporting) -> None:
    tried = (await send(reporting, WARDS_FILE.read_bytes(), "?dry_run=true")).json()
    assert (tried["outcome"], tried["changed"]) == ("dry_run", 7)
    assert await items(reporting, "/v1/wards") == []
    made = (await send(reporting, WARDS_FILE.read_bytes())).json()
    assert (made["outcome"], made["rows"], made["changed"]) == ("imported", 7, 7)
    again = (await send(reporting, WARDS_FILE.read_bytes())).json()
    assert (again["outcome"], again["changed"]) == ("unchanged", 0)
    found = await items(reporting, "/v1/wards?limit=1")
    assert found[0]["code"] == "141313"


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("141314,川崎区,35.5,139.7", "code"),
        ("141313,,35.5,139.7", "name"),
        ("141313,川崎区,91,139.7", "office_latitude"),
        ("141313,川崎区,35.5,nan", "office_longitude"),
        ("141321,川崎区,35.5,139.7", "code"),
    ],
)
async def test_a_wrong_row_is_told_by_its_column(
    reporting: Reporting, row: str, field: str
) -> None:
    head = "code,name,office_latitude,office_longitude\n141321,幸区,35.5,139.7\n"
    answer = (await send(reporting, (head + row + "\n").encode())).json()
    assert answer["outcome"] == "refused"
    assert answer["results"][1]["refusal"]["errors"][0]["field"] == field
    assert await items(reporting, "/v1/wards") == []

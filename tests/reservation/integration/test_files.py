"""Files in and out: sites and hours, sample data, and the bookings of another system."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.clock import FixedClock
from shared.db import Database
from tests.reservation.support import (
    NUMBER,
    OTHER_SITE,
    SITE,
    bearer,
    case,
    counts,
    events_of,
    invite,
    make_site,
    open_site,
)

DATA = Path(__file__).parents[3] / "simulation" / "data"
TABLES = {"sites": "sites", "hours": "site_hours", "acceptance": "site_acceptance"}
HOURS = "site_id,weekday,opens,closes,occurrences\n"
BOOKINGS = "notice_number,case_id,site_id,starts_at,minutes\n"


async def send(
    client: httpx.AsyncClient, path: str, body: str | bytes, **query: Any
) -> dict[str, Any]:
    """Import a file."""
    content = body.encode() if isinstance(body, str) else body
    headers = {**bearer("planner"), "Content-Type": "text/csv", "Accept-Language": "en"}
    answer = await client.post(f"/v1/{path}", content=content, headers=headers, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def outcomes(found: dict[str, Any]) -> list[str]:
    """What became of each row."""
    return [row["outcome"] for row in found["results"]]


async def test_the_sample_data_is_taken_opens_and_comes_out_again(
    client: httpx.AsyncClient, database: Database
) -> None:
    for table, name in TABLES.items():
        file = (DATA / f"{name}.csv").read_bytes()
        dry = await send(client, "sites:import", file, table=table, dry_run=True)
        done = await send(client, "sites:import", file, table=table)
        assert outcomes(done) == outcomes(dry)
        assert done["refused"] == 0, done["results"]
        again = await send(client, "sites:import", file, table=table)
        assert set(outcomes(again)) == {"unchanged"}
    sites = (await client.get("/v1/sites")).json()["items"]
    kinds = [site["kind"] for site in sites]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "ward_office": 7, "center": 1, "temporary_window": 3, "satellite": 3
    }  # fmt: skip
    for site in sites:
        path = f"/v1/sites/{site['site_id']}:open"
        opened = await client.post(path, headers=bearer("planner"))
        assert opened.status_code == 200, opened.text
    asked = {"procedure": "card_issuance", "ward": "141330", "from": "2026-04-02",
             "to": "2026-04-08", "starts": "false"}  # fmt: skip
    found = (await client.get("/v1/availability", params=asked)).json()["sites"]
    assert len(found) == 1 + 1 + 3 + 3  # ward office, center, windows, satellites
    for table in ("sites", "hours", "exceptions", "staff", "acceptance"):
        out = await client.get("/v1/sites:export", params={"table": table, "format": "csv"})
        if table in TABLES:
            back = await send(client, "sites:import", out.content, table=table)
            assert set(outcomes(back)) == {"unchanged"}


async def test_a_dry_run_changes_nothing(client: httpx.AsyncClient, database: Database) -> None:
    file = (DATA / "sites.csv").read_bytes()
    found = await send(client, "sites:import", file, table="sites", dry_run=True)
    assert set(outcomes(found)) == {"created"}
    assert (await client.get("/v1/sites")).json()["items"] == []
    assert await events_of(database) == []


async def test_each_row_that_is_refused_says_field_and_remedy(
    client: httpx.AsyncClient, database: Database
) -> None:
    await open_site(database)
    await open_site(database, make_site(OTHER_SITE))
    rows = (
        f"{SITE},monday,8:30,17:00,\n"
        f"{SITE},tuesday,09:00,17:00,\n"
        f"{OTHER_SITE},monday,17:00,09:00,\n"
        "nowhere,monday,09:00,17:00,\n"
        "UPPER,monday,09:00,17:00,\n"
    )
    found = await send(client, "sites:import", HOURS + rows, table="hours")
    assert outcomes(found) == ["refused"] * 5
    codes = [row["refusal"]["code"] for row in found["results"]]
    assert codes == [
        "invalid-row", "other-rows-refused", "site-unsound", "no-such-site", "invalid-row"
    ]  # fmt: skip
    first, third = found["results"][0]["refusal"], found["results"][2]["refusal"]
    assert first["errors"][0]["field"] == "opens"
    assert third["errors"][0]["message"] == "Must end after it begins."
    assert all(row["refusal"]["errors"][0]["remedy"] for row in found["results"])
    assert [row["line"] for row in found["results"]] == [2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "file-columns"),
        (b"site_id,weekday\n", "file-columns"),
        (b"\xff\xfe\x00", "file-unreadable"),
        (HOURS.encode(), "file-unreadable"),
        (HOURS.encode() + b'"open', "file-unreadable"),
    ],
)
async def test_a_file_that_is_none_is_refused(
    client: httpx.AsyncClient, body: bytes, problem: str
) -> None:
    answer = await client.post(
        "/v1/sites:import", content=body, params={"table": "hours"}, headers=bearer("planner")
    )
    assert answer.status_code == 422
    assert answer.json()["type"] == f"urn:madoguchi:problem:{problem}"


async def test_a_planner_changes_only_own_sites(
    client: httpx.AsyncClient, database: Database
) -> None:
    refused = await client.post(
        "/v1/sites:import", content=b"x", params={"table": "hours"}, headers=bearer("clerk")
    )
    assert refused.status_code == 403


async def test_bookings_are_taken_over_once_with_a_reason_for_each_that_is_not(
    client: httpx.AsyncClient, database: Database, clock: FixedClock
) -> None:
    await open_site(database)
    mine, other, ended = case("mine"), case("other"), case("ended")
    await invite(database, mine)
    await invite(database, other, ended, number="AAA-000002")
    rows = (
        f"{NUMBER},,{SITE},2026-04-02T09:00,\n"
        f",{other},{SITE},2026-04-03T09:00:00+09:00,30\n"
        f",{other},{SITE},2026-04-03T10:00,\n"
        f"ZZZ-999999,,{SITE},2026-04-02T09:00,\n"
        f",{ended},{SITE},2026-03-31T09:00,\n"
        f",{ended},{SITE},2026-04-02T13:00,\n"
        f",,{SITE},2026-04-02T09:00,\n"
        f",{ended},nowhere,2026-04-02T09:00,\n"
        f",{ended},{SITE},9999-12-31T23:59:00-09:00,\n"
    )
    dry = await send(client, "bookings:import", BOOKINGS + rows, dry_run=True)
    assert (dry["booked"], await events_of(database, mine)) == (3, [])
    found = await send(client, "bookings:import", BOOKINGS + rows)
    assert outcomes(found) == ["booked", "booked", *["refused"] * 7]
    assert [row["refusal"]["code"] for row in found["results"][2:]] == [
        "already-booked", "no-such-notice", "booking-ended", "no-such-slot", "invalid-row",
        "no-such-site", "invalid-row",
    ]  # fmt: skip
    assert await events_of(database, mine) == ["booking.confirmed.v1"]
    again = await send(client, "bookings:import", BOOKINGS + rows)
    assert outcomes(again) == ["unchanged", "unchanged", *["refused"] * 7]
    assert await events_of(database, mine) == ["booking.confirmed.v1"]
    assert all(booked == accounted for booked, accounted in await counts(database))
    async with database.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM message") == 0
        assert await conn.fetchval("SELECT sum(booked) FROM cell") == 2 + 3


async def test_no_seat_is_sold_twice_at_cut_over(
    client: httpx.AsyncClient, database: Database
) -> None:
    await open_site(database)
    cases = [case("cut", number) for number in range(4)]
    await invite(database, *cases)
    rows = "".join(f",{one},{SITE},2026-04-02T09:00,\n" for one in cases)
    found = await send(client, "bookings:import", BOOKINGS + rows)
    assert outcomes(found) == ["booked", "booked", "refused", "refused"]
    assert found["results"][3]["refusal"]["code"] == "slot-taken"


async def test_a_my_number_in_a_file_is_refused_and_not_repeated(
    client: httpx.AsyncClient, database: Database
) -> None:
    await open_site(database)
    number = "123456789018"
    found = await send(
        client, "bookings:import", BOOKINGS + f"{number},,{SITE},2026-04-02T09:00,\n"
    )
    assert outcomes(found) == ["refused"]
    assert found["results"][0]["refusal"]["errors"][0]["field"] == "notice_number"
    assert number not in str(found)

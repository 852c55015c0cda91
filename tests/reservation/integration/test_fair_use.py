"""Nobody learns by trying: limits count before a try, and every failure is the same work."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from services.reservation.api import build
from services.reservation.domain.fair_use import Limit
from services.reservation.handlers import fair_use
from shared.clock import FixedClock
from shared.db import Database
from shared.ids import derived_id
from shared.security.principal import Principal
from tests.reservation.support import (
    NUMBER,
    bearer,
    case,
    hear,
    invite,
    issued,
    notified,
    open_site,
    resources,
    told,
    units,
)

RIGHT = {"notice_number": NUMBER, "birth_date": "1990-02-03"}
ENDED, REPLACED = "7K2-481900", "7K2-481901"
FAILURES = {
    "unknown number": {**RIGHT, "notice_number": "AAA-000000"},
    "wrong birth date": {**RIGHT, "birth_date": "1990-02-04"},
    "wrong birth date of an ended case": {"notice_number": ENDED, "birth_date": "1990-02-04"},
    "notice that another has replaced": {"notice_number": REPLACED, "birth_date": "1990-02-03"},
}
Ask = Callable[[dict[str, str]], Awaitable[httpx.Response]]


@pytest.fixture
async def ask(client: httpx.AsyncClient, database: Database) -> Ask:
    """Try to log in where some citizens are invited."""
    await invite(database, case("mine"))
    await invite(database, case("ended"), number=ENDED)
    await hear(database, told(issued(case("ended")), 2))
    await invite(database, case("replaced"), number=REPLACED)
    second = notified(case("replaced"), number="7K2-481902", notice_seq=2)
    await hear(database, told(second, 2))

    async def log_in(body: dict[str, str]) -> httpx.Response:
        return await client.post("/v1/sessions", json=body)

    return log_in


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that goes to the database, in order."""
    seen: list[str] = []
    for name in ("fetch", "fetchrow", "fetchval", "execute", "executemany"):
        real = getattr(asyncpg.Connection, name)

        def spy(self: Any, query: str, *args: Any, _real: Any = real, **named: Any) -> Any:
            seen.append(query)
            return _real(self, query, *args, **named)

        monkeypatch.setattr(asyncpg.Connection, name, spy)
    return seen


async def test_every_failed_login_is_the_same_work_and_the_same_answer(
    ask: Ask, statements: list[str]
) -> None:
    await ask(FAILURES["unknown number"])
    works, answers = {}, {}
    for kind, body in FAILURES.items():
        statements.clear()
        answer = await ask(body)
        works[kind] = list(statements)
        headers = {k: v for k, v in answer.headers.items() if k not in ("x-request-id", "date")}
        answers[kind] = (answer.status_code, {**answer.json(), "instance": None}, headers)
    first = next(iter(FAILURES))
    assert len(works[first]) > 3
    for kind in FAILURES:
        assert works[kind] == works[first], kind
        assert answers[kind] == answers[first], kind


async def test_every_failed_login_by_email_is_the_same_work(
    client: httpx.AsyncClient, database: Database, statements: list[str]
) -> None:
    asked = await client.post("/v1/sessions:request", json={"email": "a@mail.example"})
    wrong = {"request_id": asked.json()["request_id"], "code": "00000000"}
    unknown = {"request_id": str(derived_id("nobody")), "code": "00000000"}
    works = []
    for body in (unknown, wrong, unknown, wrong):
        statements.clear()
        assert (await client.post("/v1/sessions:confirm", json=body)).status_code == 401
        works.append(list(statements))
    assert works[0] == works[1] == works[2] == works[3]


async def test_asking_for_a_code_is_the_same_work_for_known_and_unknown(
    client: httpx.AsyncClient, database: Database, statements: list[str]
) -> None:
    works = []
    for email in ("new@mail.example", "known@mail.example", "known@mail.example"):
        statements.clear()
        await client.post("/v1/sessions:request", json={"email": email})
        works.append(list(statements))
    assert works[0] == works[1] == works[2]


async def test_a_number_can_be_tried_ten_times_known_or_not(ask: Ask) -> None:
    for body in (FAILURES["wrong birth date"], FAILURES["unknown number"]):
        tries = [(await ask(body)).status_code for _ in range(11)]
        assert tries == [401] * 10 + [429]
    late = await ask(RIGHT)
    assert (late.status_code, late.json()["type"]) == (429, "urn:madoguchi:problem:too-many-tries")
    assert 0 < int(late.headers["retry-after"]) <= 15 * 60
    other = await ask({**RIGHT, "notice_number": "7K2-481902"})
    assert other.status_code == 201, "another number is not concerned"


async def test_what_succeeds_is_no_try(ask: Ask) -> None:
    for _ in range(15):
        assert (await ask(RIGHT)).status_code == 201


async def test_many_at_once_do_not_pass_together(ask: Ask) -> None:
    answers = await asyncio.gather(*(ask(FAILURES["wrong birth date"]) for _ in range(30)))
    assert sorted(answer.status_code for answer in answers) == [401] * 10 + [429] * 20


async def test_a_network_address_has_a_limit_of_its_own(
    database: Database,
    clock: FixedClock,
    key_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MADOGUCHI_RESERVATION_LOGIN_TRIES_PER_ADDRESS", "5")
    app = build(resources(database, clock, key_file))

    async def tries(host: str, count: int) -> list[int]:
        transport = httpx.ASGITransport(app, client=(host, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            bodies = [{**RIGHT, "notice_number": f"AAA-{n:06}"} for n in range(count)]
            return [(await client.post("/v1/sessions", json=b)).status_code for b in bodies]

    assert await tries("192.0.2.1", 7) == [401] * 5 + [429] * 2
    async with database.reader() as conn:
        rows = await conn.fetchval("SELECT count(*) FROM fair_use")
    assert rows == 1 + 5, "who is refused leaves nothing behind"
    assert await tries("192.0.2.2", 1) == [401]
    assert await tries("2001:db8:0:1::1", 5) == [401] * 5
    assert await tries("2001:db8:0:1:ffff::2", 1) == [429], "one subscriber has 64 bits"
    assert await tries("2001:db8:0:2::1", 1) == [401]


async def test_staff_behind_one_address_write_down_more_contacts_than_a_household(
    database: Database,
    clock: FixedClock,
    key_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MADOGUCHI_RESERVATION_CODES_PER_ADDRESS", "2")
    await open_site(database)
    await invite(database, case("mine"))
    transport = httpx.ASGITransport(build(resources(database, clock, key_file)))

    async def kept(client: httpx.AsyncClient, who: str, number: int) -> int:
        body = {"email": f"{who}{number}@mail.example"}
        path = f"/v1/contacts/{case('mine')}"
        return (await client.put(path, json=body, headers=bearer(who))).status_code

    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert [await kept(client, "clerk", number) for number in range(4)] == [200] * 4
        wishes = [{"email": f"me{number}@mail.example"} for number in range(3)]
        asked = [await client.post("/v1/sessions:request", json=wish) for wish in wishes]
    assert [answer.status_code for answer in asked] == [202, 202, 429]


async def test_a_session_changes_so_much_and_reads_on(
    database: Database,
    clock: FixedClock,
    key_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MADOGUCHI_RESERVATION_SESSION_CHANGES", "3")
    await invite(database, case("mine"))
    transport = httpx.ASGITransport(build(resources(database, clock, key_file)))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        token = (await client.post("/v1/sessions", json=RIGHT)).json()["access_token"]
        contact = f"/v1/contacts/{case('mine')}"
        changes = [
            await client.put(contact, json={"phone": f"0442000{n:03}"}, headers=bearer(token))
            for n in range(4)
        ]
        assert [answer.status_code for answer in changes] == [200] * 3 + [429]
        assert (await client.get(contact, headers=bearer(token))).status_code == 200
        by_clerk = [
            await client.put(contact, json={"phone": "0442000999"}, headers=bearer("clerk"))
            for _ in range(5)
        ]
        assert {answer.status_code for answer in by_clerk} == {200}


async def test_a_window_ends_and_old_counters_are_forgotten(database: Database) -> None:
    limit = Limit("number:x", 1, timedelta(minutes=15))

    async def spend() -> timedelta | None:
        async with units(database).begin(Principal.anonymous()) as unit:
            return await fair_use.spend(unit, [limit])

    assert await spend() is None
    assert await spend() is not None
    async with database.transaction() as conn:
        await conn.execute("UPDATE fair_use SET since = since - interval '15 minutes'")
    assert await spend() is None
    assert await spend() is not None


async def test_counters_hold_no_number_and_no_address(ask: Ask, database: Database) -> None:
    for body in FAILURES.values():
        await ask(body)
    async with database.reader() as conn:
        keys = " ".join(row["key"] for row in await conn.fetch("SELECT key FROM fair_use"))
    for value in ("481516", "127.0.0.1", "1990"):
        assert value not in keys

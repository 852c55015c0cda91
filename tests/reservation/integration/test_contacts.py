"""A citizen's contact: sealed, verified by a code, written to, and erased for good."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from services.reservation.domain.link import Purpose
from services.reservation.handlers import daily
from shared.clock import FixedClock
from shared.db import Database
from shared.security.principal import Principal
from tests.reservation.mailbox import Mailbox, code, links, post, text, visit
from tests.reservation.support import (
    NUMBER,
    SITE,
    bearer,
    case,
    events_of,
    hear,
    ids,
    invite,
    issued,
    open_site,
    told,
    units,
)

LOGIN = {"notice_number": NUMBER, "birth_date": "1990-02-03"}
NINE = "2026-04-02T09:00:00+09:00"
MINE = case("mine")
CONTACT = f"/v1/contacts/{MINE}"
EMAIL, OTHER_EMAIL, PHONE = "Hanako.1@mail.example", "other@mail.example", "0442000000"


@pytest.fixture
async def who(client: httpx.AsyncClient, database: Database) -> dict[str, str]:
    """The headers of a citizen who has logged in and may book."""
    await open_site(database)
    await invite(database, MINE)
    return bearer((await client.post("/v1/sessions", json=LOGIN)).json()["access_token"])


async def book(client: httpx.AsyncClient, who: dict[str, str], at: str = NINE) -> str:
    """Book and return the booking's id."""
    body = {"case_ids": ids([MINE]), "site_id": SITE, "starts_at": at}
    key = bearer("", once=True)["Idempotency-Key"]
    answer = await client.post("/v1/bookings", json=body, headers={**who, "Idempotency-Key": key})
    assert answer.status_code == 201, answer.text
    booking_id: str = answer.json()["bookings"][0]["booking_id"]
    return booking_id


async def verified(
    client: httpx.AsyncClient, database: Database, who: dict[str, str], mailbox: Mailbox
) -> None:
    """Give an address and type the code that comes."""
    body = {"email": EMAIL, "phone": "044-200-0000", "language": "ja"}
    kept = await client.put(CONTACT, json=body, headers=who)
    assert kept.status_code == 200, kept.text
    assert await post(database, mailbox.gateway()).round() == 1
    typed = {"code": code(mailbox.take())}
    answer = await client.post(f"{CONTACT}:verify", json=typed, headers=who)
    assert (answer.status_code, answer.json()["verified"]) == (200, True), answer.text


async def test_a_contact_is_verified_by_the_code_that_was_mailed(
    client: httpx.AsyncClient, database: Database, who: dict[str, str], mailbox: Mailbox
) -> None:
    kept = await client.put(
        CONTACT, json={"email": " Hanako.1@MAIL.example ", "language": "en"}, headers=who
    )
    assert kept.json() == {
        "email": EMAIL,
        "phone": None,
        "language": "en",
        "verified": False,
    }
    await post(database, mailbox.gateway()).round()
    mail = mailbox.take()
    assert (mailbox.recipients, mail["Content-Language"]) == ([EMAIL], "en")
    assert mail["Auto-Submitted"] == "auto-generated"
    right = code(mail)
    wrong = {"code": f"{(int(right) + 1) % 10**8:08}"}
    refused = await client.post(f"{CONTACT}:verify", json=wrong, headers=who)
    assert (refused.status_code, refused.json()["type"]) == (
        422,
        "urn:madoguchi:problem:code-refused",
    )
    answer = await client.post(f"{CONTACT}:verify", json={"code": right}, headers=who)
    assert answer.json()["verified"] is True
    again = await client.post(f"{CONTACT}:verify", json={"code": right}, headers=who)
    assert again.status_code == 200


async def test_a_code_can_be_guessed_five_times(
    client: httpx.AsyncClient, database: Database, who: dict[str, str], mailbox: Mailbox
) -> None:
    await client.put(CONTACT, json={"email": EMAIL}, headers=who)
    await post(database, mailbox.gateway()).round()
    right = code(mailbox.take())
    wrong = {"code": f"{(int(right) + 1) % 10**8:08}"}
    tries = [await client.post(f"{CONTACT}:verify", json=wrong, headers=who) for _ in range(5)]
    assert {answer.status_code for answer in tries} == {422}
    late = await client.post(f"{CONTACT}:verify", json={"code": right}, headers=who)
    assert (late.status_code, late.json()["type"]) == (429, "urn:madoguchi:problem:too-many-tries")
    assert 0 < int(late.headers["retry-after"]) <= 3600


async def test_a_booking_is_confirmed_with_a_calendar_entry_and_links(
    client: httpx.AsyncClient, database: Database, who: dict[str, str], mailbox: Mailbox
) -> None:
    await verified(client, database, who, mailbox)
    booking_id = await book(client, who)
    await post(database, mailbox.gateway()).round()
    mail = mailbox.take()
    assert mail["Subject"] == "【予約完了】2026年4月2日（木）09:00"
    assert "日時: 2026年4月2日（木）09:00" in text(mail)
    assert "場所: 窓口" in text(mail)
    assert "変更・取消しは2026年4月1日（水）17:00まで承ります。" in text(mail)
    entry = visit(mail)
    assert (entry.method, entry.uid) == ("PUBLISH", f"{booking_id}@city.example")
    assert entry.starts_at.isoformat() == NINE
    assert entry.ends_at - entry.starts_at == timedelta(minutes=20)
    assert set(links(mail)) == {Purpose.VIEW, Purpose.MOVE, Purpose.CANCEL}


async def test_what_was_booked_before_is_confirmed_once_the_address_is_verified(
    client: httpx.AsyncClient, database: Database, who: dict[str, str], mailbox: Mailbox
) -> None:
    await book(client, who)
    assert await post(database, mailbox.gateway()).round() == 0
    await verified(client, database, who, mailbox)
    assert await post(database, mailbox.gateway()).round() == 1
    assert "予約完了" in mailbox.take()["Subject"]


async def test_a_cancelled_visit_leaves_the_calendar_too(
    client: httpx.AsyncClient, database: Database, who: dict[str, str], mailbox: Mailbox
) -> None:
    await verified(client, database, who, mailbox)
    booking_id = await book(client, who)
    await post(database, mailbox.gateway()).round()
    mailbox.take()
    await client.post(f"/v1/bookings/{booking_id}:cancel", headers=who)
    await post(database, mailbox.gateway()).round()
    mail = mailbox.take()
    entry = visit(mail)
    assert (entry.method, entry.status, entry.sequence) == ("CANCEL", "CANCELLED", 2)
    assert links(mail) == {}


async def test_another_address_replaces_the_former_and_its_links(
    client: httpx.AsyncClient, database: Database, who: dict[str, str], mailbox: Mailbox
) -> None:
    await verified(client, database, who, mailbox)
    await book(client, who)
    await post(database, mailbox.gateway()).round()
    token = links(mailbox.take())[Purpose.VIEW]
    assert (await client.post("/v1/links:read", json={"token": token})).status_code == 200
    changed = await client.put(CONTACT, json={"email": OTHER_EMAIL}, headers=who)
    assert changed.json()["verified"] is False
    assert (await client.post("/v1/links:read", json={"token": token})).status_code == 404
    async with database.reader() as conn:
        gone = await conn.fetch("SELECT * FROM subject_key WHERE erased_at IS NOT NULL")
        kept = await conn.fetch("SELECT contact_id FROM contact WHERE erased_at IS NULL")
    assert (len(gone), len(kept)) == (1, 1)
    assert gone[0]["wrapped"] is None


async def test_the_same_contact_again_changes_nothing(
    client: httpx.AsyncClient, database: Database, who: dict[str, str], mailbox: Mailbox
) -> None:
    await verified(client, database, who, mailbox)
    body = {"email": EMAIL, "phone": PHONE, "language": "ja"}
    answer = await client.put(CONTACT, json=body, headers=who)
    assert answer.json()["verified"] is True
    assert await post(database, mailbox.gateway()).round() == 0
    other_phone = await client.put(CONTACT, json={**body, "phone": "03-1234-5678"}, headers=who)
    assert (other_phone.json()["phone"], other_phone.json()["verified"]) == ("0312345678", True)


async def test_who_waits_for_a_code_in_vain_gets_another(
    client: httpx.AsyncClient, database: Database, who: dict[str, str], mailbox: Mailbox
) -> None:
    codes = []
    for _ in range(2):
        sent = await client.put(CONTACT, json={"email": EMAIL}, headers=who)
        assert (sent.status_code, sent.json()["verified"]) == (200, False)
        await post(database, mailbox.gateway()).round()
        codes.append(code(mailbox.take()))
    typed = [
        await client.post(f"{CONTACT}:verify", json={"code": one}, headers=who) for one in codes
    ]
    assert [one.status_code for one in typed] == [422, 200], "the newest counts"


async def test_of_many_contacts_given_at_once_one_is_kept(
    client: httpx.AsyncClient, database: Database, who: dict[str, str]
) -> None:
    bodies = [{"phone": f"0442000{number:03}"} for number in range(8)]
    answers = await asyncio.gather(*(client.put(CONTACT, json=b, headers=who) for b in bodies))
    assert {answer.status_code for answer in answers} == {200}
    async with database.reader() as conn:
        kept = await conn.fetchval("SELECT count(*) FROM contact WHERE erased_at IS NULL")
        keys = await conn.fetchval("SELECT count(*) FROM subject_key WHERE wrapped IS NOT NULL")
    assert (kept, keys) == (1, 1)


async def test_an_erased_contact_cannot_be_read_by_anybody(
    client: httpx.AsyncClient, database: Database, who: dict[str, str], mailbox: Mailbox
) -> None:
    await verified(client, database, who, mailbox)
    await book(client, who)
    erased = await client.delete(CONTACT, headers=who)
    assert erased.status_code == 204, erased.text
    assert (await client.get(CONTACT, headers=who)).status_code == 404
    assert "contact.erased.v1" in await events_of(database, MINE)
    assert await post(database, mailbox.gateway()).round() == 0
    async with database.reader() as conn:
        row = await conn.fetchrow("SELECT * FROM contact")
        states = {r["state"] for r in await conn.fetch("SELECT state FROM message")}
        wrapped = await conn.fetch("SELECT wrapped FROM subject_key WHERE erased_at IS NULL")
    assert row is not None
    assert (row["sealed_email"], row["sealed_phone"], row["address_key"]) == (None, None, None)
    assert "waiting" not in states
    assert wrapped == []
    again = await client.delete(CONTACT, headers=who)
    assert again.status_code == 204
    assert (await events_of(database, MINE)).count("contact.erased.v1") == 1


async def test_only_the_citizen_and_staff_of_the_site_reach_a_contact(
    client: httpx.AsyncClient, database: Database, who: dict[str, str], mailbox: Mailbox
) -> None:
    await verified(client, database, who, mailbox)
    await invite(database, case("other"), number="7K2-481517")
    other = await client.post("/v1/sessions", json={**LOGIN, "notice_number": "7K2-481517"})
    foreign = bearer(other.json()["access_token"])
    for headers, status in (
        (foreign, 403),
        (bearer("elsewhere"), 403),
        (bearer("clerk"), 200),
        (who, 200),
    ):
        assert (await client.get(CONTACT, headers=headers)).status_code == status
    async with database.reader() as conn:
        rows = await conn.fetch("SELECT actor FROM audit_entry WHERE action = 'contact.read'")
    assert [row["actor"] for row in rows] == ["staff:c", f"citizen:case:{MINE}"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "no-address"},
        {"email": "a@b"},
        {"email": "x@mail.example\r\nBcc: y@mail.example"},
        {"phone": "98-76"},
        {"phone": "+81 44 200 0000"},
    ],
)
async def test_what_is_no_contact_is_refused_without_repeating_it(
    client: httpx.AsyncClient, who: dict[str, str], body: dict[str, str]
) -> None:
    answer = await client.put(CONTACT, json=body, headers={**who, "Accept-Language": "ja"})
    assert answer.status_code == 422, answer.text
    for value in body.values():
        assert value not in answer.text


async def test_a_contact_is_kept_until_some_time_after_the_case(
    client: httpx.AsyncClient,
    database: Database,
    who: dict[str, str],
    mailbox: Mailbox,
    clock: FixedClock,
) -> None:
    await verified(client, database, who, mailbox)
    work = daily.retention(90)

    async def retained_at(days: int) -> bool:
        clock.advance(timedelta(days=days))
        async with units(database, clock).begin(Principal.system("reservation")) as unit:
            await work(unit)
            rows = await unit.conn.fetch("SELECT 1 FROM contact WHERE erased_at IS NULL")
        return bool(rows)

    assert await retained_at(200)
    await hear(database, told(issued(MINE), 2, at=clock.now()))
    assert await retained_at(89)
    assert not await retained_at(2)
    assert (await events_of(database, MINE))[-1] == "contact.erased.v1"

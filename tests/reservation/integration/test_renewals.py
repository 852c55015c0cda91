"""A certificate renewal without a notice: log in by e-mail, open it, book it, once at a time."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.reservation.domain.contact import mailbox as mailbox_of
from services.reservation.handlers import daily, email_sessions
from services.reservation.tools import Tools
from shared.clock import FixedClock
from shared.contracts.base import Procedure
from shared.contracts.place import Acceptance
from shared.db import Database
from shared.due import DueWork
from shared.ids import CaseId, derived_id
from shared.security.principal import Principal
from tests.reservation.mailbox import TOOLS, Mailbox, code, post, text
from tests.reservation.support import (
    MASTERS,
    NUMBER,
    SITE,
    WARD,
    bearer,
    case,
    events_of,
    hear,
    invite,
    make_site,
    open_site,
    renewed,
    told,
    units,
)

EMAIL = "taro@mail.example"
RENEWAL = {"ward": WARD, "certificate_expires_on": "2026-05-20"}
BOTH = tuple(Acceptance(procedure=one, wards=(WARD,)) for one in Procedure)


@pytest.fixture(autouse=True)
async def site(database: Database) -> None:
    """A site that renews certificates."""
    await open_site(database, make_site(acceptance=BOTH))


async def asked(
    client: httpx.AsyncClient, database: Database, mailbox: Mailbox, email: str = EMAIL
) -> dict[str, str]:
    """What to confirm a login with."""
    answer = await client.post("/v1/sessions:request", json={"email": email})
    assert answer.status_code == 202, answer.text
    await post(database, mailbox.gateway()).round()
    return {"request_id": answer.json()["request_id"], "code": code(mailbox.take())}


async def log_in(
    client: httpx.AsyncClient, database: Database, mailbox: Mailbox, email: str = EMAIL
) -> Mapping[str, Any]:
    """A session by e-mail."""
    typed = await asked(client, database, mailbox, email)
    answer = await client.post("/v1/sessions:confirm", json=typed)
    assert answer.status_code == 201, answer.text
    session: Mapping[str, Any] = answer.json()
    return session


def token(session: Mapping[str, Any]) -> dict[str, str]:
    """The headers of a command of this session."""
    return bearer(session["access_token"], once=True)


async def test_a_renewal_is_opened_booked_and_done(
    client: httpx.AsyncClient, database: Database, mailbox: Mailbox
) -> None:
    session = await log_in(client, database, mailbox)
    assert session["cases"] == []
    opened = await client.post("/v1/renewals", json=RENEWAL, headers=token(session))
    assert opened.status_code == 201, opened.text
    case_id = CaseId(opened.json()["case_id"])
    assert opened.json()["renewable_from"] == "2026-02-20"
    assert await events_of(database, case_id) == ["case.opened.v1"]
    body = {"case_ids": [case_id], "site_id": SITE, "starts_at": "2026-04-02T09:00:00+09:00"}
    booked = await client.post("/v1/bookings", json=body, headers=token(session))
    assert booked.status_code == 201, booked.text
    await post(database, mailbox.gateway()).round()
    assert "renewing the electronic certificates" in text(mailbox.take())
    (shown,) = (await log_in(client, database, mailbox))["cases"]
    assert (shown["case_id"], shown["procedure"]) == (case_id, "certificate_renewal")
    assert shown["bookable_from"] == "2026-04-02"
    await hear(database, told(renewed(case_id), 1))
    assert "booking.fulfilled.v1" not in await events_of(database, case_id)
    again = await client.post(
        "/v1/renewals",
        json=RENEWAL,
        headers=token(await log_in(client, database, mailbox)),
    )
    assert again.status_code == 201, again.text
    assert again.json()["case_id"] != case_id


async def test_a_contact_has_one_active_renewal(
    client: httpx.AsyncClient, database: Database, mailbox: Mailbox
) -> None:
    session = await log_in(client, database, mailbox)
    first = await client.post("/v1/renewals", json=RENEWAL, headers=token(session))
    second = await client.post("/v1/renewals", json=RENEWAL, headers=token(session))
    assert (second.status_code, second.json()["type"]) == (
        409,
        "urn:madoguchi:problem:renewal-active",
    )
    assert second.json()["case_id"] == first.json()["case_id"]
    case_id = first.json()["case_id"]
    ended = await client.post(f"/v1/renewals/{case_id}:withdraw", headers=token(session))
    assert ended.json()["ended_at"] is not None
    next_session = await log_in(client, database, mailbox)
    third = await client.post("/v1/renewals", json=RENEWAL, headers=token(next_session))
    assert third.status_code == 201


async def test_of_many_who_open_a_renewal_at_once_one_does(
    client: httpx.AsyncClient, database: Database, mailbox: Mailbox
) -> None:
    sessions = [await log_in(client, database, mailbox) for _ in range(2)]
    asked_for = [
        client.post("/v1/renewals", json=RENEWAL, headers=token(sessions[number % 2]))
        for number in range(12)
    ]
    answers = await asyncio.gather(*asked_for)
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 11
    async with database.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM renewal WHERE ended_at IS NULL") == 1


async def test_the_database_alone_refuses_a_second_active_renewal(
    client: httpx.AsyncClient, database: Database, mailbox: Mailbox
) -> None:
    await client.post(
        "/v1/renewals", json=RENEWAL, headers=token(await log_in(client, database, mailbox))
    )
    copy = """
        INSERT INTO renewal SELECT gen_random_uuid(), contact_id, ward, certificate_expires_on,
            opened_at, NULL FROM renewal
    """
    async with database.transaction() as conn:
        with pytest.raises(Exception, match="one_active_renewal_per_contact"):
            await conn.execute(copy)


async def test_a_renewal_opens_three_months_before_the_end(
    client: httpx.AsyncClient, database: Database, mailbox: Mailbox
) -> None:
    session = await log_in(client, database, mailbox)
    late = {**RENEWAL, "certificate_expires_on": "2027-05-20"}
    answer = await client.post("/v1/renewals", json=late, headers=token(session))
    assert (answer.status_code, answer.json()["renewable_from"]) == (422, "2027-02-20")
    never = {**RENEWAL, "certificate_expires_on": "0001-01-15"}
    answer = await client.post("/v1/renewals", json=never, headers=token(session))
    assert [error["field"] for error in answer.json()["errors"]] == ["certificate_expires_on"]


async def test_withdrawing_cancels_what_is_booked(
    client: httpx.AsyncClient, database: Database, mailbox: Mailbox
) -> None:
    session = await log_in(client, database, mailbox)
    opened = await client.post("/v1/renewals", json=RENEWAL, headers=token(session))
    case_id = opened.json()["case_id"]
    body = {"case_ids": [case_id], "site_id": SITE, "starts_at": "2026-04-02T09:00:00+09:00"}
    await client.post("/v1/bookings", json=body, headers=token(session))
    await client.post(f"/v1/renewals/{case_id}:withdraw", headers=token(session))
    assert (await events_of(database, case_id))[-1] == "booking.cancelled.v1"
    again = await client.post("/v1/bookings", json=body, headers=token(session))
    assert (again.status_code, again.json()["type"]) == (409, "urn:madoguchi:problem:case-ended")


async def test_erasing_the_contact_ends_the_renewal_and_the_login(
    client: httpx.AsyncClient, database: Database, mailbox: Mailbox
) -> None:
    session = await log_in(client, database, mailbox)
    opened = await client.post("/v1/renewals", json=RENEWAL, headers=token(session))
    case_id = opened.json()["case_id"]
    other = {"email": "new@mail.example"}
    await client.put(f"/v1/contacts/{case_id}", json=other, headers=token(session))
    gone = await client.delete(f"/v1/contacts/{case_id}", headers=token(session))
    assert gone.status_code == 204, gone.text
    async with database.reader() as conn:
        left = await conn.fetchval("SELECT count(*) FROM contact WHERE erased_at IS NULL")
        keys = await conn.fetchval("SELECT count(*) FROM subject_key WHERE wrapped IS NOT NULL")
    assert (left, keys) == (0, 0)
    assert (await events_of(database, case_id))[-1] == "contact.erased.v1"


async def test_a_renewal_that_nobody_pursues_ends_and_its_contact_is_forgotten(
    client: httpx.AsyncClient, database: Database, mailbox: Mailbox, clock: FixedClock
) -> None:
    first = token(await log_in(client, database, mailbox))
    opened = await client.post("/v1/renewals", json=RENEWAL, headers=first)
    waiting = CaseId(opened.json()["case_id"])
    other = token(await log_in(client, database, mailbox, "other@mail.example"))
    booked = (await client.post("/v1/renewals", json=RENEWAL, headers=other)).json()["case_id"]
    body = {"case_ids": [booked], "site_id": SITE, "starts_at": "2026-04-02T09:00:00+09:00"}
    assert (await client.post("/v1/bookings", json=body, headers=other)).status_code == 201

    async def run(work: DueWork) -> int:
        async with units(database, clock).begin(Principal.system("reservation")) as unit:
            return await work(unit)

    clock.advance(timedelta(days=49 + 90))
    assert await run(daily.abandoned_renewals(90)) == 0, "the certificates ended 90 days ago"
    clock.advance(timedelta(days=1))
    assert await run(daily.abandoned_renewals(90)) == 1
    async with database.reader() as conn:
        rows = await conn.fetch("SELECT case_id FROM renewal WHERE ended_at IS NOT NULL")
    assert [str(row["case_id"]) for row in rows] == [waiting]
    clock.advance(timedelta(days=91))
    assert await run(daily.retention(90)) == 1
    assert (await events_of(database, waiting))[-1] == "contact.erased.v1"


async def test_staff_open_a_renewal_for_who_calls(
    client: httpx.AsyncClient, database: Database
) -> None:
    caller = {**RENEWAL, "phone": "044-200-0000", "language": "ja"}
    clerk = bearer("clerk", once=True)
    opened = await client.post("/v1/renewals", json=caller, headers=clerk)
    assert opened.status_code == 201, opened.text
    again = await client.post("/v1/renewals", json=caller, headers=bearer("clerk", once=True))
    assert again.status_code == 409
    nobody = await client.post("/v1/renewals", json=RENEWAL, headers=bearer("clerk", once=True))
    assert nobody.json()["type"] == "urn:madoguchi:problem:needs-verified-contact"
    async with database.reader() as conn:
        rows = await conn.fetch("SELECT actor, action FROM audit_entry WHERE action ~ 'case'")
    assert [tuple(row) for row in rows] == [("staff:c", "case.opened")]


async def test_a_login_by_notice_opens_no_renewal(
    client: httpx.AsyncClient, database: Database
) -> None:
    await invite(database, case("mine"))
    login = {"notice_number": NUMBER, "birth_date": "1990-02-03"}
    session = (await client.post("/v1/sessions", json=login)).json()
    answer = await client.post("/v1/renewals", json=RENEWAL, headers=token(session))
    assert answer.json()["type"] == "urn:madoguchi:problem:needs-verified-contact"


async def test_every_failed_login_by_email_looks_the_same(
    client: httpx.AsyncClient, database: Database, mailbox: Mailbox
) -> None:
    right = await asked(client, database, mailbox)
    wrong = {**right, "code": f"{(int(right['code']) + 1) % 10**8:08}"}
    unknown = {**right, "request_id": str(derived_id("unknown"))}
    answers = [await client.post("/v1/sessions:confirm", json=body) for body in (wrong, unknown)]
    assert (await client.post("/v1/sessions:confirm", json=right)).status_code == 201
    answers.append(await client.post("/v1/sessions:confirm", json=right))
    old = await asked(client, database, mailbox)
    async with database.transaction() as conn:
        await conn.execute("UPDATE login_request SET expires_at = now() - interval '1 second'")
    answers.append(await client.post("/v1/sessions:confirm", json=old))
    shown = {(a.status_code, str({**a.json(), "instance": None})) for a in answers}
    assert len(shown) == 1
    assert answers[0].status_code == 401
    assert "mail" in answers[0].json()["remedy"], "nobody who logs in by e-mail has a notice"


async def test_asking_for_a_code_says_nothing_of_who_is_known(
    client: httpx.AsyncClient, database: Database, mailbox: Mailbox
) -> None:
    await log_in(client, database, mailbox)
    answers = [
        await client.post("/v1/sessions:request", json={"email": email})
        for email in (EMAIL, "unknown@mail.example")
    ]
    shown = [{**answer.json(), "request_id": None} for answer in answers]
    assert shown[0] == shown[1]
    assert answers[0].headers.keys() == answers[1].headers.keys()


async def test_a_mailbox_is_known_by_capitals_and_small_letters(
    client: httpx.AsyncClient, database: Database, mailbox: Mailbox
) -> None:
    await log_in(client, database, mailbox, "Taro@mail.example")
    await log_in(client, database, mailbox, "taro@MAIL.example")
    async with database.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM contact") == 1


async def test_two_first_logins_at_once_are_one_contact(
    client: httpx.AsyncClient, database: Database, mailbox: Mailbox
) -> None:
    typed = [await asked(client, database, mailbox) for _ in range(4)]
    answers = await asyncio.gather(
        *(client.post("/v1/sessions:confirm", json=body) for body in typed)
    )
    assert {answer.status_code for answer in answers} == {201}
    async with database.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM contact") == 1
        assert await conn.fetchval("SELECT count(wrapped) FROM subject_key") == 1


async def test_a_login_is_found_again_under_a_new_key(database: Database) -> None:
    newer = Tools.of({"n2": bytes([2]) * 32, **MASTERS})
    found = []
    for tools in (TOOLS, newer, newer):
        async with units(database).begin(Principal.anonymous()) as unit:
            request_id = await email_sessions.request(unit, tools, EMAIL, "ja")
            typed = tools.code(email_sessions.CODE_PURPOSE, request_id)
            found.append(await email_sessions.confirm(unit, tools, request_id, typed))
    assert len({one.contact_id for one in found}) == 1
    async with database.reader() as conn:
        key = await conn.fetchval("SELECT address_key FROM contact")
    assert key == newer.address_keys(mailbox_of(EMAIL))[0]


async def test_old_requests_are_forgotten_with_their_addresses(
    client: httpx.AsyncClient, database: Database, mailbox: Mailbox, clock: FixedClock
) -> None:
    await asked(client, database, mailbox)
    async with database.transaction() as conn:
        await conn.execute("UPDATE login_request SET expires_at = now() - interval '1 second'")
    clock.advance(timedelta(hours=1))
    async with units(database, clock).begin(Principal.system("reservation")) as unit:
        assert await email_sessions.forget_old(unit) == 1
        assert await unit.conn.fetchval("SELECT count(*) FROM login_request") == 0
        assert await unit.conn.fetchval("SELECT count(wrapped) FROM subject_key") == 0


async def test_a_mailbox_gets_so_many_codes_an_hour(client: httpx.AsyncClient) -> None:
    answers = [await client.post("/v1/sessions:request", json={"email": EMAIL}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [202] * 5 + [429]
    other = await client.post("/v1/sessions:request", json={"email": "other@mail.example"})
    assert other.status_code == 202

"""Links in mails: they see, cancel, move and answer, and reach nothing else."""

from collections.abc import Mapping
from uuid import UUID

import httpx
import pytest

from services.reservation.domain.link import Link, LinkRefused, Purpose
from services.reservation.handlers import bookings, contacts
from services.reservation.handlers.contacts import Wish
from services.reservation.tools import Tools, contact_tag
from shared.clock import FixedClock
from shared.db import Database
from shared.ids import CaseId, derived_id
from tests.reservation.mailbox import TOOLS, Mailbox, links, post
from tests.reservation.support import (
    NUMBER,
    RULES,
    SITE,
    THURSDAY,
    bearer,
    case,
    citizen,
    invite,
    open_site,
    tokyo,
    units,
)

MINE, SISTERS = case("mine"), case("sisters")
REFUSED = (404, "urn:madoguchi:problem:link-refused")


async def mailed(database: Database, mailbox: Mailbox, *cases: CaseId) -> Mapping[Purpose, str]:
    """The links that the first of a party is mailed."""
    await open_site(database)
    await invite(database, *cases)
    async with units(database).begin(citizen(*cases)) as unit:
        for number, one in enumerate(cases):
            kept = await contacts.put(
                unit, TOOLS, one, Wish(f"c{number}@mail.example", "0442000000", "ja")
            )
            typed = TOOLS.code(contacts.CODE_PURPOSE, kept.contact_id)
            await contacts.verify(unit, TOOLS, one, typed)
        await unit.conn.execute("DELETE FROM message")
        await bookings.book(unit, bookings.Request(cases, SITE, tokyo(THURSDAY, 9)), RULES)
    await post(database, mailbox.gateway()).round()
    (first,) = (mail for mail in mailbox.mails if mail["To"] == "c0@mail.example")
    return links(first)


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Status and type of a refusal."""
    return answer.status_code, answer.json()["type"]


async def test_a_link_shows_its_booking_and_cancels_it(
    client: httpx.AsyncClient, database: Database, mailbox: Mailbox
) -> None:
    tokens = await mailed(database, mailbox, MINE)
    seen = await client.post("/v1/links:read", json={"token": tokens[Purpose.VIEW]})
    assert (seen.status_code, seen.json()["purpose"]) == (200, "view")
    assert seen.json()["booking"]["state"] == "active"
    other = await client.post("/v1/links:cancel", json={"token": tokens[Purpose.VIEW]})
    assert refusal(other) == REFUSED, "a link for seeing cancels nothing"
    gone = await client.post("/v1/links:cancel", json={"token": tokens[Purpose.CANCEL]})
    assert (gone.status_code, gone.json()["state"]) == (200, "cancelled"), gone.text
    assert gone.json()["reason"] == "citizen"
    again = await client.post("/v1/links:cancel", json={"token": tokens[Purpose.CANCEL]})
    assert (again.status_code, again.json()["version"]) == (200, gone.json()["version"])
    for token in tokens.values():
        assert refusal(await client.post("/v1/links:read", json={"token": token})) == REFUSED


async def test_a_link_for_moving_opens_a_session_that_moves_the_party(
    client: httpx.AsyncClient, database: Database, mailbox: Mailbox
) -> None:
    tokens = await mailed(database, mailbox, MINE, SISTERS)
    session = await client.post("/v1/sessions:link", json={"token": tokens[Purpose.MOVE]})
    assert session.status_code == 201, session.text
    assert [shown["case_id"] for shown in session.json()["cases"]] == [str(MINE)]
    booking_id = session.json()["cases"][0]["booking_id"]
    who = bearer(session.json()["access_token"], once=True)
    target = {"site_id": SITE, "starts_at": "2026-04-03T10:00:00+09:00"}
    moved = await client.post(f"/v1/bookings/{booking_id}:move", json=target, headers=who)
    assert moved.status_code == 200, moved.text
    assert len(moved.json()["bookings"]) == 2
    mailbox.mails.clear()
    await post(database, mailbox.gateway()).round()
    assert sorted(mail["To"] for mail in mailbox.mails) == ["c0@mail.example", "c1@mail.example"]
    assert {mail["Subject"][:6] for mail in mailbox.mails} == {"【予約変更】"}


async def test_a_session_by_link_reaches_no_contact_and_ends_no_case(
    client: httpx.AsyncClient, database: Database, mailbox: Mailbox
) -> None:
    tokens = await mailed(database, mailbox, MINE, SISTERS)
    session = await client.post("/v1/sessions:link", json={"token": tokens[Purpose.MOVE]})
    who = bearer(session.json()["access_token"])
    for one in (MINE, SISTERS):
        answer = await client.get(f"/v1/contacts/{one}", headers=who)
        assert answer.status_code == 403
        answer = await client.delete(f"/v1/contacts/{one}", headers=who)
        assert answer.status_code == 403
        answer = await client.post(f"/v1/renewals/{one}:withdraw", headers=who)
        assert answer.status_code == 403
    own = case("own")
    await invite(database, own, number="7K2-481999")
    login = {"notice_number": "7K2-481999", "birth_date": "1990-02-03"}
    further = await client.post("/v1/sessions", json=login, headers=who)
    shown = [one["case_id"] for one in further.json()["cases"]]
    assert shown == [str(own)], "a login does not make more of a link than it is"


async def test_a_family_logs_in_with_one_notice_after_another_and_books_together(
    client: httpx.AsyncClient, database: Database
) -> None:
    await open_site(database)
    await invite(database, MINE)
    await invite(database, SISTERS, number="7K2-481517")
    login = {"notice_number": NUMBER, "birth_date": "1990-02-03"}
    first = (await client.post("/v1/sessions", json=login)).json()
    both = await client.post(
        "/v1/sessions",
        json={**login, "notice_number": "7K2-481517"},
        headers=bearer(first["access_token"]),
    )
    assert {one["case_id"] for one in both.json()["cases"]} == {str(MINE), str(SISTERS)}
    body = {
        "case_ids": [str(MINE), str(SISTERS)],
        "site_id": SITE,
        "starts_at": "2026-04-02T09:00:00+09:00",
    }
    who = bearer(both.json()["access_token"], once=True)
    booked = await client.post("/v1/bookings", json=body, headers=who)
    assert booked.status_code == 201, booked.text
    alone = await client.post(
        "/v1/bookings", json=body, headers=bearer(first["access_token"], once=True)
    )
    assert alone.status_code == 403


async def test_a_link_ends_with_the_visit(
    client: httpx.AsyncClient, database: Database, mailbox: Mailbox, clock: FixedClock
) -> None:
    tokens = await mailed(database, mailbox, MINE)
    clock.set(tokyo(THURSDAY, 9, 1))
    for token in tokens.values():
        assert refusal(await client.post("/v1/links:read", json={"token": token})) == REFUSED


async def test_cancelling_by_link_keeps_the_deadline(
    client: httpx.AsyncClient, database: Database, mailbox: Mailbox, clock: FixedClock
) -> None:
    tokens = await mailed(database, mailbox, MINE)
    clock.set(tokyo(THURSDAY, 8))
    late = await client.post("/v1/links:cancel", json={"token": tokens[Purpose.CANCEL]})
    assert refusal(late) == (409, "urn:madoguchi:problem:change-too-late")


@pytest.mark.parametrize("change", ["", "x", "é", "short"])
async def test_a_false_link_is_refused_like_any_other(
    client: httpx.AsyncClient, database: Database, mailbox: Mailbox, change: str
) -> None:
    token = (await mailed(database, mailbox, MINE))[Purpose.VIEW]
    false = {"": token[::-1], "x": token[:-3] + "AAA", "short": token[:8]}.get(
        change, token + change
    )
    answer = await client.post("/v1/links:read", json={"token": false})
    assert refusal(answer) == REFUSED


def test_a_link_is_bound_to_purpose_case_booking_and_address() -> None:
    link = Link(Purpose.VIEW, MINE, UUID(int=7), contact_tag(UUID(int=9)))
    token = TOOLS.link(link)
    assert TOOLS.read_link(token) == link
    assert len({TOOLS.link(Link(one, MINE, UUID(int=7), link.contact_tag)) for one in Purpose}) == 5
    with pytest.raises(LinkRefused):
        Tools.of({"other": bytes([2]) * 32}).read_link(token)


def test_links_and_codes_outlive_a_change_of_keys() -> None:
    link = Link(Purpose.VIEW, MINE, UUID(int=7), contact_tag(UUID(int=9)))
    ref = derived_id("request")
    newer = Tools.of({"n2": bytes([2]) * 32, "n1": bytes([1]) * 32})
    assert newer.read_link(TOOLS.link(link)) == link
    assert newer.is_code("login", ref, TOOLS.code("login", ref))
    assert not newer.is_code("address", ref, TOOLS.code("login", ref))
    assert TOOLS.address_keys("mail:a@b.example")[0] == newer.address_keys("mail:a@b.example")[1]

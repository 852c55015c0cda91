"""Reminded the day before, offered another seat, offered a freed one: by mail, and by its link."""

from datetime import time, timedelta

import httpx
import pytest

from services.reservation.domain.closure import Answer
from services.reservation.domain.link import Purpose
from services.reservation.handlers import bookings, contacts, daily, moves, offers, waitlist
from services.reservation.handlers.answers import Said
from services.reservation.handlers.contacts import Wish
from services.reservation.handlers.moves import Target
from services.reservation.store import bookings as store
from services.reservation.store import reminders
from shared.clock import FixedClock
from shared.db import Database
from shared.due import DueWork
from shared.ids import CaseId
from shared.security.principal import Principal
from tests.reservation.life import answer, book, named, wind_down, work
from tests.reservation.mailbox import TOOLS, Mailbox, links, post, text, visit
from tests.reservation.support import (
    FRIDAY,
    MORNING,
    OTHER_SITE,
    RULES,
    SITE,
    THURSDAY,
    bearer,
    case,
    citizen,
    invite,
    make_site,
    open_site,
    tokyo,
    units,
)

ANNA, BEN = case("anna"), case("ben")
NINE_TODAY = daily.reminders(time(9))
ROOM = Principal.system("reservation")


async def reachable(database: Database, *cases: CaseId) -> None:
    """Citizens who can be written to."""
    await invite(database, *cases)
    for number, one in enumerate(cases):
        async with units(database).begin(citizen(one)) as unit:
            wish = Wish(f"c{number}@mail.example", None, "en")
            kept = await contacts.put(unit, TOOLS, one, wish)
            typed = TOOLS.code(contacts.CODE_PURPOSE, kept.contact_id)
            await contacts.verify(unit, TOOLS, one, typed)
    async with database.transaction() as conn:
        await conn.execute("DELETE FROM message")


async def run(database: Database, clock: FixedClock, one: DueWork) -> int:
    """Let due work run dry; how much it did."""
    done = 0
    while True:
        async with units(database, clock).begin(ROOM) as unit:
            some = await one(unit)
        done += some
        if not some:
            return done


async def delivered(database: Database, clock: FixedClock, mailbox: Mailbox) -> list[str]:
    """Subjects of the mails that are due now, and nothing left behind."""
    mailbox.mails.clear()
    while await post(database, mailbox.gateway(), clock).round():
        pass
    return [mail["Subject"] for mail in mailbox.mails]


@pytest.fixture
async def booked(database: Database, mailbox: Mailbox, clock: FixedClock) -> None:
    """Anna on Thursday, Ben on Friday; both know."""
    await open_site(database)
    await reachable(database, ANNA, BEN)
    await book(database, ANNA, at=tokyo(THURSDAY, 9))
    await book(database, BEN, at=tokyo(FRIDAY, 9))
    assert len(await delivered(database, clock, mailbox)) == 2


@pytest.mark.usefixtures("booked")
async def test_visitors_are_reminded_once_on_the_day_before(
    database: Database, mailbox: Mailbox, clock: FixedClock
) -> None:
    clock.set(tokyo(THURSDAY, 8, 59))
    assert await run(database, clock, NINE_TODAY) == 0
    clock.set(tokyo(THURSDAY, 9, 1))
    assert await run(database, clock, NINE_TODAY) == 1
    assert await run(database, clock, NINE_TODAY) == 0
    assert await delivered(database, clock, mailbox) == [
        "Your visit is tomorrow: Fri, 3 Apr 2026, 09:00"
    ]
    (mail,) = mailbox.mails
    assert visit(mail).starts_at.isoformat() == "2026-04-03T09:00:00+09:00"
    assert set(links(mail)) == {Purpose.VIEW, Purpose.MOVE, Purpose.CANCEL}
    assert "You can change or cancel it until Thu, 2 Apr 2026, 17:00." in text(mail)
    clock.set(tokyo(FRIDAY, 9, 1))
    assert await run(database, clock, NINE_TODAY) == 0


@pytest.mark.usefixtures("booked")
async def test_who_booked_or_moved_today_needs_no_reminder(
    database: Database, mailbox: Mailbox, clock: FixedClock
) -> None:
    clock.set(tokyo(THURSDAY, 8))
    async with units(database, clock).begin(citizen(BEN)) as unit:
        (mine,) = await store.active(unit.conn, [BEN])
        target = Target(SITE, tokyo(FRIDAY, 10))
        await moves.move(unit, mine.booking_id, target, RULES, lambda _: None)
    clock.set(tokyo(THURSDAY, 9, 1))
    await run(database, clock, NINE_TODAY)
    (subject,) = await delivered(database, clock, mailbox)
    assert subject == "Your visit has another date: Fri, 3 Apr 2026, 10:00"
    assert "Instead of: Fri, 3 Apr 2026, 09:00, Counter" in text(mailbox.mails[0])


@pytest.mark.usefixtures("booked")
async def test_a_reminder_of_a_visit_cancelled_meanwhile_is_not_sent(
    database: Database, mailbox: Mailbox, clock: FixedClock
) -> None:
    clock.set(tokyo(THURSDAY, 9, 1))
    await run(database, clock, NINE_TODAY)
    async with database.reader() as conn:
        booking_id = await conn.fetchval("SELECT booking_id FROM booking WHERE case_id = $1", BEN)
    async with units(database, clock).begin(citizen(BEN)) as unit:
        await bookings.cancel(unit, booking_id, RULES, lambda _: None)
    (subject,) = await delivered(database, clock, mailbox)
    assert subject.startswith("Your visit is cancelled")


@pytest.mark.usefixtures("booked")
async def test_an_alternative_is_mailed_and_answered_by_its_link(
    database: Database, mailbox: Mailbox, clock: FixedClock, client: httpx.AsyncClient
) -> None:
    await open_site(database, make_site(OTHER_SITE, counters=5))
    await wind_down(database, last_day=THURSDAY)
    await work(database, clock)
    (subject,) = await delivered(database, clock, mailbox)
    assert subject == "Please choose: your visit on Fri, 3 Apr 2026, 09:00"
    (mail,) = mailbox.mails
    assert "We hold another seat for you:" in text(mail)
    assert "Please answer by " in text(mail)
    assert "Without an answer by then, your visit moves to this date." in text(mail)
    token = links(mail)[Purpose.ANSWER]
    seen = (await client.post("/v1/links:read", json={"token": token})).json()
    assert seen["purpose"] == "answer"
    session = await client.post("/v1/sessions:link", json={"token": token})
    who = bearer(session.json()["access_token"])
    door = f"/v1/bookings/{seen['booking']['booking_id']}/alternative"
    offered = (await client.get(door, headers=who)).json()
    answer = await client.post(f"{door}:answer", json={"answer": "accept"}, headers=who)
    assert (answer.status_code, answer.json()["state"]) == (200, "moved"), answer.text
    (moved,) = await delivered(database, clock, mailbox)
    assert moved.startswith("Your visit has another date")
    entry = visit(mailbox.mails[0])
    assert entry.starts_at.isoformat() == offered["to_starts_at"]


@pytest.mark.usefixtures("booked")
async def test_an_alternative_that_was_answered_meanwhile_is_not_mailed(
    database: Database, mailbox: Mailbox, clock: FixedClock
) -> None:
    await open_site(database, make_site(OTHER_SITE, counters=5))
    await wind_down(database, last_day=THURSDAY)
    await work(database, clock)
    (mine,) = await named(database, BEN)
    await answer(database, mine, Said(Answer.ACCEPT), clock, citizen(BEN))
    (subject,) = await delivered(database, clock, mailbox)
    assert subject.startswith("Your visit has another date")


@pytest.mark.usefixtures("booked")
async def test_whose_alternative_comes_back_is_called(
    database: Database, mailbox: Mailbox, clock: FixedClock, client: httpx.AsyncClient
) -> None:
    await open_site(database, make_site(OTHER_SITE, counters=5))
    await wind_down(database, last_day=THURSDAY)
    await work(database, clock)
    mailbox.answers["c1@mail.example"] = "550 5.1.1 unknown"
    assert await delivered(database, clock, mailbox) == []
    answer = await client.get("/v1/phone-list", params={"site_id": SITE}, headers=bearer("clerk"))
    (entry,) = answer.json()["items"]
    assert (entry["about"], entry["reason"]) == ("alternative", "bounced")
    assert entry["visit_at"] == "2026-04-03T09:00:00+09:00"
    assert entry["answer_by"] is not None


async def test_a_freed_seat_is_offered_by_mail_and_taken_by_its_link(
    database: Database, mailbox: Mailbox, clock: FixedClock, client: httpx.AsyncClient
) -> None:
    await open_site(database, make_site(counters=1))
    await reachable(database, ANNA, BEN)
    (held,) = await book(database, ANNA, at=tokyo(THURSDAY, 9))
    async with units(database, clock).begin(citizen(BEN)) as unit:
        await waitlist.join(unit, waitlist.Wish((BEN,), (SITE,), THURSDAY, THURSDAY), RULES)
    await delivered(database, clock, mailbox)
    async with units(database, clock).begin(citizen(ANNA)) as unit:
        await bookings.cancel(unit, held.booking_id, RULES, lambda _: None)
    clock.advance(timedelta(minutes=20))
    await run(database, clock, offers.work(RULES))
    subjects = await delivered(database, clock, mailbox)
    assert "A date has become free: Thu, 2 Apr 2026, 09:00" in subjects
    (mail,) = (one for one in mailbox.mails if one["To"] == "c1@mail.example")
    token = links(mail)[Purpose.OFFER]
    seen = (await client.post("/v1/links:read", json={"token": token})).json()
    assert (seen["purpose"], seen["booking"]) == ("offer", None)
    session = await client.post("/v1/sessions:link", json={"token": token})
    who = bearer(session.json()["access_token"])
    door = f"/v1/waitlist/{seen['waitlist_id']}"
    taken = await client.post(f"{door}:accept", headers=who)
    assert taken.status_code == 200, taken.text
    assert taken.json()["starts_at"] == "2026-04-02T09:00:00+09:00"
    (subject,) = await delivered(database, clock, mailbox)
    assert subject == "Your visit is booked: Thu, 2 Apr 2026, 09:00"


async def test_an_offer_that_has_ended_cannot_be_opened(
    database: Database, mailbox: Mailbox, clock: FixedClock, client: httpx.AsyncClient
) -> None:
    await open_site(database, make_site(counters=1))
    await reachable(database, ANNA, BEN)
    (held,) = await book(database, ANNA, at=tokyo(THURSDAY, 9))
    async with units(database, clock).begin(citizen(BEN)) as unit:
        await waitlist.join(unit, waitlist.Wish((BEN,), (SITE,), THURSDAY, THURSDAY), RULES)
    async with units(database, clock).begin(citizen(ANNA)) as unit:
        await bookings.cancel(unit, held.booking_id, RULES, lambda _: None)
    clock.advance(timedelta(minutes=20))
    await run(database, clock, offers.work(RULES))
    await delivered(database, clock, mailbox)
    (mail,) = (one for one in mailbox.mails if "become free" in one["Subject"])
    clock.advance(timedelta(hours=3))
    opened = await client.post("/v1/sessions:link", json={"token": links(mail)[Purpose.OFFER]})
    assert opened.status_code == 404


async def test_looking_for_visits_to_remind_of_reads_one_day(database: Database) -> None:
    await open_site(database)
    async with database.transaction() as conn:
        await conn.execute(
            """
            INSERT INTO booking (booking_id, case_id, party_id, site_id, starts_at, minutes,
                                 procedure, made_at, changed_at)
            SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), $1,
                   $2::timestamptz + make_interval(mins => n), 20, 'card_issuance', $2, $2
            FROM generate_series(1, 20000) AS n
            """,
            SITE,
            MORNING,
        )
        await conn.execute("ANALYZE booking")
        start, end = tokyo(THURSDAY, 0), tokyo(THURSDAY, 0) + timedelta(days=1)
        explain = "EXPLAIN " + reminders._TO_REMIND
        rows = await conn.fetch(explain, start, end, start - timedelta(days=1), 500)
    plan = "\n".join(row[0] for row in rows)
    assert "Seq Scan on booking" not in plan, plan

"""The post: what was committed is sent, each outcome is recorded once, and somebody calls."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from services.reservation.domain.booking import Booking
from services.reservation.domain.message import Kind, Note
from services.reservation.gateways.folder import FolderGateway
from services.reservation.gateways.mail import Outcome, Session, Taken, Unreachable
from services.reservation.gateways.smtp import Server, SmtpGateway
from services.reservation.handlers import bookings, citizens, contacts
from services.reservation.handlers import post as handlers
from services.reservation.handlers.contacts import Wish
from services.reservation.post import MailMetrics
from services.reservation.store import outgoing
from shared.clock import FixedClock
from shared.db import Database
from shared.ids import CaseId
from shared.telemetry.metrics import Metrics
from tests.reservation.mailbox import SENDER, TOOLS, Mailbox, post, text
from tests.reservation.support import (
    MORNING,
    PEOPLE,
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

MINE = case("mine")
EMAIL = "hanako@mail.example"


async def known(database: Database, case_id: CaseId = MINE, email: str = EMAIL) -> None:
    """The citizen has a verified address, and no mail waits."""
    async with units(database).begin(citizen(case_id)) as unit:
        kept = await contacts.put(unit, TOOLS, case_id, Wish(email, "0442000000", "ja"))
        typed = TOOLS.code(contacts.CODE_PURPOSE, kept.contact_id)
        await contacts.verify(unit, TOOLS, case_id, typed)
        await unit.conn.execute("DELETE FROM message")


async def booked(database: Database, case_id: CaseId = MINE) -> Booking:
    """The citizen has a seat."""
    wish = bookings.Request((case_id,), SITE, tokyo(THURSDAY, 9))
    async with units(database).begin(citizen(case_id)) as unit:
        (made,) = await bookings.book(unit, wish, RULES)
    return made


@pytest.fixture
async def booking(database: Database) -> Booking:
    """The booking of a citizen who can be written to."""
    await open_site(database)
    await invite(database, MINE)
    await known(database)
    return await booked(database)


async def log_of(database: Database) -> list[tuple[str, str, str | None, int]]:
    """(kind, state, reason, tries) of every message."""
    async with database.reader() as conn:
        rows = await conn.fetch("SELECT kind, state, reason, tries FROM message ORDER BY kind")
    return [tuple(row) for row in rows]


async def calls(database: Database) -> list[tuple[str, str]]:
    """(about, reason) of every call to make."""
    async with database.reader() as conn:
        rows = await conn.fetch("SELECT about, reason FROM phone_entry ORDER BY about")
    return [tuple(row) for row in rows]


async def tomorrow_morning(database: Database) -> None:
    """All waits between tries are over."""
    async with database.transaction() as conn:
        await conn.execute("UPDATE message SET not_before = now() - interval '1 second'")


async def test_a_mail_that_was_taken_is_logged_as_sent(
    database: Database, booking: Booking, mailbox: Mailbox
) -> None:
    sending = post(database, mailbox.gateway())
    assert await sending.round() == 1
    assert await sending.round() == 0
    mail = mailbox.take()
    assert mailbox.recipients == [EMAIL]
    assert mail["Message-ID"].endswith("@city.example>")
    assert await log_of(database) == [("confirmed", "sent", None, 1)]


async def test_a_refused_address_bounces_and_is_called(
    database: Database, booking: Booking, mailbox: Mailbox
) -> None:
    mailbox.answers[EMAIL] = "550 5.1.1 nobody of this name"
    await post(database, mailbox.gateway()).round()
    assert await log_of(database) == [("confirmed", "bounced", "550", 1)]
    assert await calls(database) == [("confirmed", "bounced")]


async def test_a_delayed_mail_is_tried_again_and_given_up_in_the_end(
    database: Database, booking: Booking, mailbox: Mailbox
) -> None:
    mailbox.answers[EMAIL] = "451 4.7.1 later"
    sending = post(database, mailbox.gateway(), tries=3)
    assert [await sending.round(), await sending.round()] == [1, 0]
    assert await log_of(database) == [("confirmed", "waiting", "451", 1)]
    for _ in range(2):
        await tomorrow_morning(database)
        await sending.round()
    assert await log_of(database) == [("confirmed", "not_possible", "451", 3)]
    assert await calls(database) == [("confirmed", "not_possible")]


async def test_a_delayed_mail_gets_through_later(
    database: Database, booking: Booking, mailbox: Mailbox
) -> None:
    mailbox.answers[EMAIL] = "450 4.2.1 mailbox busy"
    sending = post(database, mailbox.gateway())
    await sending.round()
    mailbox.answers.clear()
    await tomorrow_morning(database)
    await sending.round()
    assert await log_of(database) == [("confirmed", "sent", None, 2)]
    assert await calls(database) == []


async def test_a_server_that_cannot_be_used_costs_no_try(
    database: Database, booking: Booking, mailbox: Mailbox
) -> None:
    nowhere = SmtpGateway(Server.of("smtp://127.0.0.1:1"), sender=SENDER.address, timeout=5)
    for _ in range(4):
        assert await post(database, nowhere, tries=1).round() == 1
        await tomorrow_morning(database)
    mailbox.closing = "421 4.3.2 closing"
    await post(database, mailbox.gateway(), tries=1).round()
    assert (await log_of(database))[0][1:2] + (await log_of(database))[0][3:] == ("waiting", 0)
    mailbox.closing = None
    await tomorrow_morning(database)
    await post(database, mailbox.gateway(), tries=1).round()
    assert await log_of(database) == [("confirmed", "sent", None, 1)]


class Killed(BaseException):
    """The process is gone."""


class Deadly:
    """Hands mails to a server and dies before anything can be recorded."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._inner = mailbox.gateway()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        async with self._inner.session() as inner:
            yield _DeadlySession(inner)


class _DeadlySession:
    def __init__(self, inner: Session) -> None:
        self._inner = inner

    async def send(self, mail: EmailMessage, to: str) -> Outcome:
        assert await self._inner.send(mail, to) == Taken()
        raise Killed


async def test_a_sender_killed_between_sending_and_recording_sends_again_under_the_same_id(
    database: Database, booking: Booking, mailbox: Mailbox
) -> None:
    """At least once to the citizen, exactly once in the log."""
    with pytest.raises(Killed):
        await post(database, Deadly(mailbox)).round()
    assert await log_of(database) == [("confirmed", "waiting", None, 1)]
    other = post(database, mailbox.gateway())
    assert await other.round() == 0, "the lease of the dead one has not run out"
    async with database.transaction() as conn:
        await conn.execute("UPDATE message SET taken_until = now() - interval '1 second'")
    assert await other.round() == 1
    assert await other.round() == 0
    ids = [mail["Message-ID"] for mail in mailbox.mails]
    assert len(ids) == 2
    assert len(set(ids)) == 1, "the citizen's mail program can tell that it is the same"
    assert await log_of(database) == [("confirmed", "sent", None, 2)]


async def test_who_comes_back_after_the_lease_records_nothing(
    database: Database, booking: Booking, mailbox: Mailbox
) -> None:
    async with units(database).begin(PEOPLE["mailer"]) as unit:
        (slow,) = await handlers.take(unit, TOOLS, SENDER, RULES)
        await unit.conn.execute("UPDATE message SET taken_until = now() - interval '1 second'")
    assert await post(database, mailbox.gateway()).round() == 1
    async with units(database).begin(PEOPLE["mailer"]) as unit:
        assert await handlers.record(unit, [(slow, Unreachable("late"))], 3) == []
    assert await log_of(database) == [("confirmed", "sent", None, 2)]


async def test_several_posts_share_the_mails(database: Database, mailbox: Mailbox) -> None:
    await open_site(database)
    everybody = [case("citizen", number) for number in range(60)]
    await invite(database, *everybody)
    async with units(database).begin(PEOPLE["clerk"]) as unit:
        for number, one in enumerate(everybody):
            wish = Wish(f"c{number}@mail.example", None, "ja")
            kept = await contacts.put(unit, TOOLS, one, wish)
            typed = TOOLS.code(contacts.CODE_PURPOSE, kept.contact_id)
            await contacts.verify(unit, TOOLS, one, typed)
        await unit.conn.execute("DELETE FROM message")
        notes = [Note(Kind.CANCELLED, one, "news", unit.now, site_id=SITE) for one in everybody]
        await citizens.notify(unit, notes)

    async def work() -> None:
        sending = post(database, mailbox.gateway())
        while await sending.round():
            pass

    await asyncio.gather(*(work() for _ in range(4)))
    assert sorted(mailbox.recipients) == sorted(f"c{n}@mail.example" for n in range(60))
    assert {entry[1:] for entry in await log_of(database)} == {("sent", None, 1)}


async def test_what_is_no_longer_true_is_not_told(
    database: Database, booking: Booking, mailbox: Mailbox
) -> None:
    async with units(database).begin(citizen(MINE)) as unit:
        await bookings.cancel(unit, booking.booking_id, RULES, lambda _: None)
    await post(database, mailbox.gateway()).round()
    assert "取消し" in mailbox.take()["Subject"]
    assert [entry[:2] for entry in await log_of(database)] == [
        ("cancelled", "sent"),
        ("confirmed", "superseded"),
    ]


async def test_nothing_is_told_of_a_visit_that_is_over(
    database: Database, booking: Booking, mailbox: Mailbox, clock: FixedClock
) -> None:
    clock.set(tokyo(THURSDAY, 10))
    assert await post(database, mailbox.gateway(), clock).round() == 0
    assert [entry[:2] for entry in await log_of(database)] == [("confirmed", "superseded")]


async def test_nothing_is_told_of_what_did_not_commit(database: Database) -> None:
    await open_site(database)
    await invite(database, MINE)
    await known(database)
    wish = bookings.Request((MINE,), SITE, tokyo(THURSDAY, 9))

    async def fail() -> None:
        async with units(database).begin(citizen(MINE)) as unit:
            await bookings.book(unit, wish, RULES)
            raise Killed

    with pytest.raises(Killed):
        await fail()
    assert await log_of(database) == []


async def test_news_of_the_city_without_an_address_goes_to_the_phone_list(
    database: Database,
) -> None:
    await open_site(database)
    await invite(database, MINE)
    made = await booked(database)
    async with units(database).begin(PEOPLE["clerk"]) as unit:
        await bookings.cancel(unit, made.booking_id, RULES, lambda _: None)
    assert await log_of(database) == [("cancelled", "not_possible", "no_contact", 0)]
    assert await calls(database) == [("cancelled", "no_contact")]


async def test_the_same_news_is_told_once(database: Database, booking: Booking) -> None:
    note = citizens.confirmed(booking, MORNING)
    for _ in range(2):
        async with units(database).begin(citizen(MINE)) as unit:
            await citizens.notify(unit, [note, note])
    assert len(await log_of(database)) == 1


async def test_one_message_that_cannot_be_written_stops_no_other(
    database: Database, booking: Booking, mailbox: Mailbox
) -> None:
    async with units(database).begin(PEOPLE["clerk"]) as unit:
        broken = Note(
            Kind.CANCELLED,
            MINE,
            "broken",
            unit.now - timedelta(hours=1),
            site_id=SITE,
            facts={"site_id": "nowhere", "starts_at": booking.starts_at.isoformat()},
        )
        await citizens.notify(unit, [broken])
    assert await post(database, mailbox.gateway()).round() == 1
    assert [entry[:3] for entry in await log_of(database)] == [
        ("cancelled", "not_possible", "KeyError"),
        ("confirmed", "sent", None),
    ]
    assert await calls(database) == [("cancelled", "not_possible")]


async def test_a_mail_that_comes_back_later_is_recorded_and_called(
    database: Database, booking: Booking, mailbox: Mailbox, client: httpx.AsyncClient
) -> None:
    await post(database, mailbox.gateway()).round()
    message_id = UUID(mailbox.take()["Message-ID"].strip("<>").partition("@")[0])
    door = f"/v1/messages/{message_id}:bounced"
    for _ in range(2):
        answer = await client.post(door, json={"code": "5.1.1"}, headers=bearer("mailer"))
        assert (answer.status_code, answer.json()["state"]) == (200, "bounced"), answer.text
    assert await log_of(database) == [("confirmed", "bounced", "5.1.1", 1)]
    assert await calls(database) == [("confirmed", "bounced")]
    refused = await client.post(door, json={"code": "who?"}, headers=bearer("mailer"))
    assert refused.status_code == 422
    assert (
        await client.post(door, json={"code": "5.1.1"}, headers=bearer("clerk"))
    ).status_code == 403


async def test_in_an_embedded_run_a_mail_is_a_file_of_its_own(
    database: Database, booking: Booking, tmp_path: Path
) -> None:
    folder = tmp_path / "mail"
    await post(database, FolderGateway(folder)).round()
    (file,) = folder.iterdir()
    assert file.suffix == ".eml"
    assert (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    assert EMAIL.encode() in file.read_bytes()


async def test_figures_tell_what_waits_and_what_became_of_mails(
    database: Database, booking: Booking, mailbox: Mailbox, clock: FixedClock
) -> None:
    metrics = Metrics(service="reservation", role="test")
    figures = MailMetrics(metrics)
    clock.advance(timedelta(minutes=5))
    await post(database, mailbox.gateway(), clock).round(figures)

    def told(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(f"madoguchi_reservation_{name}", labels)

    assert (told("mails_waiting"), told("mails_oldest_age_seconds")) == (1.0, 300.0)
    assert told("mails_total", outcome="taken") == 1.0
    await post(database, mailbox.gateway(), clock).round(figures)
    assert (told("mails_waiting"), told("calls_open")) == (0.0, 0.0)
    assert "予約" in text(mailbox.take())


async def test_the_query_that_takes_mails_reads_only_what_waits(database: Database) -> None:
    async with database.transaction() as conn:
        await conn.execute(
            """
            INSERT INTO message (message_id, dedupe_key, kind, facts, state, created_at)
            SELECT gen_random_uuid(), n::text, 'confirmed', '{}', 'sent', now()
            FROM generate_series(1, 20000) AS n
            """
        )
        await conn.execute("ANALYZE message")
        explain = "EXPLAIN (FORMAT TEXT) " + outgoing._TAKE
        rows = await conn.fetch(explain, 20, timedelta(minutes=5))
    plan = "\n".join(row[0] for row in rows)
    assert "message_waiting" in plan
    assert "Seq Scan on message" not in plan

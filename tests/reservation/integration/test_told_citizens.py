"""What other rooms tell becomes one mail or one call: told twice, again, or in another order."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations

import pytest
from aiokafka.structs import ConsumerRecord

from services.reservation.handlers import bookings, contacts, renewals
from services.reservation.handlers.contacts import Wish
from shared.clock import FixedClock
from shared.contracts.issuance import DeferReason, VisitDeferred, VisitPaused
from shared.contracts.preparation import CardDisposalDue, CardVoided, DisposalReason, VoidReason
from shared.db import Database
from shared.errors import Language
from shared.ids import BookingId, CaseId, VisitId, derived_id, new_id
from shared.messaging import inbox
from shared.security.principal import EVERY_SITE, Principal, Role
from tests.reservation.mailbox import TOOLS, Mailbox, post, text
from tests.reservation.support import (
    RULES,
    SITE,
    THURSDAY,
    TODAY,
    WARD,
    case,
    citizen,
    hear,
    invite,
    issued,
    make_site,
    notified,
    open_site,
    renewed,
    tokyo,
    told,
    units,
)

MINE = case("mine")
VOIDED = told(CardVoided(case_id=MINE, reason=VoidReason.MOVED_OUT), 5)
DUE = told(CardDisposalDue(case_id=MINE, reason=DisposalReason.UNCLAIMED), 6)
DONE = told(issued(MINE), 7)


async def book(database: Database, *, reachable: bool = True, language: Language = "ja") -> None:
    """A visit of a citizen who can be written to, or not."""
    await open_site(database)
    await invite(database, MINE)
    async with units(database).begin(citizen(MINE)) as unit:
        if reachable:
            kept = await contacts.put(unit, TOOLS, MINE, Wish("a@mail.example", None, language))
            typed = TOOLS.code(contacts.CODE_PURPOSE, kept.contact_id)
            await contacts.verify(unit, TOOLS, MINE, typed)
        await bookings.book(unit, bookings.Request((MINE,), SITE, tokyo(THURSDAY, 9)), RULES)
        await unit.conn.execute("DELETE FROM message")


async def messages(database: Database) -> list[tuple[str, str]]:
    """(kind, reason told) of every message."""
    async with database.reader() as conn:
        rows = await conn.fetch("SELECT kind, facts ->> 'reason' FROM message")
    return [tuple(row) for row in rows]


@pytest.fixture
def no_inbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first line of defence is gone."""

    async def claim_everything(_conn: object, _consumer: str, ids: set[object]) -> set[object]:
        return set(ids)

    monkeypatch.setattr(inbox, "claim", claim_everything)


async def test_an_end_told_again_and_again_is_mailed_once(
    database: Database, mailbox: Mailbox, no_inbox: None
) -> None:
    await book(database)
    for batch in ([VOIDED, VOIDED], [VOIDED]):
        await hear(database, *batch)
        await post(database, mailbox.gateway()).round()
    assert len(mailbox.mails) == 1
    assert await messages(database) == [("cancelled", "card_voided")]


async def test_an_end_told_again_lists_one_call(database: Database, no_inbox: None) -> None:
    await book(database, reachable=False)
    for batch in ([VOIDED, VOIDED], [VOIDED]):
        await hear(database, *batch)
    async with database.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM phone_entry") == 1


@pytest.mark.parametrize("order", list(permutations((VOIDED, DUE, DONE))))
async def test_whichever_end_comes_first_the_citizen_hears_of_one(
    database: Database, order: Sequence[ConsumerRecord]
) -> None:
    await book(database)
    for record in order:
        await hear(database, record)
    found = await messages(database)
    assert len(found) <= 1, found
    first = order[0]
    assert bool(found) is (first is not DONE), "of a visit that took place nothing is told"


async def test_an_end_told_before_the_invitation_writes_to_nobody(
    database: Database, no_inbox: None
) -> None:
    await hear(database, VOIDED)
    await hear(database, told(notified(MINE), 1), VOIDED)
    assert await messages(database) == []


async def test_old_news_told_again_to_an_empty_room_sends_nothing(
    database: Database, mailbox: Mailbox, clock: FixedClock
) -> None:
    await book(database)
    await hear(database, VOIDED)
    clock.set(tokyo(THURSDAY, 12))
    assert await post(database, mailbox.gateway(), clock).round() == 0
    assert mailbox.mails == []


async def test_a_renewal_that_is_done_ends_once_and_stays_ended(
    database: Database, no_inbox: None
) -> None:
    await open_site(database, make_site())
    clerk = Principal("staff:c", frozenset({Role.CLERK}), frozenset({EVERY_SITE}))
    wish = renewals.Wish(WARD, TODAY, "0442000000", "ja")
    async with units(database).begin(clerk) as unit:
        made = await renewals.open_(unit, TOOLS, wish, RULES)
    record = told(renewed(made.case_id), 3)
    ends = []
    for batch in ([record, record], [record]):
        await hear(database, *batch)
        async with units(database).begin(clerk) as unit:
            ends.append((await renewals.read(unit, made.case_id)).ended_at)
    assert ends[0] is not None
    assert ends[0] == ends[1]
    await hear(database, told(renewed(CaseId(new_id())), 1))


async def booked(database: Database) -> BookingId:
    """The citizen's booking."""
    async with database.reader() as conn:
        return BookingId(await conn.fetchval("SELECT booking_id FROM booking"))


def broken_off(booking_id: BookingId) -> VisitDeferred:
    """The citizen was there when the national system stopped."""
    return VisitDeferred(
        case_id=MINE,
        site_id=SITE,
        visit_id=VisitId(derived_id("visit")),
        reason=DeferReason.NATIONAL_SYSTEM,
        booking_id=booking_id,
    )


@pytest.mark.parametrize("minutes", [-10, 20])
async def test_whom_a_stop_has_sent_home_has_it_in_writing(
    database: Database, mailbox: Mailbox, no_inbox: None, clock: FixedClock, minutes: int
) -> None:
    await book(database)
    booking_id = await booked(database)
    at = tokyo(THURSDAY, 9) + timedelta(minutes=minutes)
    news = told(broken_off(booking_id), 8, at=at)
    clock.set(at)
    for batch in ([news, news], [news]):
        await hear(database, *batch)
        await post(database, mailbox.gateway(), clock).round()
    (mail,) = mailbox.mails
    assert ("ご来庁中に" if minutes > 0 else "停止") in text(mail)


async def test_a_day_later_it_is_no_news(
    database: Database, mailbox: Mailbox, clock: FixedClock
) -> None:
    await book(database)
    booking_id = await booked(database)
    await hear(database, told(broken_off(booking_id), 8, at=tokyo(THURSDAY, 10)))
    clock.set(tokyo(THURSDAY, 23))
    assert await post(database, mailbox.gateway(), clock).round() == 0


def paused(booking_id: BookingId, visit: str = "visit", case_id: CaseId = MINE) -> VisitPaused:
    """The citizen is there and waits for the national system."""
    visit_id = VisitId(derived_id(visit))
    return VisitPaused(case_id=case_id, site_id=SITE, visit_id=visit_id, booking_id=booking_id)


WAITING: dict[Language, str] = {"ja": "復旧しだいお呼びします", "en": "are called once"}


@pytest.mark.usefixtures("no_inbox")
@pytest.mark.parametrize("language", WAITING)
async def test_who_waits_for_the_system_has_it_in_writing_once_for_a_visit(
    database: Database, mailbox: Mailbox, clock: FixedClock, language: Language
) -> None:
    await book(database, language=language)
    booking_id = await booked(database)
    at = tokyo(THURSDAY, 9, 10)
    clock.set(at)
    other = CaseId(new_id())
    for batch in (
        [told(paused(booking_id), 8, at=at), told(paused(booking_id), 9, at=at)],
        [told(paused(booking_id), 8, at=at), told(paused(booking_id, case_id=other), 1, at=at)],
    ):
        await hear(database, *batch)
        await post(database, mailbox.gateway(), clock).round()
    (mail,) = mailbox.mails
    assert WAITING[language] in text(mail)
    assert [kind for kind, _ in await messages(database)] == ["paused"]
    await hear(database, told(paused(booking_id, "tomorrow's"), 10, at=at))
    await hear(database, told(broken_off(booking_id), 11, at=at))
    await post(database, mailbox.gateway(), clock).round()
    assert WAITING[language] not in text(mailbox.mails[-1]), "whom it sent home waits no more"
    assert len(mailbox.mails) == 2


async def test_of_each_visit_the_first_pause_is_told_however_a_batch_is_cut(
    database: Database,
) -> None:
    await book(database)
    booking_id = await booked(database)
    at = tokyo(THURSDAY, 9, 10)
    again = told(paused(booking_id), 9, at=at + timedelta(hours=1))
    stranger = told(paused(booking_id, case_id=CaseId(new_id())), 1, at=at)
    later = told(paused(booking_id, "tomorrow's"), 10, at=at + timedelta(hours=2))
    await hear(database, told(paused(booking_id), 8, at=at), again, later, stranger)
    async with database.reader() as conn:
        rows = await conn.fetch("SELECT created_at FROM message ORDER BY created_at")
    assert [row["created_at"] for row in rows] == [at, at + timedelta(hours=2)]


async def test_who_waits_is_not_called_where_the_mail_comes_back(
    database: Database, mailbox: Mailbox, clock: FixedClock
) -> None:
    await book(database)
    booking_id = await booked(database)
    at = tokyo(THURSDAY, 9, 10)
    clock.set(at)
    await hear(database, told(paused(booking_id), 8, at=at))
    mailbox.answers["a@mail.example"] = "550 5.1.1 nobody of this name"
    assert await post(database, mailbox.gateway(), clock).round() == 1
    async with database.reader() as conn:
        assert await conn.fetchval("SELECT state FROM message") == "bounced"
        assert await conn.fetchval("SELECT count(*) FROM phone_entry") == 0


async def test_who_waits_is_not_written_to_when_it_is_no_news(
    database: Database, mailbox: Mailbox, clock: FixedClock
) -> None:
    await book(database)
    booking_id = await booked(database)
    await hear(database, told(paused(booking_id), 8, at=tokyo(THURSDAY, 9, 10)))
    clock.set(tokyo(THURSDAY, 23))
    assert await post(database, mailbox.gateway(), clock).round() == 0


async def test_whom_no_mail_can_reach_was_told_at_the_site(database: Database) -> None:
    await book(database, reachable=False)
    booking_id = await booked(database)
    await hear(database, told(paused(booking_id), 8, at=tokyo(THURSDAY, 9, 10)))
    await hear(database, told(broken_off(booking_id), 9, at=tokyo(THURSDAY, 10)))
    async with database.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM phone_entry") == 0
    assert await messages(database) == []

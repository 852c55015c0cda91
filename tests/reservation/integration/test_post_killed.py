"""The sender is killed again and again between handing mails over and recording it."""

import asyncio
import random
import signal
import sys
from collections import Counter

import pytest

from services.reservation.domain.message import Kind, Note
from services.reservation.handlers import citizens, contacts
from services.reservation.handlers.contacts import Wish
from shared.db import Database
from tests.conftest import DatabaseMaker
from tests.reservation.mailbox import TOOLS, Mailbox
from tests.reservation.support import PEOPLE, SITE, case, invite, units
from tests.support.sizes import proof_size

MAILS = proof_size(60, 1_000)
MOST = 20
"""Mails between two kills; no more than one batch."""


async def written(database: Database) -> None:
    """News for so many citizens."""
    cases = [case("citizen", number) for number in range(MAILS)]
    await invite(database, *cases)
    async with units(database).begin(PEOPLE["clerk"]) as unit:
        for number, one in enumerate(cases):
            kept = await contacts.put(unit, TOOLS, one, Wish(f"c{number}@mail.example", None, "ja"))
            typed = TOOLS.code(contacts.CODE_PURPOSE, kept.contact_id)
            await contacts.verify(unit, TOOLS, one, typed)
        await unit.conn.execute("DELETE FROM message")
        notes = [Note(Kind.CANCELLED, one, "news", unit.now, site_id=SITE) for one in cases]
        await citizens.notify(unit, notes)


async def sender(url: str, port: int, mails: int) -> int:
    """Run a sender to its end; how it ended."""
    command = ["-m", "tests.reservation.sender", url, str(port), str(mails)]
    process = await asyncio.create_subprocess_exec(sys.executable, *command)
    return await process.wait()


@pytest.mark.proof
@pytest.mark.timeout(1800)
async def test_every_message_is_logged_once_and_reaches_its_citizen_at_least_once(
    make_database: DatabaseMaker, mailbox: Mailbox
) -> None:
    url = await make_database("reservation")
    database = await Database.connect(url, application="test")
    choose, kills = random.Random(1), 0
    try:
        await written(database)
        while True:
            # A killed sender leaves its leases; here they have run out.
            async with database.transaction() as conn:
                await conn.execute("UPDATE message SET taken_until = NULL")
            left = await waiting(database)
            if left == 0:
                break
            mails = 0 if kills * MOST > 2 * MAILS else choose.randint(1, MOST)
            ended = await sender(url, mailbox.port, mails)
            if mails and left >= mails:
                assert ended == -signal.SIGKILL
                kills += 1
        async with database.reader() as conn:
            rows = await conn.fetch("SELECT state, count(*) FROM message GROUP BY state")
    finally:
        await database.close()
    assert [tuple(row) for row in rows] == [("sent", MAILS)]
    ids = Counter(mail["Message-ID"] for mail in mailbox.mails)
    to = {mail["Message-ID"]: mail["To"] for mail in mailbox.mails}
    assert kills >= 3
    assert len(ids) == MAILS, "each citizen has the mail"
    assert ids.total() == MAILS + kills, "each kill made one mail go twice, and no more"
    assert len(set(to.values())) == MAILS, "and under one id of its own, however often it came"


async def waiting(database: Database) -> int:
    """How many messages have no outcome."""
    async with database.reader() as conn:
        found: int = await conn.fetchval("SELECT count(*) FROM message WHERE state = 'waiting'")
    return found

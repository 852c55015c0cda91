"""After an upgrade the room says which read models lack what only the past can tell; and what is
kept of tellings is the same in any order.
"""

import random
import shutil
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path

from services.reporting.bootstrap import ROOM
from services.reporting.handlers.stage_backlog import backlogs
from services.reporting.store import projections
from shared.calendar import BusinessCalendar
from shared.db import Database
from shared.migrate import migrate
from tests.reporting.conftest import Reporting
from tests.reporting.day_story import story
from tests.reporting.histories import case_of, tokyo

_SEATS = """
INSERT INTO site_seats VALUES ('office', 'card_issuance', '2026-04-01', 9, 9, now(), 1, $1)
"""
_NOTIFIED = """
INSERT INTO case_fact (case_id, notified_at, notice_site, notice_deadline, notice_at,
                       notice_sequence, notice_event)
VALUES ($1, now(), 'office', '2026-06-01', now(), 1, $1)
"""
_HELD = """
INSERT INTO case_fact (case_id, received_at, held_at, released_at) VALUES ($1, $2, $2, $3)
"""
_MOVED = """
INSERT INTO booking_change (event_id, booking_id, case_id, kind, reason, site_id, procedure,
                            told_at)
VALUES ($1, $2, $2, 'moved', 'citizen', 'office', 'card_issuance', $3)
"""
_BEFORE_THE_NOTICE_WAS_KEPT = """
notice_site = NULL, notice_deadline = NULL, notice_at = NULL, notice_sequence = NULL,
notice_event = NULL
"""


async def test_a_room_with_a_past_is_to_be_rebuilt_and_a_fresh_one_is_not(
    make_database: Callable[..., Awaitable[str]], tmp_path: Path
) -> None:
    for file in sorted(ROOM.migrations.glob("000[1-7]_*.sql")):
        shutil.copy(file, tmp_path)
    for seats, expected in ((0, []), (1, ["cases", "free_days"])):
        url = await make_database("kernel")
        await migrate(url, [("reporting", tmp_path)])
        database = await Database.connect(url, application="test")
        async with database.transaction() as conn:
            await conn.execute(_NOTIFIED, case_of(2))
            if seats:
                await conn.execute(_SEATS, case_of(1))
                await conn.execute("UPDATE case_fact SET " + _BEFORE_THE_NOTICE_WAS_KEPT)
        await migrate(url, ROOM.migration_sources)
        async with database.reader() as conn:
            assert await projections.behind(conn) == expected
        await database.close()


async def test_who_was_on_hold_stays_so_and_who_was_let_go_may_be_again(
    make_database: Callable[..., Awaitable[str]], tmp_path: Path
) -> None:
    """A card that was never released is on hold since the first hold: that needs no rebuild."""
    for file in sorted(ROOM.migrations.glob("*.sql")):
        if file.name < "0013":
            shutil.copy(file, tmp_path)
    for released, expected in ((None, []), (tokyo(2026, 7, 3), ["cases"])):
        url = await make_database("kernel")
        await migrate(url, [("reporting", tmp_path)])
        database = await Database.connect(url, application="test")
        async with database.transaction() as conn:
            for number, end in ((1, None), (2, released)):
                await conn.execute(_HELD, case_of(number), tokyo(2026, 7, 1 + number), end)
        await migrate(url, ROOM.migration_sources)
        async with database.reader() as conn:
            assert await projections.behind(conn) == expected
            held = (await backlogs(conn, date(2026, 7, 15), BusinessCalendar()))[-1]
        assert (held.cards, held.oldest) == (1 if released else 2, date(2026, 7, 2))
        await database.close()


async def test_moves_told_at_one_time_ask_for_their_order(
    make_database: Callable[..., Awaitable[str]], tmp_path: Path
) -> None:
    for file in sorted(ROOM.migrations.glob("*.sql")):
        if file.name < "0014":
            shutil.copy(file, tmp_path)
    url = await make_database("kernel")
    await migrate(url, [("reporting", tmp_path)])
    database = await Database.connect(url, application="test")
    async with database.transaction() as conn:
        for number in (1, 2):
            await conn.execute(_MOVED, case_of(number), case_of(3), tokyo(2026, 7, 3))
    await migrate(url, ROOM.migration_sources)
    async with database.reader() as conn:
        assert await projections.behind(conn) == ["cases"]
    await database.close()


async def test_tellings_are_kept_the_same_in_any_order_and_number(reporting: Reporting) -> None:
    history, found = story(), []
    for number in range(3):
        async with reporting.database.transaction() as conn:
            await conn.execute("TRUNCATE free_told, search_count, site_offer, inbox")
        told = history + history[: 40 * number]
        random.Random(number).shuffle(told)
        for start in range(0, len(told), 17):
            await reporting.hear(told[start : start + 17])
            async with reporting.database.transaction() as conn:
                await conn.execute("TRUNCATE inbox")  # the rows alone know what was told
        async with reporting.database.reader() as conn:
            tables = ("free_told", "search_count", "site_offer")
            found.append(await projections.content(conn, "public", tables))
    assert found[0].rows > 30
    assert found[0] == found[1] == found[2]

"""What tests of the life of sites do: book, close, let the due work run, answer, and look."""

from collections.abc import Sequence
from datetime import date, datetime

from services.reservation.domain.booking import Booking
from services.reservation.domain.closure import Progress
from services.reservation.handlers import (
    answers,
    bookings,
    closing,
    closures,
    site_life,
    sites,
    withdrawing,
)
from services.reservation.handlers.answers import Said
from services.reservation.handlers.bookings import Request
from services.reservation.handlers.sites import Displaced, Settled
from services.reservation.store import bookings as store
from shared.clock import FixedClock
from shared.contracts.place import Site
from shared.db import Database
from shared.ids import CaseId, SiteId, derived_id
from shared.security.principal import EVERY_SITE, Principal, Role
from tests.reservation.support import FRIDAY, MORNING, PEOPLE, RULES, SITE, citizen, units

SUPERVISOR = Principal("staff:s", frozenset({Role.SUPERVISOR}), frozenset({EVERY_SITE}))
ROOM = Principal.system("reservation")


async def book(
    database: Database, *cases: CaseId, at: datetime, site_id: SiteId = SITE
) -> list[Booking]:
    """Book the cases together."""
    async with units(database).begin(citizen(*cases)) as unit:
        return await bookings.book(unit, Request(cases, site_id, at), RULES)


async def wind_down(
    database: Database, last_day: date = FRIDAY, *, selling: bool = True
) -> Settled:
    """Let the site serve for the last time on that day, and sell its seats until then."""
    async with units(database).begin(PEOPLE["planner"]) as unit:
        return await site_life.wind_down(
            unit, SITE, last_day, RULES, lambda _: None, selling=selling
        )


async def withdraw(database: Database, clock: FixedClock) -> Progress:
    """Take the newest closure of the site back, and let its work run dry."""
    closure = (await progress(database)).closure
    async with units(database, clock).begin(PEOPLE["planner"]) as unit:
        await withdrawing.withdraw(unit, closure.closure_id, RULES)
    await work(database, clock)
    return await progress(database)


async def change(database: Database, site: Site) -> Settled:
    """Change the site and offer others to whom it displaces."""
    async with units(database).begin(PEOPLE["planner"]) as unit:
        return await sites.put(unit, site, RULES, lambda _: None, policy=Displaced.MOVE)


async def work(database: Database, clock: FixedClock) -> int:
    """Let the due work of closures run dry; how many steps that took."""
    step, done = closing.work(RULES), 0
    while True:
        async with units(database, clock).begin(ROOM) as unit:
            if not await step(unit):
                return done
        done += 1
        assert done < 100


async def progress(database: Database, site_id: SiteId = SITE) -> Progress:
    """How far the newest closure of the site has come."""
    async with units(database).begin(SUPERVISOR) as unit:
        return (await closures.page(unit, None, site_id, 100, running_only=False))[-1]


def standing(found: Progress) -> dict[str, int]:
    """The counts that are not zero."""
    return {state.value: number for state, number in found.counts.items() if number}


async def answer(
    database: Database, booking: Booking, said: Said, clock: FixedClock, who: Principal
) -> None:
    """Answer for a booking."""
    async with units(database, clock).begin(who) as unit:
        await answers.answer(unit, booking.booking_id, said, RULES)


async def seats(database: Database, cases: Sequence[CaseId]) -> list[tuple[SiteId, datetime]]:
    """Where the active bookings of the cases are, in the order of the cases."""
    async with database.reader() as conn:
        rows = await conn.fetch(
            "SELECT case_id, site_id, starts_at FROM booking WHERE state = 'active'"
        )
    found = {row["case_id"]: (row["site_id"], row["starts_at"]) for row in rows}
    return [found[one] for one in cases if one in found]


async def kept(database: Database) -> set[tuple[SiteId, datetime]]:
    """Where seats are kept for somebody."""
    async with database.reader() as conn:
        rows = await conn.fetch("SELECT to_site_id, to_starts_at FROM displaced WHERE seat_held")
    return {(row["to_site_id"], row["to_starts_at"]) for row in rows}


async def named(database: Database, case_id: CaseId) -> list[Booking]:
    """The active bookings of a case."""
    async with units(database).begin(SUPERVISOR) as unit:
        return await store.active(unit.conn, [case_id])


async def reachable(database: Database, *cases: CaseId) -> None:
    """Let these citizens have a verified address."""
    contacts = [derived_id("contact", one) for one in cases]
    async with database.transaction() as conn:
        await conn.execute(
            """
            INSERT INTO contact (contact_id, sealed_email, language, verified_at, created_at)
            SELECT id, '\\x00', 'ja', $2, $2 FROM unnest($1::uuid[]) AS c(id)
            """,
            contacts,
            MORNING,
        )
        await conn.execute(
            "INSERT INTO case_contact SELECT * FROM unnest($1::uuid[], $2::uuid[])",
            list(cases),
            contacts,
        )

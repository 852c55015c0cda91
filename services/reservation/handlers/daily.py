"""Work of each day: reminding tomorrow's visitors, and forgetting contacts nobody needs.

Each is done in batches, and a mark says that the day is done; a crash leaves the rest due. Batches
skip what another process works on.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, time, timedelta

from services.reservation.domain.message import Kind, Note
from services.reservation.handlers import citizens, contacts, renewals
from services.reservation.store import contacts as contact_store
from services.reservation.store import daily, fair_use
from services.reservation.store.reminders import Visit, to_remind
from shared.calendar import TOKYO, business_date
from shared.contracts.reservation import ErasureReason
from shared.due import DueWork
from shared.unit import Unit

BATCH = 500
Batch = Callable[[Unit], Awaitable[int]]


def reminders(at: time) -> DueWork:
    """Remind of visits on the day before, from ``at`` on (local time).

    Who booked or moved today knows.
    """
    return once_a_day("reminders", at, _remind)


def retention(days: int) -> DueWork:
    """Erase contacts ``days`` after the last of their cases ended."""

    async def batch(unit: Unit) -> int:
        before = unit.now - timedelta(days=days)
        found = await contact_store.outlived(unit.conn, before, BATCH)
        return await contacts.erase(unit, found, ErasureReason.RETENTION_ENDED)

    return once_a_day("retention", time(2), batch)


def abandoned_renewals(days: int) -> DueWork:
    """End renewals that nobody has pursued ``days`` after the certificates ended."""

    async def batch(unit: Unit) -> int:
        return await renewals.end_abandoned(unit, days, BATCH)

    return once_a_day("abandoned renewals", time(2), batch)


def counters() -> DueWork:
    """Forget old counters of tries."""

    async def batch(unit: Unit) -> int:
        return await fair_use.purge(unit.conn, BATCH)

    return once_a_day("counters", time(3), batch)


def once_a_day(name: str, at: time, batch: Batch) -> DueWork:
    """Call ``batch`` from ``at`` on (local time) until it says nothing is left for this day."""

    async def work(unit: Unit) -> int:
        today = business_date(unit.now)
        if unit.now.astimezone(TOKYO).time() < at or await daily.is_done(unit.conn, name, today):
            return 0
        done = await batch(unit)
        if done == 0:
            await daily.mark(unit.conn, name, today, unit.now)
        return done

    return work


async def _remind(unit: Unit) -> int:
    today = business_date(unit.now)
    start = datetime.combine(today + timedelta(days=1), time(), TOKYO)
    found = await to_remind(
        unit.conn, start, start + timedelta(days=1), start - timedelta(days=1), BATCH
    )
    await citizens.notify(unit, [_reminder(visit, unit.now) for visit in found])
    return len(found)


def _reminder(visit: Visit, at: datetime) -> Note:
    return Note(
        kind=Kind.REMINDER,
        case_id=visit.case_id,
        ref=f"{visit.booking_id}:{visit.version}",
        at=at,
        booking_id=visit.booking_id,
        site_id=visit.site_id,
        facts={
            "site_id": visit.site_id,
            "starts_at": visit.starts_at.isoformat(),
            "minutes": visit.minutes,
            "procedure": visit.procedure,
            "version": visit.version,
        },
    )

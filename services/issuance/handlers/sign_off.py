"""The sign-off of a site's day: who was expected and not seen was missed, what is open is closed.

Issuance owns attendance: only this says ``visit.missed``, once per booking.
"""

from datetime import date, timedelta
from typing import assert_never

from services.issuance.domain.card_count import require_counted
from services.issuance.domain.conflict import ConflictsOpen
from services.issuance.domain.day import DayOpen, DayReport, end_of_unfinished, require_over
from services.issuance.domain.visit import CaseState, Visit, VisitCase
from services.issuance.handlers import measuring
from services.issuance.handlers.counter import record, reread, tell_completed
from services.issuance.handlers.deferring import abandonment, deferral
from services.issuance.handlers.measuring import Learning
from services.issuance.handlers.satellites import require_here
from services.issuance.store import (
    bookings,
    card_counts,
    conflicts,
    counters,
    days,
    measures,
    visits,
)
from shared.calendar import business_date
from shared.contracts.issuance import (
    AbandonReason,
    DeferReason,
    VisitMissed,
)
from shared.ids import SiteId
from shared.unit import Unit


async def sign_off(
    unit: Unit, site_id: SiteId, day: date, grace: timedelta, learning: Learning
) -> DayReport:
    """Close the day; signing it off again answers with the same report.

    Raises ``DayNotOver`` for a day to come, or while somebody may still be in time, and
    ``CardsNotCounted`` while nobody has said where a card is that was at a counter; ``SiteAway``,
    and ``ConflictsOpen`` while it is not decided who has come.
    """
    await require_here(unit, site_id)
    if await conflicts.any_open(unit.conn, site_id):
        raise ConflictsOpen
    if await days.take(unit.conn, site_id, day) is None:
        await _close(unit, site_id, day, grace)
        await measuring.tell(unit, site_id, day, learning)
    return await read_report(unit, site_id, day)


async def read_report(unit: Unit, site_id: SiteId, day: date) -> DayReport:
    """The report of a day. Raises ``DayOpen`` until it is signed off."""
    report = await days.report(unit.conn, site_id, day)
    if report is None:
        raise DayOpen
    return report


async def _close(unit: Unit, site_id: SiteId, day: date, grace: timedelta) -> None:
    expected = await bookings.of_day(unit.conn, site_id, day)
    unseen = [one for one in expected if not one.is_seen]
    awaited = [one.booking for one in unseen if not one.is_missed]
    require_over(day, business_date(unit.now), awaited, unit.now, grace)
    require_counted(await card_counts.out(unit.conn, site_id, day))
    await days.sign_off(unit.conn, site_id, day, unit.now, unit.principal.subject)
    await _close_counters(unit, site_id, day)
    for visit in await visits.lock_unfinished(unit.conn, site_id, day):
        await _end(unit, visit)
    for missed in await days.miss(unit.conn, [one.booking.booking_id for one in unseen]):
        unit.emit(
            VisitMissed(
                case_id=missed.case_id,
                site_id=site_id,
                booking_id=missed.booking_id,
                business_date=day,
            )
        )
    unit.audit("day.sign_off", subject=site_id, site_id=site_id, day=day.isoformat())


async def _close_counters(unit: Unit, site_id: SiteId, day: date) -> None:
    """Nobody is called any more; a day that was forgotten leaves today's counters alone."""
    if day == business_date(unit.now):
        await counters.lock_all(unit.conn, site_id)
        await measures.forgotten(unit.conn, site_id, unit.now)
        await counters.close_all(unit.conn, site_id, unit.now)


async def _end(unit: Unit, visit: Visit) -> None:
    for case in visit.cases:
        if case.state is CaseState.OPEN:
            await _close_case(unit, visit, case)
    await visits.end(unit.conn, visit.visit_id, unit.now)
    tell_completed(unit, await reread(unit, visit.visit_id))


async def _close_case(unit: Unit, visit: Visit, case: VisitCase) -> None:
    reason = end_of_unfinished(visit, case)
    match reason:
        case AbandonReason():
            state = CaseState.ABANDONED
            unit.emit(abandonment(visit, case, reason))
        case DeferReason():
            state = CaseState.DEFERRED
            unit.emit(deferral(visit, case, reason))
        case _:
            assert_never(reason)
    await visits.close_case(
        unit.conn, visit.visit_id, case.case_id, state, reason=reason, at=unit.now
    )
    record(unit, "case.close_at_sign_off", visit, case)

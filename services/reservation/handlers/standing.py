"""Bookings that stand although the national system is suspended (``bookings: keep``): their
citizens are told so, and told again when it is over before their visit.

Who is concerned follows from bookings and suspensions; what was told, from the message log. So a
crash repeats nothing, and a suspension with an open end reaches further every hour.
"""

from collections.abc import Sequence

from services.reservation.domain.message import Note
from services.reservation.domain.rules import Rules
from services.reservation.handlers import citizens
from services.reservation.store import phone_list, standing
from services.reservation.store.standing import Standing
from shared.due import DueWork
from shared.ids import SiteId, SuspensionId
from shared.unit import Unit

BATCH = 200


def telling(rules: Rules) -> DueWork:
    """Due work: tell of suspensions, and of their ends."""

    async def batch(unit: Unit) -> int:
        begun = await standing.begun(unit.conn, unit.now, rules.suspension_lookahead, BATCH)
        await citizens.notify(unit, [_suspended(one, unit) for one in begun])
        over = await standing.over(unit.conn, unit.now, rules.suspension_lookahead, BATCH)
        await _tell_over(unit, over)
        return len(begun) + len(over)

    return batch


async def stop_telling(unit: Unit, suspension_id: SuspensionId, site_id: SiteId) -> None:
    """It is over at this site: whoever has not been told yet need not be."""
    await standing.supersede(unit.conn, suspension_id, site_id, unit.now)


async def _tell_over(unit: Unit, over: Sequence[Standing]) -> None:
    """Who was not called yet need not be; the others hear that all is well."""
    by_booking = [(one.booking.case_id, one.booking.booking_id) for one in over]
    settled = await phone_list.settled(unit.conn, by_booking, unit.now, "suspended")
    uncalled = [one for one in over if one.booking.case_id in settled]
    await standing.unsay(unit.conn, [_suspended(one, unit).key for one in uncalled])
    notes = [_resumed(one, unit) for one in over if one.booking.case_id not in settled]
    await citizens.notify(unit, notes)


def _suspended(one: Standing, unit: Unit) -> Note:
    return citizens.suspended(one.booking, unit.now, suspension_id=one.suspension_id)


def _resumed(one: Standing, unit: Unit) -> Note:
    # ``store.standing`` looks for this.
    ref = f"{one.suspension_id}:{one.booking.booking_id}:resumed"
    return citizens.kept(one.booking, unit.now, ref=ref)

"""A citizen logs in with the notice: whoever knows number and birth date is let in.

Unknown number, wrong date and ended case take the same way to the same answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.reservation.domain.booking import Booking
from services.reservation.domain.case import CaseFacts, bookable_from
from services.reservation.domain.contact import NoSuchCase
from services.reservation.domain.rules import Rules
from services.reservation.store import bookings, cases
from shared.calendar import business_date
from shared.errors import Text, Unauthorized
from shared.ids import CaseId
from shared.unit import Unit


class LoginRefused(Unauthorized):
    """The one answer for every failed login."""

    slug = "login-refused"
    title = Text("The login does not match", "ログインできません")
    remedy = Text(
        "Check the number on the notice and the birth date; the newest notice counts.",
        "交付通知書の番号と生年月日をご確認ください。再送された場合は新しい通知書の番号が有効です。",
    )


@dataclass(frozen=True, slots=True)
class OwnCase:
    """What a citizen is told of their case."""

    facts: CaseFacts
    bookable_from: date | None
    booking: Booking | None


async def open_(unit: Unit, keys: Sequence[tuple[str, str]], rules: Rules) -> list[OwnCase]:
    """The cases behind a login; ``keys`` are (key id, login key), one per key of the ring.

    Raises ``LoginRefused``.
    """
    found = await cases.by_login(unit.conn, keys)
    if not found:
        raise LoginRefused
    for case in found:
        unit.audit("session.opened", subject=str(case.case_id))
    return await _shown(unit, found, rules)


async def behind(unit: Unit, keys: Sequence[tuple[str, str]], rules: Rules) -> Sequence[OwnCase]:
    """The cases behind a login, if there are any, without opening it."""
    return await _shown(unit, await cases.by_login(unit.conn, keys), rules)


async def found(unit: Unit, shown: Sequence[OwnCase]) -> Sequence[OwnCase]:
    """What staff are shown of who calls; audited. Raises ``NoSuchCase`` where it is nothing."""
    if not shown:
        raise NoSuchCase
    for case in shown:
        unit.audit("case.found", subject=str(case.facts.case_id))
    return shown


async def own(unit: Unit, case_ids: Sequence[CaseId], rules: Rules) -> list[OwnCase]:
    """Cases whose citizen has logged in otherwise; those that nothing is known of are left out."""
    return await _shown(unit, await cases.read(unit.conn, case_ids), rules)


async def _shown(unit: Unit, found: Sequence[CaseFacts], rules: Rules) -> list[OwnCase]:
    active = await bookings.active(unit.conn, [case.case_id for case in found])
    booked = {booking.case_id: booking for booking in active}
    today = business_date(unit.now)
    return [
        OwnCase(case, bookable_from(case, today, rules), booked.get(case.case_id)) for case in found
    ]

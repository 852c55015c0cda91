"""Certificate renewals: opened here, by citizens for their verified address and by staff for who
calls. Reservation is the first to see such a case, so it says ``case.opened``.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from services.reservation.domain.contact import subject_of, telephone
from services.reservation.domain.renewal import (
    NeedsVerifiedContact,
    NoSuchRenewal,
    Renewal,
    RenewalActive,
    check_renewable,
)
from services.reservation.domain.rules import Rules
from services.reservation.handlers import bookings as booking_handlers
from services.reservation.handlers import contacts as contact_handlers
from services.reservation.handlers import links, openings, parties
from services.reservation.store import bookings, cases, contacts, renewals
from services.reservation.store.contacts import NewContact, StoredContact
from services.reservation.tools import Tools
from shared.calendar import business_date
from shared.contracts.reservation import ErasureReason
from shared.errors import Language
from shared.ids import CaseId, WardCode, new_id
from shared.security import vault as vaults
from shared.security.principal import Principal
from shared.unit import Unit

CONTACT = "contact:"
"""What stands in the token's subject of a citizen who has logged in by e-mail."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is renewed. ``phone`` is whom staff open it for; citizens have logged in instead."""

    ward: WardCode
    certificate_expires_on: date
    phone: str | None
    language: Language


async def open_(unit: Unit, tools: Tools, wish: Wish, rules: Rules) -> Renewal:
    """Open a renewal, one at a time per contact.

    From three months before the certificates end, or so far ahead as one may book.
    Raises ``NotRenewableYet``, ``CardEnded``, ``NeedsVerifiedContact``, ``RenewalActive``.
    """
    today = business_date(unit.now)
    check_renewable(wish.certificate_expires_on, today, rules.last_day(today))
    contact = await _contact(unit, tools, wish)
    renewal = Renewal(
        case_id=contact.reserved_case_id or CaseId(new_id()),
        contact_id=contact.contact_id,
        ward=wish.ward,
        certificate_expires_on=wish.certificate_expires_on,
        opened_at=unit.now,
        ended_at=None,
    )
    if not await renewals.insert(unit.conn, renewal):
        active = await renewals.active(unit.conn, contact.contact_id)
        raise RenewalActive(active.case_id if active else renewal.case_id)
    await contacts.reserve(unit.conn, contact.contact_id, None)
    await contacts.link(unit.conn, renewal.case_id, contact.contact_id)
    openings.tell(unit, renewal)
    return renewal


async def read(unit: Unit, case_id: CaseId) -> Renewal:
    """The renewal; the reading is audited. Raises ``NoSuchRenewal`` and ``CaseForbidden``."""
    unit.principal.require_case(case_id)
    links.require_login(unit.principal)
    renewal = await renewals.read(unit.conn, case_id)
    if renewal is None:
        raise NoSuchRenewal
    unit.audit("renewal.read", subject=str(case_id))
    return renewal


async def withdraw(unit: Unit, case_id: CaseId, rules: Rules) -> Renewal:
    """End a renewal that is not wanted any more, and cancel what is booked for it.

    Raises what ``read`` raises, and what cancelling raises.
    """
    renewal = await read(unit, case_id)
    if renewal.ended_at is None:
        # Nobody books it between the look and the end.
        await parties.lock(unit, [case_id])
        for booking in await bookings.active(unit.conn, [case_id]):
            await booking_handlers.cancel(unit, booking.booking_id, rules, lambda _: None)
        await cases.voided(unit.conn, [(case_id, unit.now)])
        await renewals.end(unit.conn, [(case_id, unit.now)])
        unit.audit("renewal.withdrawn", subject=str(case_id))
    return await renewals.read(unit.conn, case_id) or renewal


async def end_abandoned(unit: Unit, days: int, limit: int) -> int:
    """End renewals whose certificates ended ``days`` ago with nothing booked; how many.

    Else nobody's contact would ever be forgotten who changed their mind.
    """
    before = unit.now - timedelta(days=days)
    found = await renewals.abandoned(unit.conn, business_date(before), before, limit)
    free = {case.case_id for case in await cases.lock_free(unit.conn, found)}
    booked = {booking.case_id for booking in await bookings.active(unit.conn, sorted(free))}
    ends = [(case_id, unit.now) for case_id in sorted(free - booked)]
    if ends:
        await cases.voided(unit.conn, ends)
        await renewals.end(unit.conn, ends)
    for case_id, _ in ends:
        unit.audit("renewal.abandoned", subject=str(case_id))
    return len(ends)


async def erase_contact(unit: Unit, case_id: CaseId, rules: Rules) -> None:
    """Erase the contact of a case on request. A renewal has nothing but its contact: it ends too.

    Raises what reading a contact and withdrawing a renewal raise.
    """
    await contact_handlers.require(unit, case_id)
    renewal = await renewals.read(unit.conn, case_id)
    if renewal is not None:
        await withdraw(unit, case_id, rules)
    contact_id = await contact_handlers.of_case(unit, case_id)
    if contact_id is None:
        return
    # Whoever logged in with one address and is written to at another is forgotten with both.
    both = {contact_id}
    if renewal is not None and renewal.contact_id is not None:
        both.add(renewal.contact_id)
    await contact_handlers.erase(unit, sorted(both), ErasureReason.REQUESTED)


async def _contact(unit: Unit, tools: Tools, wish: Wish) -> StoredContact:
    if unit.principal.is_staff:
        return await _caller(unit, tools, wish)
    contact_id = _logged_in(unit.principal)
    found = None
    if contact_id is not None and wish.phone is None:
        found = await contacts.read(unit.conn, contact_id)
    if found is None or found.verified_at is None:
        raise NeedsVerifiedContact
    return found


def _logged_in(principal: Principal) -> UUID | None:
    """The contact with which a citizen has logged in; none with a notice or by a link."""
    _, found, contact_id = principal.subject.partition(CONTACT)
    return UUID(contact_id) if found else None


async def _caller(unit: Unit, tools: Tools, wish: Wish) -> StoredContact:
    """Whoever calls is known by the telephone; staff have heard them."""
    if wish.phone is None:
        raise NeedsVerifiedContact
    keys = tools.address_keys(telephone(wish.phone))
    if (known := await contacts.login(unit.conn, keys)) is not None:
        return known
    contact_id = new_id()
    _, sealed = await contact_handlers.seal(unit, tools, contact_id, None, wish.phone)
    new = NewContact(contact_id, wish.language, None, sealed, address_key=keys[0], is_login=True)
    if not await contacts.insert(unit.conn, new, unit.now):
        await vaults.erase(unit.conn, [subject_of(contact_id)], at=unit.now)
    found = await contacts.login(unit.conn, keys)
    if found is None:
        raise NeedsVerifiedContact
    return found

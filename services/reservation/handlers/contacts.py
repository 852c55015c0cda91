"""Contacts: kept sealed, verified by a code, replaced as a whole, and erased by destroying a key.

Another address is another contact under another key; the former one is erased with it. Nothing
personal leaves this module but to whoever may read it, and each reading is audited.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.reservation.domain.contact import (
    CodeRefused,
    Contact,
    ContactEmpty,
    NoContact,
    NoSuchCase,
    NothingToVerify,
    subject_of,
)
from services.reservation.domain.message import Kind
from services.reservation.handlers import citizens, links
from services.reservation.store import bookings, contacts, messages
from services.reservation.store.contacts import NewContact, StoredContact
from services.reservation.tools import Tools
from shared.contracts.reservation import ContactErased, ErasureReason
from shared.errors import Language
from shared.ids import CaseId, new_id
from shared.security import vault as vaults
from shared.security.vault import Cell
from shared.unit import Unit

CODE_PURPOSE = "address"


@dataclass(frozen=True, slots=True)
class Wish:
    """The contact a citizen wants to be reached at, in its normal form."""

    email: str | None
    phone: str | None
    language: Language


async def require(unit: Unit, case_id: CaseId) -> None:
    """A citizen needs the case; staff the site where its card lies, if it lies anywhere.

    Links in mails do not suffice. Raises ``NoSuchCase``, ``CaseForbidden``, ``SiteForbidden``.
    """
    unit.principal.require_case(case_id)
    links.require_login(unit.principal)
    known, site_id = await contacts.card_site(unit.conn, case_id)
    if not known:
        raise NoSuchCase
    if site_id is not None and unit.principal.is_staff:
        unit.principal.require_site(site_id)


async def put(unit: Unit, tools: Tools, case_id: CaseId, wish: Wish) -> Contact:
    """Reach the citizen of a case here from now on; a new address is sent a code.

    An address that was verified stays so; one that was not is sent another code, for the first
    may never have come. Raises ``ContactEmpty``, ``NoSuchCase``,
    ``CaseForbidden``, ``SiteForbidden``.
    """
    if wish.email is None and wish.phone is None:
        raise ContactEmpty
    await require(unit, case_id)
    await contacts.lock(unit.conn, case_id)
    old = (await contacts.of_cases(unit.conn, [case_id])).get(case_id)
    former = await _opened(unit, tools, old) if old else None
    waits = former is not None and former.email is not None and former.verified_at is None
    if former is not None and _same(former, wish) and not waits:
        return former
    kept = former is not None and wish.email is not None and former.email == wish.email
    new = Contact(
        contact_id=new_id(),
        email=wish.email,
        phone=wish.phone,
        language=wish.language,
        verified_at=former.verified_at if former and kept else None,
    )
    await _replace(unit, tools, case_id, new, old)
    unit.audit("contact.changed", subject=str(case_id), contact_id=str(new.contact_id))
    return new


async def read(unit: Unit, tools: Tools, case_id: CaseId) -> Contact:
    """The contact of a case; the reading is audited.

    Raises ``NoSuchCase``, ``NoContact``, ``CaseForbidden``, ``SiteForbidden``.
    """
    await require(unit, case_id)
    stored = (await contacts.of_cases(unit.conn, [case_id])).get(case_id)
    if stored is None:
        raise NoContact
    unit.audit("contact.read", subject=str(case_id), contact_id=str(stored.contact_id))
    return await _opened(unit, tools, stored)


async def awaiting(unit: Unit, case_id: CaseId) -> UUID:
    """The contact of a case whose code is asked for.

    Raises what ``read`` raises, and ``NothingToVerify``.
    """
    await require(unit, case_id)
    stored = (await contacts.of_cases(unit.conn, [case_id])).get(case_id)
    if stored is None:
        raise NoContact
    if stored.sealed_email is None:
        raise NothingToVerify
    return stored.contact_id


async def verify(unit: Unit, tools: Tools, case_id: CaseId, code: str) -> Contact:
    """Take an address as the citizen's, and tell there what is booked.

    Raises ``CodeRefused`` and what ``awaiting`` raises.
    """
    contact_id = await awaiting(unit, case_id)
    if not tools.is_code(CODE_PURPOSE, contact_id, code):
        raise CodeRefused
    if await contacts.verify(unit.conn, contact_id, unit.now):
        unit.audit("contact.verified", subject=str(case_id), contact_id=str(contact_id))
        booked = await bookings.active(unit.conn, [case_id])
        ahead = [booking for booking in booked if booking.starts_at > unit.now]
        await citizens.notify(unit, [citizens.confirmed(one, unit.now) for one in ahead])
    stored = (await contacts.of_cases(unit.conn, [case_id]))[case_id]
    return await _opened(unit, tools, stored)


async def of_case(unit: Unit, case_id: CaseId) -> UUID | None:
    """Which contact a case has, for whoever may erase it. Raises what ``read`` raises."""
    await require(unit, case_id)
    return await contacts.lock(unit.conn, case_id)


async def erase(unit: Unit, contact_ids: Sequence[UUID], reason: ErasureReason) -> int:
    """Destroy the keys of contacts, and say so for each of their cases; how many were erased.

    What waits to be sent to them is not sent any more.
    """
    if not contact_ids:
        return 0
    case_ids = await contacts.cases_of(unit.conn, contact_ids)
    requests = await contacts.requests_of(unit.conn, contact_ids)
    subjects = [subject_of(one) for one in contact_ids] + [login_subject(one) for one in requests]
    await vaults.erase(unit.conn, subjects, at=unit.now)
    await contacts.forget(unit.conn, contact_ids, unit.now)
    await messages.forget(unit.conn, case_ids, unit.now)
    for case_id in case_ids:
        unit.emit(ContactErased(case_id=case_id, reason=reason))
        unit.audit("contact.erased", subject=str(case_id), reason=reason.value)
    return len(contact_ids)


def login_subject(request_id: UUID) -> str:
    """Under whose key the address of a login request is sealed."""
    return f"login:{request_id}"


def email_cell(contact_id: UUID) -> Cell:
    """Where an address lies."""
    return Cell(subject_of(contact_id), "contact.email")


def phone_cell(contact_id: UUID) -> Cell:
    """Where a number lies."""
    return Cell(subject_of(contact_id), "contact.phone")


async def seal(
    unit: Unit, tools: Tools, contact_id: UUID, email: str | None, phone: str | None
) -> tuple[bytes | None, bytes | None]:
    """Address and number, sealed under the contact's own key."""
    texts = {email_cell(contact_id): email, phone_cell(contact_id): phone}
    given = {cell: text for cell, text in texts.items() if text is not None}
    sealed = await tools.vault.seal(unit.conn, given)
    return sealed.get(email_cell(contact_id)), sealed.get(phone_cell(contact_id))


async def _replace(
    unit: Unit, tools: Tools, case_id: CaseId, new: Contact, old: StoredContact | None
) -> None:
    email, phone = await seal(unit, tools, new.contact_id, new.email, new.phone)
    kept = NewContact(new.contact_id, new.language, email, phone, verified_at=new.verified_at)
    await contacts.insert(unit.conn, kept, unit.now)
    await contacts.link(unit.conn, case_id, new.contact_id)
    if old is not None and not old.is_login:
        await vaults.erase(unit.conn, [subject_of(old.contact_id)], at=unit.now)
        await contacts.forget(unit.conn, [old.contact_id], unit.now)
    if new.email is not None and new.verified_at is None:
        await messages.write_code(
            unit.conn, Kind.ADDRESS_CHECK, new.contact_id, unit.now, case_id=case_id
        )


async def _opened(unit: Unit, tools: Tools, stored: StoredContact) -> Contact:
    cells = {
        email_cell(stored.contact_id): stored.sealed_email,
        phone_cell(stored.contact_id): stored.sealed_phone,
    }
    given = {cell: data for cell, data in cells.items() if data is not None}
    texts = await tools.vault.open(unit.conn, given)
    return Contact(
        contact_id=stored.contact_id,
        email=texts.get(email_cell(stored.contact_id)),
        phone=texts.get(phone_cell(stored.contact_id)),
        language=stored.language,
        verified_at=stored.verified_at,
    )


def _same(former: Contact, wish: Wish) -> bool:
    wanted = (wish.email, wish.phone, wish.language)
    return (former.email, former.phone, former.language) == wanted

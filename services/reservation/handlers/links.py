"""What a link in a mail lets its reader do. A link holds while the visit lies ahead and the
address that it was mailed to is still the case's own; everything else is one refusal.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from services.reservation.domain.booking import Booking, BookingState
from services.reservation.domain.link import LINK, Link, LinkRefused, Purpose
from services.reservation.domain.waitlist import Entry
from services.reservation.store import bookings, contacts, waitlist
from services.reservation.tools import Tools, contact_tag
from shared.ids import BookingId, CaseId
from shared.security.principal import CaseForbidden, Principal, Role
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class Opened:
    """A link that holds: the booking or the place on the waiting list that it is about.

    ``cases`` are those of the party, which moves, answers and takes offers together.
    """

    link: Link
    cases: Sequence[CaseId]
    booking: Booking | None = None
    entry: Entry | None = None


def bearer(case_id: CaseId) -> Principal:
    """Who acts by a link: the citizen of this one case."""
    return Principal(
        f"citizen:{LINK}{case_id}", frozenset({Role.CITIZEN}), cases=frozenset({case_id})
    )


def require_login(principal: Principal) -> None:
    """Raise ``CaseForbidden`` for who came by a link.

    A mail may be sent on, and a link acts for the whole party: neither is a reason to show how
    somebody is reached or to end their case.
    """
    if LINK in principal.subject:
        raise CaseForbidden


async def open_(
    unit: Unit, tools: Tools, token: str, purposes: Collection[Purpose], *, again: bool = False
) -> Opened:
    """The link of ``token``, if it is for one of ``purposes``. Raises ``LinkRefused``.

    ``again``: one of a booking that is cancelled already still holds, for whoever clicks twice.
    """
    link = tools.read_link(token)
    if link.purpose not in purposes:
        raise LinkRefused
    contact = (await contacts.of_cases(unit.conn, [link.case_id])).get(link.case_id)
    if contact is None or contact_tag(contact.contact_id) != link.contact_tag:
        raise LinkRefused
    if link.purpose is Purpose.OFFER:
        opened = await _offer(unit, link)
    else:
        opened = await _ahead(unit, link, again=again)
    unit.audit("link.used", subject=str(link.case_id), purpose=link.purpose.value)
    return opened


async def _offer(unit: Unit, link: Link) -> Opened:
    for entry in await waitlist.of_cases(unit.conn, [link.case_id]):
        offer = entry.offer
        if offer is not None and offer.offer_id == link.ref and offer.expires_at > unit.now:
            return Opened(link, entry.case_ids, entry=entry)
    raise LinkRefused


async def _ahead(unit: Unit, link: Link, *, again: bool) -> Opened:
    booking = await bookings.read(unit.conn, BookingId(link.ref))
    if booking is None or booking.case_id != link.case_id:
        raise LinkRefused
    states = (BookingState.ACTIVE, BookingState.CANCELLED) if again else (BookingState.ACTIVE,)
    if booking.state not in states or booking.starts_at <= unit.now:
        raise LinkRefused
    party = await bookings.of_party(unit.conn, booking.party_id)
    together = [one.case_id for one in party if one.state is BookingState.ACTIVE]
    return Opened(link, together, booking=booking)

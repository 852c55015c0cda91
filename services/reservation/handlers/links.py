"""What a link in a mail lets its reader do. A link holds while the visit lies ahead and the
address that it was mailed to is still the case's own; everything else is one refusal.
"""

from collections.abc import Collection
from dataclasses import dataclass

from services.reservation.domain.booking import Booking, BookingState
from services.reservation.domain.link import Link, LinkRefused, Purpose
from services.reservation.store import bookings, contacts
from services.reservation.tools import Tools, contact_tag
from shared.ids import BookingId, CaseId
from shared.security.principal import Principal, Role
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class Opened:
    """A link that holds, and the booking it is about, if it is about one."""

    link: Link
    booking: Booking | None


def bearer(case_id: CaseId) -> Principal:
    """Who acts by a link: the citizen of this one case."""
    return Principal(f"link:{case_id}", frozenset({Role.CITIZEN}), cases=frozenset({case_id}))


async def open_(unit: Unit, tools: Tools, token: str, purposes: Collection[Purpose]) -> Opened:
    """The link of ``token``, if it is for one of ``purposes``. Raises ``LinkRefused``."""
    link = tools.read_link(token)
    if link.purpose not in purposes:
        raise LinkRefused
    contact = (await contacts.of_cases(unit.conn, [link.case_id])).get(link.case_id)
    if contact is None or contact_tag(contact.contact_id) != link.contact_tag:
        raise LinkRefused
    booking = None
    if link.purpose is not Purpose.OFFER:
        booking = await _ahead(unit, link)
    unit.audit("link.used", subject=str(link.case_id), purpose=link.purpose.value)
    return Opened(link, booking)


async def _ahead(unit: Unit, link: Link) -> Booking:
    booking = await bookings.read(unit.conn, BookingId(link.ref))
    if booking is None or booking.case_id != link.case_id:
        raise LinkRefused
    if booking.state is not BookingState.ACTIVE or booking.starts_at <= unit.now:
        raise LinkRefused
    return booking

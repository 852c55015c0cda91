"""Telling citizens: the one door for everybody in this room who has news for them.

Call it in the unit of the change. The message is a row of that unit, so nothing is told of a
change that did not commit; ``post`` sends it afterwards. Rows are keyed by what they are about:
a command repeated, an event heard again or a topic replayed tells nothing twice.

Locks: contacts and messages come after site, cases and cells.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from services.reservation.domain.booking import Booking
from services.reservation.domain.message import BROKEN_OFF, KEPT, Kind, Note, PhoneCall
from services.reservation.store import messages, phone_list
from shared.contracts.base import Procedure
from shared.contracts.reservation import CancelReason, MoveReason
from shared.errors import Json
from shared.ids import BookingId, CaseId, OfferId, SiteId, SuspensionId, VisitId
from shared.unit import Unit

BY_CITIZEN = (CancelReason.CITIZEN, MoveReason.CITIZEN)
NEWS_LASTS = timedelta(hours=12)
"""How long after a visit was broken off or paused its citizen is still written to."""


async def notify(unit: Unit, notes: Sequence[Note]) -> set[CaseId]:
    """Write the messages, one statement for all, and return the cases that no mail can reach.

    A note that is the citizen's own doing is dropped where there is no verified address: they
    know. One ``by_city`` is then logged as not possible, and its case put on the phone list.
    """
    return await messages.write(unit.conn, notes) if notes else set()


async def call(unit: Unit, calls: Sequence[PhoneCall]) -> None:
    """Put cases on the phone list; the same ``ref`` of a case once."""
    if calls:
        await phone_list.add(unit.conn, calls)


async def settled(unit: Unit, told: Sequence[tuple[CaseId, BookingId]]) -> set[CaseId]:
    """Take calls about alternatives off the list, and say whose: it is answered or over."""
    return await phone_list.settled(unit.conn, told, unit.now)


def confirmed(booking: Booking, at: datetime) -> Note:
    """The citizen has a seat."""
    return _about(Kind.CONFIRMED, booking, at, by_city=False, facts={})


def kept(booking: Booking, at: datetime, *, ref: str) -> Note:
    """The citizen was told otherwise, and has the seat after all; ``ref`` says what that was."""
    note = _about(Kind.CONFIRMED, booking, at, by_city=True, facts={"reason": KEPT})
    return replace(note, ref=ref)


def moved(
    booking: Booking,
    at: datetime,
    reason: MoveReason,
    *,
    previous_site_id: SiteId,
    previous_starts_at: datetime,
) -> Note:
    """The citizen has another seat."""
    facts: dict[str, Json] = {
        "reason": reason.value,
        "previous_site_id": previous_site_id,
        "previous_starts_at": previous_starts_at.isoformat(),
    }
    return _about(Kind.MOVED, booking, at, by_city=reason not in BY_CITIZEN, facts=facts)


def cancelled(booking: Booking, at: datetime, reason: CancelReason) -> Note | None:
    """The citizen's seat is gone; nothing to tell of a visit that took place or is over."""
    if reason is CancelReason.SERVED_OTHERWISE or booking.starts_at <= at:
        return None
    by_city = reason not in BY_CITIZEN
    return _about(Kind.CANCELLED, booking, at, by_city=by_city, facts={"reason": reason.value})


def broken_off(booking: Booking, at: datetime, reason: CancelReason) -> Note | None:
    """A visit came to nothing at the site; ``cancelled`` where it was broken off before its time.

    Whom a stop of the national system has sent home was told there; where there is an address they
    have it in writing as well, while that can still be news.
    """
    if reason is not CancelReason.SUSPENSION or booking.starts_at > at:
        return cancelled(booking, at, reason)
    until: dict[str, Json] = {
        "reason": BROKEN_OFF,
        "told_until": (at + NEWS_LASTS).isoformat(),
    }
    return _about(Kind.CANCELLED, booking, at, by_city=False, facts=until)


def paused(booking: Booking, at: datetime, *, visit_id: VisitId) -> Note:
    """The national system has stopped while the citizen is at the site, and the visit waits.

    They were told there, so nobody calls whom no mail can reach.
    """
    until: dict[str, Json] = {"told_until": (at + NEWS_LASTS).isoformat()}
    note = _about(Kind.PAUSED, booking, at, by_city=False, facts=until)
    return replace(note, ref=f"{visit_id}:{booking.booking_id}")


def alternative(
    booking: Booking,
    at: datetime,
    *,
    closure_id: UUID,
    to_site_id: SiteId,
    to_starts_at: datetime,
    answer_by: datetime,
) -> Note:
    """The city cannot keep the booking; a seat elsewhere is held until ``answer_by``."""
    facts: dict[str, Json] = {
        "closure_id": str(closure_id),
        "to_site_id": to_site_id,
        "to_starts_at": to_starts_at.isoformat(),
        "answer_by": answer_by.isoformat(),
    }
    note = _about(Kind.ALTERNATIVE, booking, at, by_city=True, facts=facts)
    seat = f"{to_site_id}:{to_starts_at.isoformat()}"
    return replace(note, ref=f"{closure_id}:{booking.booking_id}:{seat}")


def suspended(booking: Booking, at: datetime, *, suspension_id: SuspensionId) -> Note:
    """The national system is not to be used at the time of the visit; the booking stands."""
    facts: dict[str, Json] = {"suspension_id": str(suspension_id)}
    note = _about(Kind.SUSPENDED, booking, at, by_city=True, facts=facts)
    return replace(note, ref=f"{suspension_id}:{note.ref}")


def offered(
    case_id: CaseId,
    at: datetime,
    *,
    offer_id: OfferId,
    site_id: SiteId,
    starts_at: datetime,
    minutes: int,
    procedure: Procedure,
    expires_at: datetime,
) -> Note:
    """A seat is kept for somebody of the waiting list until ``expires_at``.

    Not by the city: whoever has no address passes, as nobody could be called in that time.
    """
    facts: dict[str, Json] = {
        "offer_id": str(offer_id),
        "site_id": site_id,
        "starts_at": starts_at.isoformat(),
        "minutes": minutes,
        "procedure": procedure.value,
        "expires_at": expires_at.isoformat(),
    }
    return Note(Kind.OFFERED, case_id, str(offer_id), at, site_id=site_id, facts=facts)


def present(notes: Iterable[Note | None]) -> list[Note]:
    """Those that are something to tell."""
    return [note for note in notes if note is not None]


def _about(
    kind: Kind, booking: Booking, at: datetime, *, by_city: bool, facts: dict[str, Json]
) -> Note:
    return Note(
        kind=kind,
        case_id=booking.case_id,
        ref=f"{booking.booking_id}:{booking.version}",
        at=at,
        booking_id=booking.booking_id,
        site_id=booking.site_id,
        facts={
            "site_id": booking.site_id,
            "starts_at": booking.starts_at.isoformat(),
            "minutes": booking.minutes,
            "procedure": booking.procedure.value,
            "version": booking.version,
            **facts,
        },
        by_city=by_city,
    )

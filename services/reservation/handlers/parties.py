"""What booking, holding, moving and offers have in common: a party that is fit for its seats.

Locks are taken in one order: site (only where its calendar is extended), cases, holds, cells.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from services.reservation.domain.booking import (
    Booking,
    BookingState,
    CaseBusy,
    NoSuchSlot,
    SiteDoesNotAccept,
    SlotTaken,
    check_party,
)
from services.reservation.domain.case import (
    CaseFacts,
    NotInvitedYet,
    check_bookable,
    check_day,
    urgent,
    window,
)
from services.reservation.domain.national_system import NationalSystem, SystemSuspended
from services.reservation.domain.opening import accepts
from services.reservation.domain.renewal import Opening, check_renewable
from services.reservation.domain.rules import Audience, Rules
from services.reservation.domain.site import NoSuchSite
from services.reservation.domain.site_rules import SiteRules
from services.reservation.handlers import announce, calendar, citizens
from services.reservation.store import cases, cells, places, suspensions
from services.reservation.store.sites import StoredSite
from shared.calendar import business_date
from shared.contracts.base import Procedure
from shared.contracts.place import Site
from shared.errors import Problem
from shared.ids import BookingId, CaseId, PartyId, SiteId, new_id
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class Request:
    """A party that wants to be served together."""

    case_ids: tuple[CaseId, ...]
    site_id: SiteId
    starts_at: datetime
    opens: Opening | None = None
    """The renewal that is opened with its booking; then its case is the only one."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A party whose cases are locked and may all be served at this site and time."""

    site: Site
    rules: SiteRules
    cases: tuple[CaseFacts, ...]
    starts_at: datetime
    kept: int
    """Seats of each cell that this party has to leave to others."""

    @property
    def minutes(self) -> tuple[int, ...]:
        """How long each case takes here, in the order of ``cases``."""
        return tuple(self.rules.of(one.procedure).minutes[one.procedure] for one in self.cases)


async def ready(unit: Unit, request: Request, rules: Rules) -> Ready:
    """Lock the cases of the party and see that each may be served there and then.

    Raises ``PartyRefused``, ``CaseForbidden``, ``NoSuchSite``, ``CaseBusy``, a ``NotBookable``,
    ``OutsideWindow``, ``SiteDoesNotAccept``, ``SystemSuspended``; ``NotRenewableYet`` and
    ``CardEnded`` where one is opened.
    """
    (found,) = await ready_all(unit, [(unit, request)], rules)
    if isinstance(found, Problem):
        raise found
    return found


async def ready_all(
    unit: Unit, wishes: Sequence[tuple[Unit, Request]], rules: Rules
) -> list[Ready | Problem]:
    """``ready`` for several parties at once, each asked for by its own part of ``unit``.

    No two of them share a case. What a party is refused for is returned in its place.
    """
    site_ids = sorted({request.site_id for _, request in wishes})
    there_is = await places.read_all(unit.conn, site_ids)
    stored = {site_id: place.stored for site_id, place in there_is.items()}
    own = {
        site_id: SiteRules(rules, place.overrides, unit.now) for site_id, place in there_is.items()
    }
    stopped = [site_id for site_id, place in there_is.items() if place.has_suspension]
    stops = await suspensions.of_sites(unit.conn, stopped) if stopped else {}
    found = [_may_ask(part, request, stored, rules) for part, request in wishes]
    asked = [wish for wish, refusal in zip(wishes, found, strict=True) if refusal is None]
    await _extend(unit, [request for _, request in asked], stored, own, rules)
    there_are = [each for _, each in asked if each.opens is None]
    known = await lock_all(unit, [case_id for each in there_are for case_id in each.case_ids])

    system = NationalSystem(stops, unit.now, rules)

    def examined(part: Unit, request: Request) -> Ready | Problem:
        there = _There(stored[request.site_id].site, own[request.site_id], system)
        try:
            members = _members(unit, request, known, rules)
            return _examine(part, request, there, members)
        except Problem as problem:
            return problem

    return [
        refusal or examined(part, request)
        for (part, request), refusal in zip(wishes, found, strict=True)
    ]


def _members(
    unit: Unit,
    request: Request,
    known: Mapping[CaseId, CaseFacts | CaseBusy | NotInvitedYet],
    rules: Rules,
) -> tuple[CaseFacts, ...]:
    if request.opens is None:
        return tuple(known_or_raise(known[case_id]) for case_id in request.case_ids)
    today = business_date(unit.now)
    check_renewable(request.opens.certificate_expires_on, today, rules.last_day(today))
    return (CaseFacts.opened(request.opens),)


def _may_ask(
    part: Unit, request: Request, stored: Mapping[SiteId, StoredSite], rules: Rules
) -> Problem | None:
    try:
        check_party(request.case_ids, rules)
        for case_id in request.case_ids:
            part.principal.require_case(case_id)
    except Problem as problem:
        return problem
    return None if request.site_id in stored else NoSuchSite()


async def _extend(
    unit: Unit,
    asked: Sequence[Request],
    stored: Mapping[SiteId, StoredSite],
    own: Mapping[SiteId, SiteRules],
    rules: Rules,
) -> None:
    """Make the cells of days that lie within the horizon and have none yet."""
    today = business_date(unit.now)
    latest: dict[SiteId, date] = {}
    for request in asked:
        day = business_date(request.starts_at)
        latest[request.site_id] = max(day, latest.get(request.site_id, day))
    for site_id, day in sorted(latest.items()):
        last = max(own[site_id].of(procedure).last_day(today) for procedure in Procedure)
        await calendar.extend(unit, stored[site_id], min(day, last), rules)


@dataclass(frozen=True, slots=True)
class _There:
    site: Site
    rules: SiteRules
    system: NationalSystem


def _examine(part: Unit, request: Request, there: _There, members: tuple[CaseFacts, ...]) -> Ready:
    site, own, day = there.site, there.rules, business_date(request.starts_at)
    for case in members:
        check(case, site, day, own, by_staff=part.principal.is_staff)
    kept = max(kept_from(one, day, own, by_staff=part.principal.is_staff) for one in members)
    party = Ready(site, own, members, request.starts_at.astimezone(UTC), kept)
    for case, minutes in zip(members, party.minutes, strict=True):
        if not there.system.serves(site.site_id, case.procedure, party.starts_at, minutes):
            raise SystemSuspended
    return party


async def lock(unit: Unit, case_ids: Sequence[CaseId]) -> Mapping[CaseId, CaseFacts]:
    """The cases, locked. Raises ``CaseBusy`` and ``NotInvitedYet``; waits for nobody."""
    found = await lock_all(unit, case_ids)
    return {case_id: known_or_raise(found[case_id]) for case_id in case_ids}


async def lock_all(
    unit: Unit, case_ids: Sequence[CaseId]
) -> Mapping[CaseId, CaseFacts | CaseBusy | NotInvitedYet]:
    """Each of the cases, locked, or why it cannot be; waits for nobody."""
    found: dict[CaseId, CaseFacts | CaseBusy | NotInvitedYet] = {
        case.case_id: case for case in await cases.lock_free(unit.conn, case_ids)
    }
    missing = [case_id for case_id in case_ids if case_id not in found]
    known = await cases.known(unit.conn, missing) if missing else set()
    for case_id in missing:
        found[case_id] = CaseBusy() if case_id in known else NotInvitedYet(case_id)
    return found


def known_or_raise(found: CaseFacts | CaseBusy | NotInvitedYet) -> CaseFacts:
    """The case that was locked, or raise why it was not."""
    if isinstance(found, Problem):
        raise found
    return found


async def claim(unit: Unit, party: Ready, wanted: Mapping[datetime, int]) -> None:
    """Take ``wanted`` for the party; last of all, to hold cells shortly.

    Raises ``SlotTaken`` and ``NoSuchSlot``.
    """
    site_id = party.site.site_id
    if not await cells.claim(unit.conn, site_id, wanted, unit.now, party.kept):
        if await cells.all_exist(unit.conn, site_id, wanted):
            raise SlotTaken
        raise NoSuchSlot


def seated(party: Ready, minutes: Sequence[int], party_id: PartyId | None = None) -> list[Booking]:
    """New bookings of the party, one per case, each as long as ``minutes`` says."""
    party_id = party_id or PartyId(new_id())
    return [
        Booking(
            booking_id=BookingId(new_id()),
            case_id=case.case_id,
            party_id=party_id,
            site_id=party.site.site_id,
            starts_at=party.starts_at,
            minutes=length,
            procedure=case.procedure,
            card_site_id=card_site(case),
            state=BookingState.ACTIVE,
            reason=None,
            version=1,
        )
        for case, length in zip(party.cases, minutes, strict=True)
    ]


def card_site(case: CaseFacts) -> SiteId | None:
    """Where the card of a booking lies; none where the procedure needs no card from a shelf."""
    return case.card_site_id if case.procedure is Procedure.CARD_ISSUANCE else None


async def tell_confirmed(unit: Unit, made: Sequence[Booking]) -> None:
    """Say that these bookings are made, to other rooms, to the citizens and to the audit."""
    for booking in made:
        unit.emit(announce.confirmed(booking))
        audit(unit, "booking.confirmed", booking)
    await citizens.notify(unit, [citizens.confirmed(booking, unit.now) for booking in made])


def audit(unit: Unit, action: str, booking: Booking) -> None:
    """Record what was done to a booking; who did it on whose behalf, the entry says by itself."""
    unit.audit(
        action,
        subject=str(booking.case_id),
        site_id=booking.site_id,
        booking_id=str(booking.booking_id),
    )


def check(case: CaseFacts, site: Site, day: date, own: SiteRules, *, by_staff: bool) -> None:
    """Raise a ``NotBookable``, ``SiteDoesNotAccept`` or ``OutsideWindow`` unless the case may be
    served at the site on that day.
    """
    today, rules = business_date(own.at), own.of(case.procedure)
    check_bookable(case, today)
    if case.ward is None or not accepts(site, case.procedure, case.ward, day):
        raise SiteDoesNotAccept(case.case_id)
    check_day(case, day, window(case, site.site_id, today, rules, by_staff=by_staff))


def kept_from(case: CaseFacts, day: date, own: SiteRules, *, by_staff: bool) -> int:
    """Seats of each cell on that day that this case has to leave to others."""
    today, rules = business_date(own.at), own.of(case.procedure)
    if urgent(case, today, rules):
        return rules.kept(day, today, Audience.URGENT)
    return rules.kept(day, today, Audience.STAFF if by_staff else Audience.CITIZEN)

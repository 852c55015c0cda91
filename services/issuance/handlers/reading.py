"""What a clerk looks at: a site's day and a visit. Every look is audited."""

from dataclasses import dataclass
from datetime import date, datetime

from services.issuance.domain.case_file import AlreadyDone, obstacle
from services.issuance.domain.visit import Visit, VisitUnknown
from services.issuance.store import bookings, case_files, days, visits
from services.issuance.store.bookings import Expected
from shared.ids import SiteId, VisitId
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class ExpectedCase:
    """One expected case, where its card lies here, and what stands in its way so far."""

    expected: Expected
    shelf_position: str | None
    obstacle: str | None


@dataclass(frozen=True, slots=True)
class SiteDay:
    """Whom a site expects on a day, and who has come."""

    site_id: SiteId
    business_date: date
    signed_off_at: datetime | None
    expected: tuple[ExpectedCase, ...]
    visits: tuple[Visit, ...]


async def read_day(unit: Unit, site_id: SiteId, day: date) -> SiteDay:
    """The day of a site the caller may act at (checked at the door)."""
    unit.audit("day.read", subject=site_id, site_id=site_id, day=day.isoformat())
    return SiteDay(
        site_id=site_id,
        business_date=day,
        signed_off_at=await days.signed_off_at(unit.conn, site_id, day),
        expected=await _expected(unit, site_id, day),
        visits=tuple(await visits.of_day(unit.conn, site_id, day)),
    )


async def read_visit(unit: Unit, visit_id: VisitId) -> Visit:
    """The visit. Raises ``VisitUnknown`` and ``Forbidden`` (site)."""
    visit = await visits.find(unit.conn, visit_id)
    if visit is None:
        raise VisitUnknown
    unit.principal.require_site(visit.site_id)
    unit.audit("visit.read", subject=str(visit_id), site_id=visit.site_id)
    return visit


async def _expected(unit: Unit, site_id: SiteId, day: date) -> tuple[ExpectedCase, ...]:
    expected = await bookings.of_day(unit.conn, site_id, day)
    files = await case_files.read(unit.conn, {one.booking.case_id for one in expected})
    cases = []
    for one in expected:
        file = files[one.booking.case_id]
        found = obstacle(file, site_id, day)
        slug = found.slug if found and not isinstance(found, AlreadyDone) else None
        here = file.shelf_position if file.site_id == site_id else None
        cases.append(ExpectedCase(one, here, slug))
    return tuple(cases)

"""What has to be fetched from the shelves of a site, and where cards will not be in time."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from services.preparation.domain.transfers import Cause, failure, leave_by
from services.preparation.handlers.sites import homes
from services.preparation.store import alarms, needs
from services.preparation.store.needs import AtRisk, Expiring, Need, Pick, PickKey
from services.preparation.tools import Tools
from shared.calendar import TOKYO, BusinessCalendar, business_date
from shared.contracts.preparation import CardTransferFailed
from shared.due import DueWork
from shared.ids import CaseId, SiteId, WardCode
from shared.unit import Unit

_BATCH = 500
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Errand:
    """A card to send: where, why, and until when it has to leave."""

    case_id: CaseId
    card_reference: str
    ward: WardCode
    shelf_position: str
    to_site_id: SiteId | None
    cause: Cause
    starts_at: datetime | None
    leave_by: date | None
    overdue: bool


async def dispatch_list(
    unit: Unit,
    tools: Tools,
    site_id: SiteId,
    after: tuple[datetime | None, str] | None,
    limit: int,
) -> list[Errand]:
    """The cards that have to leave a site, those needed first elsewhere first; audited for each.

    Those that leave because the site closes go to the default shelf of their ward.
    """
    found = await needs.leaving(unit.conn, site_id, unit.now, after, limit)
    known = await homes(unit.conn, tools.settings)
    errands = []
    for need in found:
        home = known.of(need.ward)
        to = home.site_id if home and home.site_id != site_id else None
        errands.append(_errand(unit, tools, need, need.booked_site_id or to))
        unit.audit("card.list", subject=str(need.case_id), site_id=site_id)
    return errands


async def picking_list(
    unit: Unit, site_id: SiteId, day: date, after: PickKey | None, limit: int
) -> Sequence[Pick]:
    """The cards of those who come to a site on a day, in the order of its shelves, then those that
    are not there; after one, audited for each.
    """
    start = datetime.combine(day, time(), TOKYO)
    span = start, start + timedelta(days=1)
    conn, now = unit.conn, unit.now
    found = await needs.expected(conn, site_id, span, now=now, after=after, limit=limit)
    for pick in found:
        unit.audit("card.list", subject=str(pick.case_id), site_id=site_id)
    return found


async def near_expiry(
    unit: Unit, site_id: SiteId, days: int, after: tuple[date, str] | None, limit: int
) -> Sequence[Expiring]:
    """Cards of a site to hand over within ``days``, booked or not; audited for each."""
    today = business_date(unit.now)
    found = await needs.near_expiry(
        unit.conn,
        site_id,
        now=unit.now,
        days=(today, today + timedelta(days=days)),
        after=after,
        limit=limit,
    )
    for card in found:
        unit.audit("card.list", subject=str(card.case_id), site_id=site_id)
    return found


def failures(calendar: BusinessCalendar, at: time) -> DueWork:
    """From ``at`` on (local time), tell of the cards that are not where their citizens come on the
    next business day, or before it.
    """

    async def work(unit: Unit) -> int:
        local = unit.now.astimezone(TOKYO)
        if local.time() < at:
            return 0
        until = calendar.next_business_day(local.date()) + timedelta(days=1)
        end = datetime.combine(until, time(), TOKYO)
        found = await needs.at_risk(unit.conn, unit.now, end, _BATCH)
        return await _tell(unit, found)

    return work


async def late_batches(unit: Unit) -> int:
    """Raise the alarm for each batch that should have been there yesterday, once."""
    late = await alarms.late(unit.conn, business_date(unit.now), unit.now, _BATCH)
    for batch in late:
        log.warning("a batch of cards is late: %s, due on %s", batch.transfer_id, batch.due_on)
        unit.audit(
            "transfer.late",
            subject=str(batch.transfer_id),
            site_id=batch.to_site_id,
            cards=batch.open_count,
        )
    return len(late)


async def _tell(unit: Unit, found: Sequence[AtRisk]) -> int:
    reasons = {risk.case_id: failure(risk.line, movable=not risk.held) for risk in found}
    told = await needs.failed(
        unit.conn,
        [risk.case_id for risk in found],
        [risk.about for risk in found],
        [reasons[risk.case_id].value for risk in found],
        unit.now,
    )
    for risk in found:
        if risk.case_id in told:
            unit.emit(
                CardTransferFailed(
                    case_id=risk.case_id,
                    batch_id=risk.transfer_id,
                    to_site_id=risk.site_id,
                    reason=reasons[risk.case_id],
                )
            )
            unit.audit("card.transfer_failed", subject=str(risk.case_id), site_id=risk.site_id)
    return len(told)


def _errand(unit: Unit, tools: Tools, need: Need, to: SiteId | None) -> Errand:
    until = need.last_day
    if need.starts_at is not None:
        days = tools.settings.transfer_business_days
        until = leave_by(tools.calendar, business_date(need.starts_at), days)
    return Errand(
        case_id=need.case_id,
        card_reference=need.card_reference,
        ward=need.ward,
        shelf_position=need.shelf_position,
        to_site_id=to,
        cause=Cause.BOOKING if need.booked_site_id else Cause.WIND_DOWN,
        starts_at=need.starts_at,
        leave_by=until,
        overdue=until is not None and until < business_date(unit.now),
    )

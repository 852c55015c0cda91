"""Taking a closure back: the site is as it was, and who has not moved keeps the old seat.

What becomes of each booking is the closure's own work afterwards (``closing``), in bounded batches:
those that moved stay there, seats kept for others go back, and whoever was told hears that the old
seat is theirs again. Locks: the suspension, the closure, then the site.
"""

from services.reservation.domain.closure import (
    Closure,
    ClosureId,
    ClosureKind,
    NoSuchClosure,
    Progress,
)
from services.reservation.domain.rules import Rules
from services.reservation.domain.site import NoSuchSite
from services.reservation.domain.withdrawal import check_running, taken_back
from services.reservation.handlers import (
    calendar,
    closures,
    site_news,
    sites,
    suspensions,
)
from services.reservation.store import closures as store
from services.reservation.store import sites as site_store
from shared.calendar import business_date
from shared.contracts.site import SiteChanged
from shared.unit import Unit


async def withdraw(unit: Unit, closure_id: ClosureId, rules: Rules) -> Progress:
    """Take a closure back; taken back again it stays so. A suspension's is over at this site.

    Raises ``NoSuchClosure``, ``SiteForbidden``, ``NotWithdrawable``, and ``BookingsInTheWay`` where
    seats that the change made have been booked.
    """
    seen = await store.read(unit.conn, closure_id)
    if seen is None:
        raise NoSuchClosure
    unit.principal.require_site(seen.site_id)
    if seen.suspension_id is not None and seen.withdrawn_at is None:
        check_running(seen)
        await suspensions.resume(unit, seen.suspension_id, [seen.site_id], rules)
    closure = await store.lock(unit.conn, closure_id) or seen
    if closure.withdrawn_at is None:
        check_running(closure)
        if closure.kind is not ClosureKind.SUSPENSION:
            await _restore(unit, closure, rules)
        await store.withdraw(unit.conn, closure_id, unit.now)
        unit.audit(
            "closure.withdrawn",
            subject=closure.site_id,
            site_id=closure.site_id,
            closure_id=str(closure_id),
            kind=closure.kind.value,
        )
    return await closures.find(unit, closure_id)


async def _restore(unit: Unit, closure: Closure, rules: Rules) -> None:
    stored = await site_store.lock(unit.conn, closure.site_id)
    if stored is None:
        raise NoSuchSite
    former = await store.former(unit.conn, closure.closure_id)
    today = business_date(unit.now)
    site = taken_back(stored.site, stored.version, closure, former, today)
    version = await site_store.update(unit.conn, site, unit.now)
    await site_news.tell(unit, SiteChanged, site)
    unit.audit("site.changed", subject=site.site_id, site_id=site.site_id, version=version)
    await calendar.make_room(unit, site, stored.made_until, rules, former=stored.site)
    await sites.refuse_lost(unit, site, stored.made_until, rules)

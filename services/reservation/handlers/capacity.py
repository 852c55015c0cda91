"""Telling how many seats citizens may book: other rooms pace notices by it and report it.

A changed calendar is told of at once (``calendar``), and so is what a suspension or a share takes
from citizens; what has been booked, held and given back since is in what is told each day. The site
is locked, so that no older number follows a newer one.
"""

from collections.abc import Collection

from services.reservation.domain.rules import Rules
from services.reservation.handlers import calendar
from services.reservation.store import daily, sites
from shared.calendar import business_date
from shared.due import DueWork
from shared.ids import SiteId
from shared.unit import Unit


async def tell(unit: Unit, site_ids: Collection[SiteId], rules: Rules) -> None:
    """Say anew what citizens may book at these sites; locks each, in the order of their ids."""
    for site_id in sorted(site_ids):
        locked = await sites.lock(unit.conn, site_id)
        if locked is not None:
            await calendar.publish(unit, locked, rules)


def telling(rules: Rules) -> DueWork:
    """Due work: the seats of one site that sells and was not told of today."""

    async def batch(unit: Unit) -> int:
        today = business_date(unit.now)
        names = {
            f"capacity {stored.site.site_id}": stored.site.site_id
            for stored in await sites.on_sale(unit.conn)
        }
        done = {name for name, _ in await daily.done_among(unit.conn, [(n, today) for n in names])}
        for name, site_id in names.items():
            if name in done:
                continue
            await tell(unit, [site_id], rules)
            await daily.mark(unit.conn, name, today, unit.now)
            return 1
        return 0

    return batch

"""Seats that are new: a larger calendar, a resumption, a share that is released, a day that opens.

Who waits is asked first, as for seats given back: as many as the parties waiting for a day could
use stay away for a moment, on their way back like any other (``seat_return``), and are offered in
fair order meanwhile. Where nobody waits, nothing is kept away. Cells are locked in the order of
their key, and no two sites' in one unit of due work.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from services.reservation.domain.cells import midnight
from services.reservation.domain.rules import Rules
from services.reservation.domain.site_rules import SiteRules
from services.reservation.handlers import site_rules
from services.reservation.handlers.going_back import OFFER_PATIENCE
from services.reservation.store import cells, daily, free_cells, returns, waitlist
from shared.calendar import business_date
from shared.contracts.base import Procedure
from shared.due import DueWork
from shared.ids import SiteId, new_id
from shared.unit import Unit

EVER = timedelta(days=366)
"""Nobody books farther ahead."""
Mark = tuple[str, date]
"""What has become free, and on which day."""


async def ask_first(
    unit: Unit, site_id: SiteId, first: date | None = None, last: date | None = None
) -> None:
    """Keep what is free on these days (on all from now on) away until who waits was asked."""
    today = business_date(unit.now)
    first, last = max(first or today, today), last or today + EVER
    waiting = await waitlist.waited_for(unit.conn, site_id, first, last)
    if not waiting:
        return
    start, end = midnight(min(waiting)), midnight(max(waiting) + timedelta(days=1))
    rows = await free_cells.free(unit.conn, [site_id], max(start, unit.now), end, unit.now)
    wanted = [
        (site_id, row.starts_at)
        for row in rows
        if row.free > 0 and business_date(row.starts_at) in waiting
    ]
    if not wanted:
        return
    left = await cells.lock_all(unit.conn, wanted, unit.now)
    taken = {
        key: min(seats, waiting[business_date(key[1])]) for key, seats in left.items() if seats > 0
    }
    await cells.take_all(unit.conn, taken)
    # A return is of one day: who waits for that day is asked about it.
    for day in sorted({business_date(at) for _, at in taken}):
        seats = {at: n for (_, at), n in taken.items() if business_date(at) == day}
        await returns.put_back(
            unit.conn,
            site_id,
            seats,
            new_id(),
            held_until=None,
            due_at=unit.now + OFFER_PATIENCE,
        )


def opened(rules: Rules) -> DueWork:
    """Due work: ask who waits about days that have opened and shares that have been released."""

    async def batch(unit: Unit) -> int:
        sites = await waitlist.waited_sites(unit.conn)
        own = await site_rules.at_all(unit, sites, rules)
        wanted = {(name, day): site for site in sites for name, day in _marks(site, own[site])}
        done = await daily.done_among(unit.conn, list(wanted))
        for (name, day), site_id in sorted(wanted.items()):
            if (name, day) not in done:
                await ask_first(unit, site_id, day, day)
                await daily.mark(unit.conn, name, day, unit.now)
                return 1
        return 0

    return batch


def _marks(site_id: SiteId, own: SiteRules) -> Iterator[Mark]:
    today = business_date(own.at)
    for procedure in Procedure:
        rules = own.of(procedure)
        about = f"fresh seats {site_id} {procedure}"
        yield f"{about} horizon", rules.last_day(today)
        if rules.kept_call_centre:
            yield (
                f"{about} call centre",
                today + timedelta(days=rules.call_centre_released_days),
            )
        if rules.kept_walk_in:
            yield f"{about} walk-in", today + timedelta(days=rules.walk_in_released_days)

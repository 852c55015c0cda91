"""Send notices so that those invited find a free seat: by hand, or by themselves each morning."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import time, timedelta

from services.preparation.domain.pace import Demand, Pace, PaceReached
from services.preparation.handlers.allowances import allowances
from services.preparation.handlers.notices import Made, make_notices
from services.preparation.handlers.selection import Selection
from services.preparation.store import pace as paces
from services.preparation.store.pace import SitePace
from services.preparation.tools import Tools
from shared.calendar import TOKYO, business_date
from shared.due import DueWork
from shared.errors import Text
from shared.ids import SiteId
from shared.unit import Unit

BATCH = 1_000
"""Notices that go out by themselves in one unit."""


@dataclass(frozen=True, slots=True)
class PaceView:
    """The pace of a site, what stands against it, and how many notices may go out now."""

    site: SitePace
    demand: Demand
    waiting: int
    allowance: int


async def view(unit: Unit, site_id: SiteId) -> PaceView:
    """How a site stands."""
    (site,) = await paces.find(unit.conn, [site_id])
    return await _view(unit, site)


async def list_paces(unit: Unit) -> list[PaceView]:
    """How all sites stand."""
    return [await _view(unit, one) for one in await paces.listed(unit.conn)]


async def set_pace(
    unit: Unit, site_id: SiteId, pace: Pace, check: Callable[[int], None]
) -> PaceView:
    """Change the pace of a site; ``check`` gets the version that is changed (0: never set)."""
    before = await paces.lock(unit.conn, site_id)
    check(before.version)
    await paces.store(unit.conn, site_id, pace)
    unit.audit("notice.pace", subject=site_id, site_id=site_id, share=pace.share)
    return await view(unit, site_id)


async def make_next(unit: Unit, tools: Tools, site_id: SiteId, limit: int | None = None) -> Made:
    """Notify those whose turn it is, as many as the pace allows: nearest to expiry, then oldest.

    Raises ``PaceReached``.
    """
    stands = await _view(unit, await paces.lock(unit.conn, site_id))
    count = stands.allowance if limit is None else min(limit, stands.allowance)
    if count == 0:
        raise PaceReached(_why(stands))
    today = business_date(unit.now)
    near = today + timedelta(days=tools.settings.near_expiry_days)
    chosen = await paces.next_cards(unit.conn, site_id, today, near, min(count, BATCH))
    return await make_notices(unit, tools, Selection(tuple(chosen)), paced=True)


def daily(tools: Tools, at: time) -> DueWork:
    """From ``at`` on (local time) of business days, for sites whose pace is automatic."""

    async def work(unit: Unit) -> int:
        today = business_date(unit.now)
        early = unit.now.astimezone(TOKYO).time() < at
        if early or not tools.calendar.is_business_day(today):
            return 0
        site_id = await paces.due(unit.conn, today)
        if site_id is None:
            return 0
        made = None
        if (await view(unit, site_id)).allowance > 0:
            made = await make_next(unit, tools, site_id)
        if made is None or made.batch is None:
            await paces.ran(unit.conn, site_id, today)
            return 1
        return made.batch.notice_count

    return work


async def _view(unit: Unit, site: SitePace) -> PaceView:
    (stands,) = await allowances(unit, [site])
    waiting = await paces.waiting(unit.conn, site.site_id)
    return PaceView(site, stands.demand, waiting, stands.count)


def _why(stands: PaceView) -> Text:
    seats, invited = stands.demand.free_seats, stands.demand.invited
    return Text(
        f"{seats} seats are free, and {invited} citizens are invited and have not booked; "
        f"{stands.demand.sent_today} notices went out today.",
        f"空き枠{seats}件に対し、通知済みで未予約の方が{invited}人です"
        f"（本日の送付{stands.demand.sent_today}件）。",
    )

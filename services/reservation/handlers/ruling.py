"""Changing what a site decides, and telling those who work by it: lateness goes with the site, and
another length of visits, or share for others, is another number of seats for citizens.
"""

from services.reservation.domain.rules import Rules
from services.reservation.domain.site_rules import Overrides
from services.reservation.handlers import calendar, site_news, site_rules
from services.reservation.handlers.precondition import Precondition
from services.reservation.store.site_rules import StoredOverrides
from shared.contracts.base import Procedure
from shared.contracts.site import SiteChanged
from shared.ids import SiteId
from shared.unit import Unit


async def put(
    unit: Unit,
    site_id: SiteId,
    procedure: Procedure,
    own: Overrides,
    require: Precondition,
    *,
    rules: Rules,
) -> StoredOverrides:
    """Replace what the site decides for ``procedure``; raises what ``site_rules.put`` raises."""
    decided = await site_rules.put(unit, site_id, procedure, own, require)
    before = decided.before
    if before is not None and before.lateness_minutes != own.lateness_minutes:
        await site_news.tell(unit, SiteChanged, decided.site.site)
    if before is not None and _seats(before) != _seats(own):
        await calendar.publish(unit, decided.site, rules)
    return decided.now


def _seats(own: Overrides) -> object:
    """What the number of seats that citizens may book depends on."""
    shares = own.kept_call_centre, own.call_centre_released_days
    return own.minutes, shares, own.kept_walk_in, own.walk_in_released_days

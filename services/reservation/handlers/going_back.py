"""When seats that are given back are free again: never at once, and later where somebody waits."""

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from services.reservation.domain.rules import Rules
from services.reservation.store import waitlist
from shared.ids import SiteId
from shared.unit import Unit

OFFER_PATIENCE = timedelta(minutes=1)
"""A seat that somebody waits for stays away at least so long, that it can be offered first."""


async def back_at(unit: Unit, site_id: SiteId, rules: Rules) -> datetime:
    """When a seat given back now is free again.

    Nobody can tell when it comes back, so that handing one over by cancelling does not pay.
    """
    return back_after(unit, await patience(unit, [site_id]), rules)


def back_after(unit: Unit, at_least: timedelta, rules: Rules) -> datetime:
    """``back_at`` where it is known how long seats of the site stay away at least."""
    wait = timedelta(seconds=secrets.randbelow(int(rules.return_within.total_seconds()) + 1))
    return unit.now + max(wait, at_least)


async def patience(unit: Unit, site_ids: Collection[SiteId]) -> timedelta:
    """How long a seat at these sites stays away at least, so that who waits is asked first."""
    waited_for = await waitlist.anybody_waits(unit.conn, sorted(site_ids))
    return OFFER_PATIENCE if waited_for else timedelta(0)

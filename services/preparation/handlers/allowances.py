"""How many notices the free seats of a site allow now, and how many were made beyond that."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time

from services.preparation.domain.pace import Demand, allowance, window
from services.preparation.store import pace as paces
from services.preparation.store.cards import Card
from services.preparation.store.pace import SitePace
from shared.calendar import TOKYO, business_date
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class Allowance:
    """The pace of a site, what stands against it, and how many notices may go out now."""

    site: SitePace
    demand: Demand
    count: int


async def allowances(unit: Unit, sites: Sequence[SitePace]) -> list[Allowance]:
    """How the sites stand, in their order."""
    today = business_date(unit.now)
    windows = {site.site_id: window(site.pace, today) for site in sites}
    midnight = datetime.combine(today, time(), TOKYO)
    found = await paces.demands(unit.conn, windows, midnight, today)
    return [
        Allowance(site, found[site.site_id], allowance(site.pace, found[site.site_id]))
        for site in sites
    ]


async def beyond(unit: Unit, cards: Sequence[Card]) -> int:
    """How many notices of these cards are more than their sites allow now.

    It is only counted: who names cards by hand decides that their notices go out.
    """
    wanted = Counter(card.site_id for card in cards if card.site_id is not None)
    found = await allowances(unit, await paces.find(unit.conn, sorted(wanted)))
    return sum(max(0, wanted[one.site.site_id] - one.count) for one in found)

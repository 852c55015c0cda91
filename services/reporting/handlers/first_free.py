"""Reads what the first free days of the past depend on, and follows them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.reporting.domain import first_free as domain
from services.reporting.domain.first_free import FirstFree, Taken
from services.reporting.domain.free import Offer, Rooms
from services.reporting.handlers.site_reports import HORIZON_DAYS
from services.reporting.store import plans, site_offers, taken
from services.reporting.store.site_days import Days
from shared.contracts.place import Site
from shared.db import Connection


@dataclass(frozen=True, slots=True)
class Known:
    """Seats and bookings of the days ahead of some evenings, and the sites as they are."""

    offers: Sequence[Offer]
    taken: Sequence[Taken]
    sites: Sequence[Site]


async def known(conn: Connection, days: Days) -> Known:
    """What the evenings of ``days`` had before them."""
    first, last = days.first + timedelta(days=1), days.last + timedelta(days=HORIZON_DAYS)
    return Known(
        await site_offers.offers(conn, first, last),
        await taken.taken(conn, first, last),
        await plans.on_day(conn, days.last),
    )


def of_sites(found: Known, days: Days) -> list[FirstFree]:
    """Evening by evening, each site."""
    return list(domain.of_sites(_evenings(found, days)))


def of_wards(found: Known, days: Days, *, step: int = 1) -> list[FirstFree]:
    """Each ward that has a site, on every evening or every ``step``-th."""
    wards = sorted({site.ward for site in found.sites})
    return list(domain.of_wards(_evenings(found, days, step), found.sites, wards))


def _evenings(found: Known, days: Days, step: int = 1) -> Iterator[tuple[date, Rooms]]:
    count = (days.last - days.first).days + 1
    shown = [days.first + timedelta(days=number) for number in range(0, count, step)]
    return domain.evenings(found.offers, found.taken, shown, HORIZON_DAYS)

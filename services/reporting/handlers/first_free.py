"""Keeps what is told of free seats, and reads how the first free day moved."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.reporting.domain import first_free as domain
from services.reporting.domain.first_free import FirstFree, Telling
from services.reporting.domain.free import Seats
from services.reporting.domain.told import Told
from services.reporting.handlers import site_reports
from services.reporting.handlers.site_reports import HORIZON_DAYS, Outlook
from services.reporting.store import free_told, plans
from services.reporting.store.plans import Version, as_of
from services.reporting.store.site_days import Days
from shared.contracts.place import Site
from shared.contracts.site import CapacityPublished
from shared.db import Connection
from shared.ids import SiteId
from shared.messaging.envelope import Message
from shared.unit import Unit


async def told(unit: Unit, messages: Sequence[Message[CapacityPublished]]) -> None:
    """What is free on the days to come, as it is known now."""
    await free_told.keep(unit.conn, [(Told(m.time, m.sequence, m.id), m.data) for m in messages])


@dataclass(frozen=True, slots=True)
class Known:
    """What was told of each evening, and how the sites were planned."""

    told: Sequence[Telling]
    versions: Mapping[SiteId, Sequence[Version]]
    live: Outlook | None = None
    """Today as it is now, where it is asked for: its evening has not been told of yet."""

    def sites_on(self, day: date) -> Sequence[Site]:
        """The sites as they were known at the end of ``day``."""
        found = (as_of(told, day) for told in self.versions.values())
        return [site for site in found if site is not None]


async def known(conn: Connection, days: Days, *, step: int = 1, today: date | None = None) -> Known:
    """What was known on the evenings of ``days``: on each, or on every ``step``-th; of ``today``,
    where it is named and one of them, what is free now."""
    count = (days.last - days.first).days + 1
    shown = [days.first + timedelta(days=number) for number in range(0, count, step)]
    live = await site_reports.outlook(conn, today) if today in shown and today else None
    return Known(await free_told.known(conn, shown), await plans.versions(conn, None), live)


def of_sites(found: Known) -> list[FirstFree]:
    """Evening by evening, each site."""
    return list(domain.of_sites(_evenings(found)))


def of_wards(found: Known) -> list[FirstFree]:
    """Evening by evening, each ward that had a site."""
    return list(domain.of_wards(_evenings(found), found.sites_on))


def _evenings(found: Known) -> Iterator[tuple[date, Seats]]:
    """Each evening that was told of; today as it is."""
    live = found.live
    for evening, seats in domain.evenings(found.told, HORIZON_DAYS):
        yield evening, live.seats if live and live.today == evening else seats

"""Keeps what is told of free seats, and reads how the first free day moved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.reporting.domain import first_free as domain
from services.reporting.domain.first_free import FirstFree, Telling
from services.reporting.domain.told import Told
from services.reporting.handlers.site_reports import HORIZON_DAYS
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

    def sites_on(self, day: date) -> Sequence[Site]:
        """The sites as they were known at the end of ``day``."""
        found = (as_of(told, day) for told in self.versions.values())
        return [site for site in found if site is not None]


async def known(conn: Connection, days: Days, *, step: int = 1) -> Known:
    """What was known on the evenings of ``days``: on each, or on every ``step``-th."""
    count = (days.last - days.first).days + 1
    shown = [days.first + timedelta(days=number) for number in range(0, count, step)]
    return Known(await free_told.known(conn, shown), await plans.versions(conn, None))


def of_sites(found: Known) -> list[FirstFree]:
    """Evening by evening, each site."""
    return list(domain.of_sites(domain.evenings(found.told, HORIZON_DAYS)))


def of_wards(found: Known) -> list[FirstFree]:
    """Evening by evening, each ward that had a site."""
    return list(domain.of_wards(domain.evenings(found.told, HORIZON_DAYS), found.sites_on))

"""A day's measures are told at its sign-off: then nothing of the day changes any more."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.issuance.domain.measures import Quarter, measure
from services.issuance.store import measures
from shared.contracts.issuance import Arrival, ServiceMeasured, ServiceTime
from shared.ids import SiteId
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class Learning:
    """How many days count as measured, and how many parties replace a default."""

    days: int
    least: int


async def tell(unit: Unit, site_id: SiteId, day: date, learning: Learning) -> None:
    """Say the quarters of a day that is signed off, and learn its service times."""
    for event in await of_day(unit, site_id, day):
        unit.emit(event)
    await measures.learn(unit.conn, site_id, day, days=learning.days, least=learning.least)


async def of_day(unit: Unit, site_id: SiteId, day: date) -> list[ServiceMeasured]:
    """The quarters of a day, in order."""
    found = measure(await measures.facts(unit.conn, site_id, day))
    return [_event(site_id, day, starts_at, quarter) for starts_at, quarter in found.items()]


def _event(site_id: SiteId, day: date, starts_at: datetime, quarter: Quarter) -> ServiceMeasured:
    return ServiceMeasured(
        site_id=site_id,
        business_date=day,
        starts_at=starts_at,
        booked=quarter.arrivals[Arrival.BOOKED],
        late=quarter.arrivals[Arrival.LATE],
        walk_in=quarter.arrivals[Arrival.WALK_IN],
        called=quarter.called,
        waited_seconds=_seconds(quarter.waited),
        longest_wait_seconds=_seconds(quarter.longest_wait),
        service_times=_times(quarter),
        open_seconds=_seconds(quarter.open),
        busy_seconds=_seconds(quarter.busy),
        abandoned=quarter.abandoned,
        deferred=quarter.deferred,
        expected=quarter.expected,
        missed=quarter.missed,
    )


def _times(quarter: Quarter) -> tuple[ServiceTime, ...]:
    done: Mapping[tuple[str, str], ServiceTime] = {
        (kind[0], kind[1] or ""): ServiceTime(
            service=kind[0], step=kind[1], count=count, seconds=_seconds(quarter.took[kind])
        )
        for kind, count in quarter.done.items()
    }
    return tuple(done[kind] for kind in sorted(done))


def _seconds(duration: timedelta) -> int:
    return round(duration.total_seconds())

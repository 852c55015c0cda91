"""Availability as it is shown: its forms, and how each is written down from what was found.

Written here and not by the framework: a day's text is kept as long as the day stays as it is, so a
booking costs the text of one day, not of all. The models say in the document what is written.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from services.reservation.api.times import LocalInstant
from services.reservation.domain.availability import Day, Question
from services.reservation.handlers import availability
from services.reservation.handlers.availability import AT_A_TIME
from services.reservation.handlers.board import SiteDays
from shared.contracts.base import Procedure
from shared.contracts.place import SiteName
from shared.ids import SiteId


class StartView(BaseModel):
    """A time at which a visit may begin."""

    starts_at: LocalInstant
    free: int = Field(description="How many cases could begin then.")


class DayView(BaseModel):
    """One day on which something is free."""

    date: date
    free: int = Field(description="Seats of the day, each as long as the procedure takes.")
    starts: list[StartView] = Field(description="Empty where `starts=false` was asked.")

    @classmethod
    def of(cls, day: Day, *, with_starts: bool) -> "DayView":
        """The day as it is shown."""
        shown = day.starts if with_starts else ()
        starts = [StartView(starts_at=start.starts_at, free=start.free) for start in shown]
        return cls(date=day.day, free=day.free, starts=starts)


class SiteAvailability(BaseModel):
    """The days of one site that accepts the wards and procedure."""

    site_id: SiteId
    name: SiteName
    procedure: Procedure
    version: int = Field(description="Version of the site that this was computed from.")
    distance_km: float | None = Field(None, description="From `near`, as the crow flies.")
    days: list[DayView]

    @classmethod
    def of(cls, found: SiteDays) -> "SiteAvailability":
        """The site as it is shown, without the distance, which depends on who asks, and days."""
        return cls(
            site_id=found.site.site_id,
            name=found.site.name,
            procedure=found.procedure,
            version=found.version,
            days=[],
        )


_VERSION = Field(
    description="Stands for everything this was computed from; the same as the ETag. Booking "
    "looks again, whatever the version."
)
_SITE: dict[str, JsonValue] = {
    "site_id": "kawasaki-ward-office",
    "name": {"ja": "川崎区役所", "en": "Kawasaki Ward Office"},
    "procedure": "card_issuance",
    "version": 2,
}
_START: dict[str, JsonValue] = {"starts_at": "2026-04-08T09:00:00+09:00", "free": 4}
_EXAMPLE_VERSION = "6d0c7ac9d0a1c2f4"


class Availability(BaseModel):
    """Sites that accept the wards and procedures, and what is free there."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "version": _EXAMPLE_VERSION,
                    "sites": [
                        {**_SITE, "days": [{"date": "2026-04-08", "free": 98, "starts": [_START]}]}
                    ],
                }
            ]
        }
    )

    version: str = _VERSION
    sites: list[SiteAvailability]


class FirstView(BaseModel):
    """The first time that is free."""

    date: date
    starts_at: LocalInstant
    free: int

    @classmethod
    def of(cls, found: SiteDays) -> Self | None:
        """The first of a site; none where nothing is free."""
        if not found.days:
            return None
        day = found.days[0]
        return cls(date=day.day, starts_at=day.starts[0].starts_at, free=day.starts[0].free)


class SiteFirst(BaseModel):
    """A site and its first free date."""

    site_id: SiteId
    name: SiteName
    procedure: Procedure
    version: int
    distance_km: float | None = None
    first: FirstView | None = Field(description="Null where nothing is free in the days asked.")


class FirstDates(BaseModel):
    """The first free date of each site, soonest first, and so the earliest anywhere."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "version": _EXAMPLE_VERSION,
                    "earliest": {**_SITE, "first": {"date": "2026-04-08", **_START}},
                    "sites": [{**_SITE, "first": {"date": "2026-04-08", **_START}}],
                }
            ]
        }
    )

    version: str = _VERSION
    earliest: SiteFirst | None
    sites: list[SiteFirst]


class MapDay(BaseModel):
    """One day over all sites asked."""

    date: date
    free: int = Field(description="Seats of all sites; one counter counts for each procedure.")
    sites: int = Field(description="How many sites have something free.")


class DayMap(BaseModel):
    """Free seats by day, to be drawn as a calendar; days without any are left out."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "version": _EXAMPLE_VERSION,
                    "days": [{"date": "2026-04-08", "free": 412, "sites": 6}],
                }
            ]
        }
    )

    version: str = _VERSION
    days: list[MapDay]


@dataclass(frozen=True, slots=True)
class WriteSites:
    """Writes every site with its days, and with the times of each if they are wanted."""

    with_starts: bool

    async def __call__(self, question: Question, entries: Sequence[SiteDays]) -> tuple[str, bytes]:
        written = []
        for entry in entries:
            text = await _written(entry, with_starts=self.with_starts)
            if (far := _distance(question, entry)) is not None:
                text = b'{"distance_km":%r,' % far + text[1:]
            written.append(text)
        return _whole(b'"sites":[', written)


async def _written(entry: SiteDays, *, with_starts: bool) -> bytes:
    """The entry as JSON; answers are shown far more often than they change, and days too."""
    if with_starts not in entry.written:
        shown = SiteAvailability.of(entry)
        head = shown.model_dump_json(exclude={"distance_km", "days"}).encode()
        days = []
        for number, day in enumerate(entry.days):
            if number % AT_A_TIME == 0:
                await asyncio.sleep(0)
            days.append(_day(day, with_starts=with_starts))
        entry.written[with_starts] = head[:-1] + b',"days":[' + b",".join(days) + b"]}"
    return entry.written[with_starts]


def _day(day: Day, *, with_starts: bool) -> bytes:
    if with_starts not in day.written:
        shown = DayView.of(day, with_starts=with_starts)
        day.written[with_starts] = shown.model_dump_json().encode()
    return day.written[with_starts]


async def write_first(question: Question, entries: Sequence[SiteDays]) -> tuple[str, bytes]:
    """The first free date of each site, and the earliest of them."""
    sites = [
        SiteFirst(
            site_id=entry.site.site_id,
            name=entry.site.name,
            procedure=entry.procedure,
            version=entry.version,
            distance_km=_distance(question, entry),
            first=FirstView.of(entry),
        )
        for entry in entries
    ]
    sites.sort(key=lambda one: _soonest(one, near=question.near is not None))
    written = [one.model_dump_json().encode() for one in sites]
    earliest = written[0] if sites and sites[0].first is not None else b"null"
    return _whole(b'"earliest":' + earliest + b',"sites":[', written)


def _soonest(one: SiteFirst, *, near: bool) -> tuple[bool, date, float, str]:
    day = one.first.date if one.first is not None else date.max
    moment = one.first.starts_at.timestamp() if one.first is not None else 0.0
    far = one.distance_km if near and one.distance_km is not None else moment
    return (one.first is None, day, far, one.site_id)


async def write_days(question: Question, entries: Sequence[SiteDays]) -> tuple[str, bytes]:
    """What is free on each day, at all sites together."""
    days: dict[date, MapDay] = {}
    for entry in entries:
        for day in entry.days:
            met = days.setdefault(day.day, MapDay(date=day.day, free=0, sites=0))
            met.free += day.free
            met.sites += 1
    written = [days[day].model_dump_json().encode() for day in sorted(days)]
    return _whole(b'"days":[', written)


def _distance(question: Question, entry: SiteDays) -> float | None:
    far = availability.distance(entry.site, question)
    return None if far is None else round(far, 3)


def _whole(head: bytes, parts: Iterable[bytes]) -> tuple[str, bytes]:
    content = head + b",".join(parts)
    version = blake2b(content, digest_size=8).hexdigest()
    return version, b'{"version":"' + version.encode() + b'",' + content + b"]}"

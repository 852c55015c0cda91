"""The free seats of every site that sells, as this process knows them: read once, and once changed.

Nobody is answered from what was out of date when they asked: before each answer the board looks at
what has been committed since its last look (``store.seat_days``); those who ask at the same time
share a look that began after they came. What changes by the clock alone is the answer's concern.
"""

import asyncio
import time
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from services.reservation.domain.availability import Day, DayKey, Question, SeatDay, Way
from services.reservation.domain.national_system import Suspension
from services.reservation.domain.opening import wards_of
from services.reservation.domain.rules import Rules
from services.reservation.domain.searches import Searches
from services.reservation.domain.site_rules import Overrides, SiteRules
from services.reservation.handlers import calendar
from services.reservation.handlers.lately import Lately
from services.reservation.handlers.memory import Memory
from services.reservation.store import seat_days, site_rules, sites, suspensions
from services.reservation.store.seat_days import Change
from services.reservation.store.sites import StoredSite
from shared.contracts.base import Procedure
from shared.contracts.place import Site
from shared.db import Database
from shared.ids import SiteId, WardCode
from shared.security.principal import Principal
from shared.unit import Unit, Units

AT_A_TIME = 16
"""Days read in one statement; others are answered in between."""
PLANS = 256
"""Plans that a site remembers."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer of one site depends on, besides its seats."""

    procedure: Procedure
    wards: tuple[WardCode, ...]
    first: date
    last: date
    party: int
    hours: tuple[object, object]
    by_staff: bool
    today: date


@dataclass(frozen=True, slots=True)
class SiteDays:
    """The days of one site on which something is free; ``version`` is the site's.

    ``until``: by then it is another answer, whatever happens. ``written`` is for who shows it.
    """

    site: Site
    version: int
    procedure: Procedure
    days: tuple[Day, ...]
    until: datetime
    written: dict[bool, bytes] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Telling:
    """A question to all sites, and ``form``: who writes the answer down, and how."""

    question: Question
    form: Hashable

    @property
    def first(self) -> date:
        """The first day asked about."""
        return self.question.first

    @property
    def last(self) -> date:
        """The last day asked about."""
        return self.question.last


@dataclass(frozen=True, slots=True)
class Told:
    """A whole answer as it is written down; ``version`` is a hash of it."""

    version: str
    body: bytes
    until: datetime
    nothing_for: frozenset[Procedure] = frozenset()
    """Procedures for which nothing is free."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to find an answer: the rules that hold, and the way to ask for each day; ``until`` then
    the clock changes it.
    """

    procedure: Procedure
    rules: Rules
    ways: Mapping[date, Way]
    until: datetime


@dataclass(slots=True)
class Known:
    """A site on the board."""

    stored: StoredSite
    overrides: Mapping[Procedure, Overrides]
    suspensions: Sequence[Suspension]
    answers: Memory[Asked, SiteDays] = field(default_factory=Memory)
    plans: dict[Asked, Plan] = field(default_factory=dict)

    def rules(self, city: Rules, now: datetime) -> SiteRules:
        """The rules of the site."""
        return SiteRules(city, self.overrides, now)

    def plan(self, asked: Asked, now: datetime) -> Plan | None:
        """How to find the answer, where that was settled before."""
        found = self.plans.get(asked)
        return found if found is not None and now < found.until else None

    def settle(self, asked: Asked, plan: Plan) -> None:
        """Keep how to find an answer."""
        if len(self.plans) >= PLANS:
            self.plans.clear()
        self.plans[asked] = plan


class Board:
    """One per process. ``rules`` are the city's.

    ``told``: whole answers, over all sites, that are the same for everybody; ``lately`` which of
    them were asked for; ``searches`` how often anything was.
    """

    def __init__(self, database: Database, units: Units, rules: Rules, *, room: str) -> None:
        self.rules = rules
        self.told: Memory[Telling, Told] = Memory()
        self.lately = Lately(self.fresh)
        self.searches = Searches()
        self._database = database
        self._units = units
        self._principal = Principal.system(room)
        self._sites: dict[SiteId, Known] | None = None
        self._wards: tuple[Mapping[SiteId, Known], frozenset[WardCode]] = ({}, frozenset())
        self._days: dict[DayKey, SeatDay] = {}
        self._since: int | None = None
        self._seen: frozenset[int] = frozenset()
        self._looked_at = 0.0
        self._running: asyncio.Future[None] | None = None
        self._next: asyncio.Future[None] | None = None
        self._reading = asyncio.Lock()
        self._spoilt: set[DayKey | SiteId] = set()

    def now(self) -> datetime:
        """Business time."""
        return self._units.clock.now()

    async def fresh(self) -> None:
        """Forget what has changed; sees everything that was committed before this call."""
        if self._next is None:
            # A look that runs already may have missed what was committed just now.
            self._next = asyncio.ensure_future(self._look_after(self._running))
        await asyncio.shield(self._next)

    async def sites(self) -> Mapping[SiteId, Known]:
        """Every site that sells seats."""
        while self._sites is None:
            async with self._reading:
                if self._sites is None:
                    await self._read_sites()
        return self._sites

    async def wards(self) -> frozenset[WardCode]:
        """The city's wards, as far as these sites tell: where they stand, and whom they serve."""
        sites = await self.sites()
        if self._wards[0] is not sites:
            told = (one.stored.site for one in sites.values())
            self._wards = sites, frozenset(ward for site in told for ward in wards_of(site))
        return self._wards[1]

    async def seats(self, wanted: Collection[DayKey]) -> Mapping[DayKey, SeatDay]:
        """The seats of these days, none older than this call's beginning and the last look."""
        own: dict[DayKey, SeatDay] = {}
        while missing := self._missing(wanted, own):
            async with self._reading:
                if missing := self._missing(wanted, own):
                    own |= await self._read_days(missing[:AT_A_TIME])
        return {key: self._days.get(key) or own[key] for key in wanted}

    def _missing(
        self, wanted: Collection[DayKey], own: Mapping[DayKey, SeatDay]
    ) -> Sequence[DayKey]:
        return [key for key in wanted if key not in self._days and key not in own]

    async def extend(self, stored: StoredSite, last: date) -> bool:
        """Make the cells of a site up to ``last`` where there are none; whether that was so."""
        if stored.made_until is not None and last <= stored.made_until:
            return False
        async with self._units.begin(self._principal) as unit:
            await calendar.extend(unit, stored, last, self.rules)
        return True

    async def _look_after(self, running: asyncio.Future[None] | None) -> None:
        if running is not None:
            await asyncio.wait([running])
        self._running, self._next = self._next, None
        await self._look()

    async def _look(self) -> None:
        async with self._database.reader() as conn:
            if self._since is None or time.monotonic() - self._looked_at > _TRUSTED:
                self._forget_all(await seat_days.start(conn))
                return
            looked_at = time.monotonic()
            seen = await seat_days.look(conn, self._since)
        if seen.xmin < self._since:
            # Another database under the same name: nothing known is of it.
            self._forget_all(seen.xmin)
            return
        self._apply([change for change in seen.changes if change[0] not in self._seen])
        self._since, self._looked_at = seen.xmin, looked_at
        self._seen = frozenset(xid for xid, _, _ in seen.changes)

    def _apply(self, changes: Sequence[Change]) -> None:
        for site_id, day in {(site_id, day) for _, site_id, day in changes}:
            if day is None:
                self._sites = None
                self.told.clear()
                self._spoilt.add(site_id)
                continue
            self._days.pop((site_id, day), None)
            self.told.forget(day)
            self._spoilt.add((site_id, day))
            if self._sites is not None and site_id in self._sites:
                self._sites[site_id].answers.forget(day)

    def _forget_all(self, since: int) -> None:
        self._sites, self._since, self._seen = None, since, frozenset()
        self.told.clear()
        self._spoilt |= {*self._days, SiteId("")}
        self._days = {}
        self._looked_at = time.monotonic()

    async def _read_sites(self) -> None:
        self._spoilt.clear()
        async with self._database.reader() as conn:
            found = await sites.on_sale(conn)
            ids = [stored.site.site_id for stored in found]
            overrides = await site_rules.of_sites(conn, ids)
            stops = await suspensions.of_sites(conn, ids)
        if any(isinstance(one, str) for one in self._spoilt):
            return
        self._sites = {
            site_id: Known(stored, overrides.get(site_id, {}), stops.get(site_id, ()))
            for site_id, stored in zip(ids, found, strict=True)
        }

    async def _read_days(self, missing: Collection[DayKey]) -> Mapping[DayKey, SeatDay]:
        self._spoilt.clear()
        async with self._database.reader() as conn:
            found = await seat_days.read(conn, missing)
        # What has changed while it was read serves who asked for it, and nobody later.
        self._days |= {key: day for key, day in found.items() if key not in self._spoilt}
        return found


_TRUSTED = seat_days.KEPT.total_seconds() / 2


async def tidy(unit: Unit) -> int:
    """Due work: delete changes that no board asks for any more."""
    return await seat_days.forget(unit.conn, 5000)

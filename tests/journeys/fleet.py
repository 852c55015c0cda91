"""Instances of issuance over one database as processes, and visits that run while they come and go.

Each visit begins at the broker, with a booking that reservation tells of, and ends there, with the
card that issuance tells of: a wait is whatever passes until the next step was done, whoever did it.
"""

import asyncio
import base64
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from uuid import UUID

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.embedded.issuer import create_issuer, sign
from deploy.embedded.kafka import EmbeddedKafka
from deploy.embedded.keys import ISSUER, KeyStore
from shared.clock import FixedClock
from shared.contracts.base import Event
from shared.contracts.clock import ClockAdvanced
from shared.db import Database
from shared.ids import CaseId, SiteId, new_id
from shared.messaging.kafka import consumer, producer
from shared.messaging.topics import ensure_topics
from shared.security.principal import EVERY_SITE, Role
from shared.settings import KernelSettings
from tests.issuance.support import LICENCE, RING, TEN, City, Clerk, booked, card_life, new_case
from tests.journeys.installed import Issuance
from tests.support.browser import served
from tests.support.messaging import case, settings

STAFF = "http://issuer.test"
LEAST_SECONDS = 0.05
NOT_YET = {"booking-not-known", "card-not-here", "card-not-ready", "case-not-known"}
"""How a booking is refused of which not everything has been heard yet."""


@dataclass(frozen=True)
class Processes:
    """What the processes of every instance are told, and where they write."""

    settings: Mapping[str, str]
    folder: Path

    def of(self, site: SiteId | None) -> Issuance:
        """Those of an instance that serves ``site`` alone, or every site."""
        own = {"MADOGUCHI_ISSUANCE_SITES": site} if site else {}
        return Issuance(self.folder / (site or "all"), {**self.settings, **own})


class Fleet:
    """The instances, those who work with them, and how long each step was waited for."""

    def __init__(
        self,
        topic_prefix: str,
        sending: AIOKafkaProducer,
        said: City,
        token: str,
        processes: "Processes",
    ) -> None:
        self.phase = "calm"
        self.waits: dict[tuple[str, str], list[float]] = defaultdict(list)
        self.served: list[CaseId] = []
        self.issued: Counter[CaseId] = Counter()
        self.completed: Counter[CaseId] = Counter()
        self.instances: dict[SiteId | None, Issuance] = {}
        self._sending, self._said, self._token = sending, said, token
        self._processes, self._prefix = processes, topic_prefix
        self._asked: dict[CaseId, float] = {}
        self._is_over = asyncio.Event()

    async def add(self, site: SiteId | None, *roles: str) -> None:
        """An instance that serves ``site`` alone, or every site, begins."""
        instance = self._processes.of(site)
        await instance.start(*roles)
        self.instances[site] = instance

    async def say(self, *events: Event) -> None:
        """The rooms around say this, at the broker."""
        for event in events:
            record = self._said.record(event)
            topic = self._prefix + record.topic
            await self._sending.send_and_wait(
                topic, record.value, key=record.key, headers=list(record.headers)
            )

    def close(self) -> None:
        """Visits that have begun go to their end, and no other begins."""
        self._is_over.set()

    async def work(self, site: SiteId) -> None:
        """A clerk at ``site`` serves one citizen after the other."""
        async with httpx.AsyncClient(timeout=30) as http:
            while not self._is_over.is_set():
                await self._serve(http, site)

    async def _serve(self, http: httpx.AsyncClient, site: SiteId) -> None:
        case_id = new_case()
        booking = booked(case_id, site_id=site, card_site_id=site)
        await self.say(*card_life(case_id, site), booking)
        named = {"site_id": site, "booking_id": str(booking.booking_id)}
        visit = await self._step(http, site, "expected", "/v1/visits", named)
        path = f"/v1/visits/{visit['visit_id']}"
        await self._step(http, site, "called", f"{path}:call", {"counter": "X"})
        path = f"{path}/cases/{case_id}"
        await self._step(http, site, "identity", f"{path}/identity", LICENCE)
        await self._step(http, site, "pin set", f"{path}/pin-set", {"confirmed": True})
        await self._step(http, site, "handed over", f"{path}/issue", None)
        self._asked[case_id] = perf_counter()
        self.served.append(case_id)

    async def _step(
        self, http: httpx.AsyncClient, site: SiteId, step: str, path: str, body: object
    ) -> dict[str, object]:
        """The answer in the end: at the site's own instance, or where every site is served."""
        started, key = perf_counter(), str(new_id())
        while True:
            instance = self.instances.get(site) or self.instances[None]
            try:
                clerk = Clerk(http, self._token)
                answer = await clerk.post(f"{instance.api}{path}", body, key)
            except httpx.TransportError:
                if self.instances.get(site) is instance:
                    del self.instances[site]
                continue
            if answer.status_code < 300:
                break
            slug = str(answer.json()["type"]).rpartition(":")[2]
            assert (step, slug) in {("expected", one) for one in NOT_YET}, answer.text
            await asyncio.sleep(LEAST_SECONDS)
        self.waits[self.phase, step].append(perf_counter() - started)
        found: dict[str, object] = answer.json()
        return found

    async def listen(self, reader: AIOKafkaConsumer) -> None:
        """Hear what issuance tells."""
        async for record in reader:
            headers = dict(record.headers)
            if headers["ce_type"] == b"service.measured.v1":
                continue
            case_id = CaseId(UUID(headers["ce_subject"].decode()))
            if headers["ce_type"] == b"card.issued.v1":
                self.issued[case_id] += 1
                self._heard(case_id)
            self.completed[case_id] += headers["ce_type"] == b"visit.completed.v1"

    def _heard(self, case_id: CaseId) -> None:
        since = self._asked.get(case_id, perf_counter())
        self.waits[self.phase, "told"].append(perf_counter() - since)

    async def until_all_is_told(self) -> None:
        """What was handed over is known to everybody; the test's time-out bounds it."""
        while not all(self.issued[one] and self.completed[one] for one in self.served):  # noqa: ASYNC110
            await asyncio.sleep(LEAST_SECONDS)

    async def visits(self) -> int:
        """How many visits are kept."""
        async with self._said.database.reader() as conn:
            kept: int = await conn.fetchval("SELECT count(*) FROM visit")
        return kept

    def longest(self, phase: str) -> dict[str, float]:
        """The longest wait for each step, in seconds."""
        return {step: max(found) for (of, step), found in self.waits.items() if of == phase}


@asynccontextmanager
async def fleet(kafka: EmbeddedKafka, url: str, folder: Path) -> AsyncIterator[Fleet]:
    """A fleet without instances over this database. At the end none may have ended by itself."""
    set_ = settings(kafka_bootstrap_servers=kafka.bootstrap, topic_prefix=f"t{case().hex[-10:]}.")
    await ensure_topics(set_, ("issuance",))
    store = KeyStore(folder / "keys")
    store.ensure()
    keys = store.path(ISSUER)
    token = sign(keys, STAFF, subject="clerk", roles=[Role.CLERK], sites=[EVERY_SITE])
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(served(create_issuer(keys, STAFF)))
        database = await Database.connect(url, application="test", max_size=2)
        stack.push_async_callback(database.close)
        sending = producer(set_, "test")
        await sending.start()
        stack.push_async_callback(sending.stop)
        said = City(database, FixedClock(TEN))
        processes = Processes(_common(set_, url, issuer), folder)
        made = Fleet(set_.topic_prefix, sending, said, token, processes)
        reader = consumer(set_, "issuance.events", group=None)
        await reader.start()
        stack.push_async_callback(reader.stop)
        await made.say(ClockAdvanced(now=TEN))
        listening = asyncio.create_task(made.listen(reader))
        stack.callback(listening.cancel)
        died = []
        try:
            yield made
        finally:
            for instance in made.instances.values():
                died += await instance.end()
        assert died == []


def _common(set_: KernelSettings, url: str, issuer: str) -> dict[str, str]:
    ring = ",".join(f"{name}:{base64.b64encode(key).decode()}" for name, key in RING.items())
    return {
        "MADOGUCHI_CLOCK": "replay",
        "MADOGUCHI_TOPIC_PREFIX": set_.topic_prefix,
        "MADOGUCHI_KAFKA_BOOTSTRAP_SERVERS": set_.kafka_bootstrap_servers,
        "MADOGUCHI_OIDC_ISSUER": STAFF,
        "MADOGUCHI_OIDC_JWKS_URL": f"{issuer}/jwks",
        "MADOGUCHI_NOTICE_KEYS": ring,
        "MADOGUCHI_ISSUANCE_DATABASE_URL": url,
    }

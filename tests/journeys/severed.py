"""Headquarters and a satellite as processes: topics, databases, an issuer, and lines to be cut."""

import asyncio
import base64
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from aiokafka import AIOKafkaProducer
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from deploy.embedded.issuer import create_issuer, sign
from deploy.embedded.kafka import EmbeddedKafka
from deploy.embedded.keys import ISSUER, KeyStore
from deploy.embedded.ports import LOOPBACK
from shared.clock import FixedClock
from shared.contracts.base import Event
from shared.contracts.clock import ClockAdvanced
from shared.contracts.reservation import BookingConfirmed
from shared.db import Database
from shared.messaging.kafka import consumer, producer
from shared.messaging.topics import ensure_topics
from shared.security.principal import Role
from shared.settings import KernelSettings
from tests.issuance.support import OFFICE, RING, TEN, City, Clerk, booked, card_life, new_case, ok
from tests.journeys.installed import Issuance
from tests.support.browser import served
from tests.support.line import Line
from tests.support.messaging import case, settings

STAFF = "http://issuer.test"


async def until(done: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what other processes do; the test's time-out bounds it."""
    while not await done():  # noqa: ASYNC110
        await asyncio.sleep(0.1)


@dataclass
class Region:
    """The processes, the lines between them, and whoever works with them."""

    kafka: KernelSettings
    said: City
    producer: AIOKafkaProducer
    hq: Issuance
    sat: Issuance
    hq_database: Database
    sat_database: Database
    broker_line: Line
    hq_line: Line
    hq_clerk: Clerk
    hq_supervisor: Clerk
    sat_clerk: Clerk
    sent: int = field(default=0)

    async def say(self, *events: Event) -> None:
        """The rooms around say this, at the broker."""
        for event in events:
            record = self.said.record(event)
            topic = self.kafka.topic_prefix + record.topic
            await self.producer.send_and_wait(
                topic, record.value, key=record.key, headers=list(record.headers)
            )
            self.sent += event.topic != ClockAdvanced.topic

    async def expect(self, count: int) -> list[BookingConfirmed]:
        """Cards on the satellite's shelf, each with a booking there."""
        bookings = [booked(new_case()) for _ in range(count)]
        for booking in bookings:
            await self.say(*card_life(booking.case_id), booking)
        return bookings

    async def heard(self, database: Database) -> bool:
        """Whether all that was said has arrived there."""
        async with database.reader() as conn:
            found: int = await conn.fetchval("SELECT count(*) FROM inbox")
        return found == self.sent

    async def until_heard(self) -> None:
        """Headquarters have heard all that was said."""
        await until(lambda: self.heard(self.hq_database))

    async def until_satellite_heard(self) -> None:
        """The satellite has, too."""
        await until(lambda: self.heard(self.sat_database))

    async def until_leased(self) -> None:
        """The satellite may serve."""

        async def leased() -> bool:
            return bool(ok(await self.sat_clerk.get("/v1/journal"))["is_leased"])

        await until(leased)

    async def until_versions(self, count: int) -> None:
        """The satellite has so many versions of the checklist."""

        async def there() -> bool:
            return len(ok(await self.sat_clerk.get("/v1/checklists"))["items"]) == count

        await until(there)

    async def until_told(self) -> None:
        """Nothing of the journal waits."""

        async def told() -> bool:
            return bool(ok(await self.sat_clerk.get("/v1/journal"))["waiting"] == 0)

        await until(told)

    def cut(self) -> None:
        """Neither broker nor headquarters can be reached from the satellite."""
        self.broker_line.cut()
        self.hq_line.cut()

    async def open(self) -> None:
        """Both can."""
        await self.broker_line.open()
        await self.hq_line.open()

    async def issued(self) -> Counter[str]:
        """How often each card was said to be handed over, as everybody hears it."""
        async with self.hq_database.reader() as conn:
            written: int = await conn.fetchval("SELECT count(*) FROM outbox")
        reader = consumer(self.kafka, "issuance.events", group=None)
        await reader.start()
        found: list[tuple[bytes, str]] = []
        try:
            while len(found) < written:
                for records in (await reader.getmany(timeout_ms=200)).values():
                    found += [
                        (dict(one.headers)["ce_type"], dict(one.headers)["ce_subject"].decode())
                        for one in records
                    ]
        finally:
            await reader.stop()
        return Counter(subject for type_, subject in found if type_ == b"card.issued.v1")


@asynccontextmanager
async def severed(kafka: EmbeddedKafka, urls: Sequence[str], folder: Path) -> AsyncIterator[Region]:
    """Two issuances over these databases, headquarters' first; no process runs yet, and both lines
    are open. At the end none may have ended by itself.
    """
    set_ = settings(kafka_bootstrap_servers=kafka.bootstrap, topic_prefix=f"t{case().hex[-10:]}.")
    await ensure_topics(set_, ("issuance",))
    store = KeyStore(folder / "keys")
    store.ensure()
    keys = store.path(ISSUER)

    def token(subject: str, role: Role) -> str:
        return sign(keys, STAFF, subject=subject, roles=[role], sites=[OFFICE])

    async with AsyncExitStack() as stack:
        app = create_issuer(keys, STAFF)
        app.router.routes.append(_gives(lambda: token("satellite", Role.SYSTEM)))
        issuer = await stack.enter_async_context(served(app))
        databases = []
        for url in urls:
            databases.append(await Database.connect(url, application="test", max_size=4))
            stack.push_async_callback(databases[-1].close)
        common = _common(set_, issuer)
        hq = Issuance(folder / "hq", {**common, **_own(kafka.bootstrap, urls[0])})
        broker_line, hq_line = Line(kafka.port, is_kafka=True), Line(hq.ports["api"])
        own = {
            **_own(f"{LOOPBACK}:{broker_line.port}", urls[1]),
            "MADOGUCHI_ISSUANCE_SATELLITE": OFFICE,
            "MADOGUCHI_ISSUANCE_HEADQUARTERS_URL": f"http://{LOOPBACK}:{hq_line.port}",
            "MADOGUCHI_ISSUANCE_HEADQUARTERS_TOKEN_URL": f"{issuer}/program-token",
            "MADOGUCHI_ISSUANCE_HEADQUARTERS_CLIENT_ID": "satellite",
            "MADOGUCHI_ISSUANCE_HEADQUARTERS_CLIENT_SECRET": "secret",
        }
        sat = Issuance(folder / "sat", {**common, **own})
        to_hq, to_sat = [
            await stack.enter_async_context(httpx.AsyncClient(base_url=one.api, timeout=30))
            for one in (hq, sat)
        ]
        sending = producer(set_, "test")
        await sending.start()
        stack.push_async_callback(sending.stop)
        made = Region(
            kafka=set_,
            said=City(databases[0], FixedClock(TEN)),
            producer=sending,
            hq=hq,
            sat=sat,
            hq_database=databases[0],
            sat_database=databases[1],
            broker_line=broker_line,
            hq_line=hq_line,
            hq_clerk=Clerk(to_hq, token("clerk", Role.CLERK)),
            hq_supervisor=Clerk(to_hq, token("super", Role.SUPERVISOR)),
            sat_clerk=Clerk(to_sat, token("clerk", Role.CLERK)),
        )
        await made.open()
        try:
            yield made
        finally:
            died = [*await sat.end(), *await hq.end()]
            made.cut()
        assert died == []


def _gives(token: Callable[[], str]) -> Route:
    """The token endpoint of a provider; what it gives does not last."""

    async def give(_: Request) -> JSONResponse:
        return JSONResponse({"access_token": token(), "expires_in": 2})

    return Route("/program-token", give, methods=["POST"])


def _common(set_: KernelSettings, issuer: str) -> dict[str, str]:
    ring = ",".join(f"{name}:{base64.b64encode(key).decode()}" for name, key in RING.items())
    return {
        "MADOGUCHI_CLOCK": "replay",
        "MADOGUCHI_TOPIC_PREFIX": set_.topic_prefix,
        "MADOGUCHI_OIDC_ISSUER": STAFF,
        "MADOGUCHI_OIDC_JWKS_URL": f"{issuer}/jwks",
        "MADOGUCHI_NOTICE_KEYS": ring,
    }


def _own(bootstrap: str, database_url: str) -> dict[str, str]:
    return {
        "MADOGUCHI_KAFKA_BOOTSTRAP_SERVERS": bootstrap,
        "MADOGUCHI_ISSUANCE_DATABASE_URL": database_url,
    }

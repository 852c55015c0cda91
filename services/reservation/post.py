"""The post: takes what waits, sends it, records what became of it, again and again.

Several processes share the work row by row. While no mail server is set, or it cannot be reached,
mails wait and nothing is used up.
"""

import asyncio
import logging
from collections.abc import Sequence

from prometheus_client import Counter, Gauge

from services.reservation.citizen_settings import CitizenSettings
from services.reservation.gateways.letters import Sender
from services.reservation.gateways.mail import Gateway, Outcome, Unreachable
from services.reservation.handlers import post
from services.reservation.handlers.post import Prepared
from services.reservation.store import messages
from services.reservation.tools import Tools
from shared.messaging.failure import backoff, is_infrastructure
from shared.room import Resources
from shared.security.principal import Principal
from shared.telemetry.metrics import Metrics
from shared.unit import Units

IDLE_SECONDS = 0.5
SENDING_SECONDS = post.LEASE.total_seconds() / 2
"""All mails of a batch together; what is not sent by then is taken again later."""
log = logging.getLogger(__name__)


class MailMetrics:
    """What the post tells of itself."""

    def __init__(self, metrics: Metrics) -> None:
        self.mails = Counter(
            "madoguchi_reservation_mails",
            "Mails by what became of the try.",
            ["outcome"],
            registry=metrics.registry,
        )
        self.waiting = Gauge(
            "madoguchi_reservation_mails_waiting",
            "Messages written and not yet sent or given up.",
            registry=metrics.registry,
        )


class Post:
    """Sends the messages of one room."""

    def __init__(
        self, units: Units, tools: Tools, gateway: Gateway, sender: Sender, *, tries: int
    ) -> None:
        self._units = units
        self._tools = tools
        self._gateway = gateway
        self._sender = sender
        self._tries = tries
        self._principal = Principal.system("reservation")

    async def run(self, figures: MailMetrics) -> None:
        """Work until cancelled."""
        failures = 0
        while True:
            try:
                done = await self.round(figures)
                failures = 0
            except Exception as error:
                if not is_infrastructure(error):
                    raise
                failures += 1
                log.warning("mails wait, infrastructure error: %s", type(error).__name__)
                await asyncio.sleep(backoff(failures))
                continue
            if not done:
                await asyncio.sleep(IDLE_SECONDS)

    async def round(self, figures: MailMetrics | None = None) -> int:
        """One batch; how many mails the server was offered."""
        async with self._units.begin(self._principal) as unit:
            prepared = await post.take(unit, self._tools, self._sender)
            if figures is not None:
                figures.waiting.set((await messages.waiting(unit.conn))[0])
        if not prepared:
            return 0
        results = await self._send(prepared)
        async with self._units.begin(self._principal) as unit:
            await post.record(unit, results, self._tries)
        if figures is not None:
            for _, outcome in results:
                figures.mails.labels(type(outcome).__name__.lower()).inc()
        return len(prepared)

    async def _send(self, prepared: Sequence[Prepared]) -> list[tuple[Prepared, Outcome]]:
        results: list[tuple[Prepared, Outcome]] = []
        try:
            async with asyncio.timeout(SENDING_SECONDS), self._gateway.session() as session:
                for each in prepared:
                    outcome = await session.send(each.mail, each.to)
                    results.append((each, outcome))
                    if isinstance(outcome, Unreachable):
                        log.warning("the mail server cannot be used: %s", outcome.reason)
                        break
        except TimeoutError:
            log.warning("the mail server is too slow for a batch of %d", len(prepared))
        left = prepared[len(results) :]
        return results + [(each, Unreachable("not tried")) for each in left]


async def works(resources: Resources) -> None:
    """The post of a consume process; while no mail server is set, it only says so.

    Raises ``ValueError`` naming a setting that cannot be used.
    """
    settings = CitizenSettings()
    gateway = settings.gateway()
    if gateway is None:
        log.warning("no MADOGUCHI_RESERVATION_MAIL_URL is set: mails to citizens wait")
        await asyncio.Event().wait()
        return
    tools = Tools.read(resources.doors)
    sending = Post(resources.units, tools, gateway, settings.sender(), tries=settings.mail_tries)
    await sending.run(MailMetrics(resources.metrics))

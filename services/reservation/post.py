"""The post: takes what waits, sends each mail, records what became of it, again and again.

Several processes share the work row by row. While no mail server is set, or it cannot be reached,
mails wait and nothing is used up.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from prometheus_client import Counter, Gauge

from services.reservation.citizen_settings import CitizenSettings
from services.reservation.domain.rules import Rules
from services.reservation.gateways.letters import Sender
from services.reservation.gateways.mail import Gateway, Outcome, Unreachable
from services.reservation.handlers import post
from services.reservation.handlers.writing import Prepared
from services.reservation.settings import ReservationSettings
from services.reservation.store import outgoing, phone_list
from services.reservation.tools import Tools
from shared.calendar import BusinessCalendar
from shared.messaging.failure import backoff, is_infrastructure
from shared.room import Resources
from shared.security.principal import Principal
from shared.telemetry.metrics import Metrics
from shared.telemetry.waiting import Waiting
from shared.unit import Unit, Units

IDLE_SECONDS = 0.5
WATCH_SECONDS = 15.0
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
        self._waiting = Waiting(
            metrics,
            "madoguchi_reservation_mails",
            "Messages written and not yet sent or given up.",
        )
        self.calls = Gauge(
            "madoguchi_reservation_calls_open",
            "Citizens on the phone list who have not been called yet.",
            registry=metrics.registry,
        )

    async def measure(self, unit: Unit) -> None:
        """Look at what waits."""
        self._waiting.seen(*await outgoing.waiting(unit.conn), unit.now)
        self.calls.set(await phone_list.open_calls(unit.conn))


class Post:
    """Sends the messages of one room."""

    def __init__(
        self,
        units: Units,
        tools: Tools,
        gateway: Gateway,
        sender: Sender,
        *,
        rules: Rules,
        tries: int,
    ) -> None:
        self._units = units
        self._tools = tools
        self._gateway = gateway
        self._sender = sender
        self._rules = rules
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
            if figures is not None:
                await figures.measure(unit)
            prepared = await post.take(unit, self._tools, self._sender, self._rules)
        if not prepared:
            return 0
        tried = 0
        async with aclosing(self._sent(prepared)) as sent:
            async for each, outcome in sent:
                await self._record([(each, outcome)], figures)
                tried += 1
        left = [(each, Unreachable("not tried")) for each in prepared[tried:]]
        await self._record(left, figures)
        return tried

    async def _sent(
        self, prepared: Sequence[Prepared]
    ) -> AsyncGenerator[tuple[Prepared, Outcome], None]:
        """Each mail that was offered to the server, at once, so that little is sent again."""
        deadline = asyncio.get_running_loop().time() + SENDING_SECONDS
        async with self._gateway.session() as session:
            for each in prepared:
                try:
                    async with asyncio.timeout_at(deadline):
                        outcome = await session.send(each.mail, each.to)
                except TimeoutError:
                    log.warning("the mail server is too slow for a batch of %d", len(prepared))
                    return
                yield each, outcome
                if isinstance(outcome, Unreachable):
                    log.warning("the mail server cannot be used: %s", outcome.reason)
                    return

    async def _record(
        self, results: Sequence[tuple[Prepared, Outcome]], figures: MailMetrics | None
    ) -> None:
        if not results:
            return
        async with self._units.begin(self._principal) as unit:
            await post.record(unit, results, self._tries)
        if figures is not None:
            for _, outcome in results:
                figures.mails.labels(type(outcome).__name__.lower()).inc()


async def works(resources: Resources) -> None:
    """The post of a consume process; while no mail server is set, it only counts what waits.

    Raises ``ValueError`` naming a setting that cannot be used.
    """
    settings = CitizenSettings()
    gateway, figures = settings.gateway(), MailMetrics(resources.metrics)
    if gateway is None:
        log.warning("no MADOGUCHI_RESERVATION_MAIL_URL is set: mails to citizens wait")
        await _watch(resources.units, figures)
        return
    tools = Tools.read(resources.doors)
    sending = Post(
        resources.units,
        tools,
        gateway,
        settings.sender(),
        rules=ReservationSettings().rules(BusinessCalendar()),
        tries=settings.mail_tries,
    )
    await sending.run(figures)


async def _watch(units: Units, figures: MailMetrics) -> None:
    """Mails that nobody sends are counted all the same."""
    while True:
        try:
            async with units.begin(Principal.system("reservation")) as unit:
                await figures.measure(unit)
        except Exception as error:
            if not is_infrastructure(error):
                raise
            log.warning("what waits cannot be counted: %s", type(error).__name__)
        await asyncio.sleep(WATCH_SECONDS)

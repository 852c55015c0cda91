"""Beside the consumer of a satellite: its journal is told to headquarters, again and again.

Where this is no satellite there is nothing to tell. Neither a line that is down, nor what stands at
its other end, nor a database that starts again ends the process: it goes on hearing and telling.
"""

import asyncio
import logging

import httpx

from services.issuance.credentials import ClientCredentials, FixedToken
from services.issuance.gateways import TIMEOUT_SECONDS, Headquarters, HeadquartersError
from services.issuance.handlers.telling import Teller
from services.issuance.instance import InstanceSettings
from services.issuance.store import journal
from shared.messaging.failure import backoff, may_heal
from shared.room import Resources
from shared.security.principal import Principal
from shared.telemetry.metrics import Metrics
from shared.telemetry.waiting import Waiting
from shared.unit import Units

IDLE_SECONDS = 2.0
log = logging.getLogger(__name__)


class JournalMetrics:
    """What alerts ask of a journal."""

    def __init__(self, metrics: Metrics) -> None:
        self._journal = Waiting(
            metrics,
            "madoguchi_issuance_journal",
            "Entries of this satellite's journal that headquarters do not have.",
        )

    async def measure(self, units: Units) -> None:
        """Look at what waits."""
        async with units.begin(Principal.system("issuance")) as unit:
            self._journal.seen(*await journal.waiting(unit.conn), unit.now)


async def works(resources: Resources) -> None:
    """Tell until cancelled. Raises ``ValueError`` where a satellite has no headquarters, or nothing
    to show them.
    """
    own = InstanceSettings()
    if own.satellite is None:
        await asyncio.Event().wait()
        return
    auth = authentication(own)
    if own.headquarters_url is None or auth is None:
        raise ValueError(
            "a satellite needs MADOGUCHI_ISSUANCE_HEADQUARTERS_URL, and beside it _TOKEN_URL,"
            " _CLIENT_ID and _CLIENT_SECRET or _TOKEN"
        )
    async with httpx.AsyncClient(base_url=own.headquarters_url, timeout=TIMEOUT_SECONDS) as http:
        headquarters = Headquarters(http, auth)
        teller = Teller(resources.units, own.satellite, headquarters)
        await tell(teller, resources.units, JournalMetrics(resources.metrics))


def authentication(own: InstanceSettings) -> httpx.Auth | None:
    """What the satellite shows headquarters; none where too little is set."""
    url, client = own.headquarters_token_url, own.headquarters_client_id
    secret = own.headquarters_client_secret
    if url and client and secret:
        return ClientCredentials(url, client, secret.get_secret_value())
    token = own.headquarters_token
    return FixedToken(token.get_secret_value()) if token else None


async def tell(teller: Teller, units: Units, figures: JournalMetrics) -> None:
    """Rounds without end: at once while entries wait, later where they cannot be told."""
    failures = 0
    while True:
        try:
            await figures.measure(units)
            taken = await teller.round()
        except Exception as error:
            if not isinstance(error, HeadquartersError) and not may_heal(error):
                raise
            failures += 1
            why = str(error) if isinstance(error, HeadquartersError) else type(error).__name__
            log.warning("the journal waits: %s", why)
            await asyncio.sleep(backoff(failures))
        else:
            failures = 0
            if not taken:
                await asyncio.sleep(IDLE_SECONDS)

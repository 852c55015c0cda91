"""Beside the consumer of a satellite: its journal is told to headquarters, again and again.

Where this is no satellite there is nothing to tell.
"""

import asyncio
import logging

import httpx

from services.issuance.gateways import TIMEOUT_SECONDS, Headquarters, HeadquartersError
from services.issuance.handlers.telling import Teller
from services.issuance.instance import InstanceSettings
from shared.messaging.failure import backoff
from shared.room import Resources

IDLE_SECONDS = 2.0
log = logging.getLogger(__name__)


async def works(resources: Resources) -> None:
    """Tell until cancelled. Raises ``ValueError`` where a satellite has no headquarters."""
    own = InstanceSettings()
    if own.satellite is None:
        await asyncio.Event().wait()
        return
    if own.headquarters_url is None or own.headquarters_token is None:
        raise ValueError(
            "a satellite needs MADOGUCHI_ISSUANCE_HEADQUARTERS_URL and _HEADQUARTERS_TOKEN"
        )
    async with httpx.AsyncClient(base_url=own.headquarters_url, timeout=TIMEOUT_SECONDS) as http:
        headquarters = Headquarters(http, own.headquarters_token.get_secret_value())
        await tell(Teller(resources.units, own.satellite, headquarters))


async def tell(teller: Teller) -> None:
    """Rounds without end: at once while entries wait, later where headquarters are not reached."""
    failures = 0
    while True:
        try:
            taken = await teller.round()
        except HeadquartersError as error:
            failures += 1
            log.warning("the journal waits: %s", error)
            await asyncio.sleep(backoff(failures))
        else:
            failures = 0
            if not taken:
                await asyncio.sleep(IDLE_SECONDS)

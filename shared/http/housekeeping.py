"""Forgets stored answers when their time has passed."""

import asyncio
import logging

import asyncpg

from shared.http import idempotency
from shared.http.resources import Resources
from shared.security.principal import Principal

EVERY = 3600
"""Seconds between two rounds."""

logger = logging.getLogger("madoguchi.http")


async def forget_answers(resources: Resources) -> None:
    """Purge stored answers once an hour, until cancelled; a lost database is tried again."""
    while True:
        try:
            async with resources.units.begin(Principal.system(resources.room)) as unit:
                count = await idempotency.purge(unit.conn, older_than=resources.answers_kept)
            if count:
                logger.info("forgot %d stored answers", count)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            logger.warning("stored answers not purged: %s", type(error).__name__)
        await asyncio.sleep(EVERY)

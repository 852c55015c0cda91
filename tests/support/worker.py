"""The steps room as a process of its own, to be killed: ``relay`` or ``consume``.

Usage: ``python -m tests.support.worker ROLE DATABASE_URL BOOTSTRAP PREFIX [BATCH_SIZE]``
"""

import asyncio
import sys

import uvloop

from shared.db import Database
from shared.messaging.relay import Relay
from tests.support import steps
from tests.support.messaging import metrics, settings


async def main(role: str, url: str, bootstrap: str, prefix: str, batch: str = "50") -> None:
    """Run one role until killed."""
    set_ = settings(kafka_bootstrap_servers=bootstrap, topic_prefix=prefix, batch_size=int(batch))
    if role == "relay":
        await Relay(steps.ROOM, url, set_, metrics()).run()
        return
    database = await Database.connect(url, application="worker")
    await asyncio.gather(steps.consumer(database, set_).run(), steps.retrier(database, set_).run())


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))

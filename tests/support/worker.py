"""The steps room as a process of its own, to be killed: ``relay`` or ``consume``.

Usage: ``python -m tests.support.worker ROLE DATABASE_URL BOOTSTRAP PREFIX``
"""

import asyncio
import sys

from shared.db import Database
from shared.messaging.relay import Relay
from tests.support import steps
from tests.support.messaging import metrics, settings


async def main(role: str, url: str, bootstrap: str, prefix: str) -> None:
    """Run one role until killed."""
    set_ = settings(kafka_bootstrap_servers=bootstrap, topic_prefix=prefix, batch_size=50)
    if role == "relay":
        await Relay(steps.ROOM, url, set_, metrics()).run()
        return
    database = await Database.connect(url, application="worker")
    await asyncio.gather(steps.consumer(database, set_).run(), steps.retrier(database, set_).run())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

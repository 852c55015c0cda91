"""The room's consumer as a process of its own, to be killed.

Usage: ``python -m tests.reporting.worker DATABASE_URL BOOTSTRAP PREFIX BATCH_SIZE``
"""

import sys

import uvloop

from services.reporting.events import SUBSCRIBES
from shared.db import Database
from shared.messaging.consumer import Consumer
from shared.messaging.processing import Processor
from tests.support.messaging import metrics, settings, units


async def main(url: str, bootstrap: str, prefix: str, batch: str) -> None:
    """Consume until killed."""
    set_ = settings(kafka_bootstrap_servers=bootstrap, topic_prefix=prefix, batch_size=int(batch))
    database = await Database.connect(url, application="worker")
    processor = Processor(
        "reporting",
        units(database, "reporting"),
        SUBSCRIBES,
        metrics=metrics(),
        topic_prefix=prefix,
    )
    await Consumer(processor, set_, metrics()).run()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))

"""The post as a process of its own, killed like a power cut after so many mails were handed over.

Usage: ``python -m tests.reservation.sender DATABASE_URL SMTP_PORT MAILS``. With 0 it is not killed
and ends when nothing is due.
"""

import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage

import uvloop

from services.reservation.gateways.mail import Gateway, Outcome, Session
from shared.db import Database
from tests.reservation.mailbox import post, smtp


class Deadly:
    """A way to a mail server that ends the process when it has ``left`` more mails."""

    def __init__(self, inner: Gateway, left: int) -> None:
        self._inner = inner
        self._left = left

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """One connection."""
        async with self._inner.session() as inner:
            self._session = inner
            yield self

    async def send(self, mail: EmailMessage, to: str) -> Outcome:
        """Hand it over, and perhaps die."""
        outcome = await self._session.send(mail, to)
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return outcome


async def main(url: str, port: int, mails: int) -> None:
    """Send until killed, or until nothing is due."""
    database = await Database.connect(url, application="sender")
    sending = post(database, Deadly(smtp(port), mails))
    while await sending.round():
        pass
    await database.close()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))

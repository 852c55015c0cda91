"""Mail without a mail server, for embedded runs: into a folder, or onto the console.

Both are for development: what lies in the folder is the mail as a citizen would get it.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import TextIO

from services.reservation.gateways.mail import Outcome, Session, Taken, Unreachable


class FolderGateway:
    """Each mail becomes a file; the same mail sent twice is the same file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """The folder."""
        yield self

    async def send(self, mail: EmailMessage, to: str) -> Outcome:
        """Write the mail, whole or not at all, readable by nobody else."""
        try:
            await asyncio.to_thread(self._write, mail)
        except OSError as error:
            return Unreachable(type(error).__name__)
        return Taken()

    def _write(self, mail: EmailMessage) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = str(mail["Message-ID"]).strip("<>").partition("@")[0]
        part = self._folder / f".{name}.{os.getpid()}"
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(mail.as_bytes())
        part.replace(self._folder / f"{name}.eml")


class ConsoleGateway:
    """Says that a mail went out; neither to whom nor what it says, as consoles end up in logs."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """The console."""
        yield self

    async def send(self, mail: EmailMessage, to: str) -> Outcome:
        """Print a line."""
        print(f"mail {mail['Message-ID']} ({mail['X-Madoguchi-Kind']})", file=self._out, flush=True)
        return Taken()

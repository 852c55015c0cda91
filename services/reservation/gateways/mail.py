"""The port to a mail server: what the room asks of it, and the four answers it can give.

A gateway knows nothing of the log. It never raises for what a mail server does; what it cannot
know (a connection lost after the last byte) it answers ``Delayed``, and the mail is sent again
under the same Message-ID: at least once.
"""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol, TypeAlias


@dataclass(frozen=True, slots=True)
class Taken:
    """The mail server has the mail and answers for it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Refused for good; ``reason`` is a reply code, never a text that might quote an address."""

    reason: str


@dataclass(frozen=True, slots=True)
class Delayed:
    """Not now, and this mail may be the reason: another try uses one up."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The server cannot be used at all; that says nothing of the mail and uses nothing up."""

    reason: str


Outcome: TypeAlias = Taken | Refused | Delayed | Unreachable


class Session(Protocol):
    """One connection, used by one sender at a time."""

    async def send(self, mail: EmailMessage, to: str) -> Outcome:
        """Hand over ``mail`` for ``to``."""
        ...


class Gateway(Protocol):
    """A way to mail servers."""

    def session(self) -> AbstractAsyncContextManager[Session]:
        """A connection for a few mails; opening it never raises for what a server does."""
        ...

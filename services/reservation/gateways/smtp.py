"""Mail over SMTP (RFC 5321) with aiosmtplib; TLS as the setting says, certificates checked."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

import aiosmtplib
from pydantic import SecretStr

from services.reservation.gateways.mail import (
    Delayed,
    Outcome,
    Refused,
    Session,
    Taken,
    Unreachable,
)

_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class Server:
    """Where the mail server is and how to speak to it."""

    host: str
    port: int
    user: str | None
    password: SecretStr | None
    tls: bool
    start_tls: bool

    @classmethod
    def of(cls, url: str) -> Self:
        """``smtp://``, ``smtp+starttls://`` or ``smtps://`` with user and password if needed.

        Raises ``ValueError`` that says what is wrong and never repeats the URL.
        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("write smtp://host:25, smtp+starttls://… or smtps://…")
        return cls(
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            user=unquote(parts.username) if parts.username else None,
            password=SecretStr(unquote(parts.password)) if parts.password else None,
            tls=parts.scheme == "smtps",
            start_tls=parts.scheme == "smtp+starttls",
        )


class SmtpGateway:
    """Connects for each session, and again within it where the server hung up."""

    def __init__(
        self, server: Server, *, sender: str, timeout: float, ca_file: Path | None = None
    ) -> None:
        self._server = server
        self._sender = sender
        self._timeout = timeout
        self._tls = ssl.create_default_context(cafile=ca_file)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A client that connects when the first mail is sent and says goodbye at the end."""
        opened = _SmtpSession(self._client(), self._sender)
        try:
            yield opened
        finally:
            await opened.close()

    def _client(self) -> aiosmtplib.SMTP:
        server = self._server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password.get_secret_value() if server.password else None,
            use_tls=server.tls,
            start_tls=server.start_tls,
            tls_context=self._tls,
            timeout=self._timeout,
        )


class _SmtpSession:
    def __init__(self, client: aiosmtplib.SMTP, sender: str) -> None:
        self._client = client
        self._sender = sender

    async def send(self, mail: EmailMessage, to: str) -> Outcome:
        """Hand over one mail."""
        try:
            if not self._client.is_connected:
                await self._client.connect()
        except (aiosmtplib.SMTPException, OSError) as error:
            return Unreachable(type(error).__name__)
        try:
            await self._client.send_message(mail, sender=self._sender, recipients=[to])
        except aiosmtplib.SMTPRecipientsRefused as error:
            return _answered(error.recipients[0].code)
        except aiosmtplib.SMTPSenderRefused as error:
            return Unreachable(str(error.code))
        except aiosmtplib.SMTPResponseException as error:
            return _answered(error.code)
        except (aiosmtplib.SMTPException, OSError) as error:
            self._client.close()
            return Delayed(type(error).__name__)
        return Taken()

    async def close(self) -> None:
        """Say goodbye; a server that does not answer is left."""
        if self._client.is_connected:
            try:
                await self._client.quit(timeout=2)
            except (aiosmtplib.SMTPException, OSError):
                self._client.close()


def _answered(code: int) -> Outcome:
    """421 closes the channel (RFC 5321, 3.8); other 4yz pass by, 5yz do not."""
    if code == aiosmtplib.SMTPStatus.domain_unavailable:
        return Unreachable(str(code))
    return Refused(str(code)) if 500 <= code < 600 else Delayed(str(code))

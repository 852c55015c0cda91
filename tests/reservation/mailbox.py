"""A mail server for tests: real SMTP on loopback, and whoever reads what arrived there."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as Connection
from icalendar import Calendar

from services.reservation.domain.link import Purpose
from services.reservation.gateways.letters import Sender
from services.reservation.gateways.mail import Gateway
from services.reservation.gateways.smtp import Server, SmtpGateway
from services.reservation.gateways.words import LINKS
from services.reservation.post import Post
from services.reservation.tools import Tools
from shared.clock import FixedClock
from shared.db import Database
from shared.errors import Text
from tests.reservation.support import MASTERS, RULES, units

TOOLS = Tools.of(MASTERS)
SENDER = Sender("no-reply@city.example", Text("The desk", "予約窓口"), "https://city.example/visit")


class Mailbox:
    """Takes every mail but those it is told to refuse: SMTP answers by recipient."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.answers: dict[str, str] = {}
        self.closing: str | None = None
        self.port = 0

    async def handle_RCPT(  # noqa: N802  named by the protocol
        self, server: SMTP, connection: Connection, envelope: Envelope, address: str, _: Any
    ) -> str:
        """Whether mail for this address is taken."""
        if self.closing is not None:
            return self.closing
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, connection: Connection, envelope: Envelope
    ) -> str:
        """Keep a mail."""
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append(message_from_bytes(content, policy=policy.default))
        self.recipients += envelope.rcpt_tos
        return "250 taken"

    def gateway(self) -> Gateway:
        """The way to this server."""
        return smtp(self.port)

    def take(self) -> EmailMessage:
        """The one mail that has come since."""
        (mail,) = self.mails
        self.mails.clear()
        return mail


def smtp(port: int) -> Gateway:
    """The way to a server of this machine."""
    server = Server.of(f"smtp://127.0.0.1:{port}")
    return SmtpGateway(server, sender=SENDER.address, timeout=10)


@asynccontextmanager
async def mail_server() -> AsyncIterator[Mailbox]:
    """A server that runs as long as the block."""
    box = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(box, hostname="mail"), "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()


def post(
    database: Database, gateway: Gateway, clock: FixedClock | None = None, *, tries: int = 3
) -> Post:
    """The room's post."""
    return Post(units(database, clock), TOOLS, gateway, SENDER, rules=RULES, tries=tries)


def text(mail: EmailMessage) -> str:
    """What the citizen reads."""
    body = mail.get_body(("plain",))
    assert body is not None
    content: str = body.get_content()
    return content.replace("\r\n", "\n")


def code(mail: EmailMessage) -> str:
    """The code in it."""
    found = re.search(r"^\d{8}$", text(mail), re.MULTILINE)
    assert found is not None, text(mail)
    return found[0]


def links(mail: EmailMessage) -> Mapping[Purpose, str]:
    """Tokens of its links by purpose."""
    lines = text(mail).splitlines()
    made = {}
    for purpose, words in LINKS.items():
        for label in (words.en, words.ja):
            if label in lines:
                made[purpose] = lines[lines.index(label) + 1].partition("#")[2]
    return made


@dataclass(frozen=True)
class Entry:
    """A visit in the citizen's calendar."""

    method: str
    uid: str
    starts_at: datetime
    ends_at: datetime
    status: str
    sequence: int


def visit(mail: EmailMessage) -> Entry:
    """Its calendar file."""
    (part,) = mail.iter_attachments()
    assert part.get_content_type() == "text/calendar"
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    calendar = Calendar.from_ical(content)
    (event,) = calendar.walk("VEVENT")
    return Entry(
        method=str(calendar["METHOD"]),
        uid=str(event["UID"]),
        starts_at=event.decoded("DTSTART"),
        ends_at=event.decoded("DTEND"),
        status=str(event["STATUS"]),
        sequence=event.decoded("SEQUENCE"),
    )

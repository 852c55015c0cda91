"""Settings of mail and limits are refused by name, never with their values."""

import io
from email.message import EmailMessage
from pathlib import Path

import pytest
from pydantic import ValidationError

from services.reservation.citizen_settings import CitizenSettings
from services.reservation.domain.fair_use import network
from services.reservation.gateways.doors import NAME, gateway
from services.reservation.gateways.folder import ConsoleGateway, FolderGateway
from services.reservation.gateways.mail import Taken
from services.reservation.gateways.smtp import Server, SmtpGateway


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("console:", ConsoleGateway),
        ("file:///tmp/mail", FolderGateway),
        ("smtp://mail:25", SmtpGateway),
        ("smtps://user:pass%40word@mail", SmtpGateway),
    ],
)
def test_the_scheme_chooses_the_way(url: str, kind: type) -> None:
    assert isinstance(gateway(url, sender="a@b.example", seconds=1), kind)


@pytest.mark.parametrize("url", ["mail", "http://mail", "file://host/x", "smtp://", "file:mail"])
def test_what_leads_nowhere_is_refused_by_name(url: str) -> None:
    with pytest.raises(ValueError, match=NAME) as refused:
        gateway(url, sender="a@b.example", seconds=1)
    assert f" {url} " not in f" {refused.value} "


def test_a_server_is_read_with_its_login() -> None:
    server = Server.of("smtp+starttls://us%3Aer:pa%2Fss@mail.city.example")
    assert (server.host, server.port, server.user) == ("mail.city.example", 587, "us:er")
    assert server.password is not None
    assert server.password.get_secret_value() == "pa/ss"
    assert (server.tls, server.start_tls) == (False, True)
    assert "pa/ss" not in repr(server)
    assert Server.of("smtps://mail").port == 465


def test_no_address_no_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAME, raising=False)
    assert CitizenSettings().gateway() is None
    monkeypatch.setenv(NAME, "")
    assert CitizenSettings().gateway() is None
    monkeypatch.setenv("MADOGUCHI_RESERVATION_MAIL_FROM", "The desk <desk@city.example>")
    with pytest.raises(ValidationError, match="without a name") as refused:
        CitizenSettings()
    assert "desk@city.example" not in str(refused.value)


async def test_the_console_says_neither_whom_nor_what() -> None:
    out = io.StringIO()
    mail = EmailMessage()
    mail["Message-ID"], mail["X-Madoguchi-Kind"] = "<1@b.example>", "confirmed"
    mail.set_content("secret")
    async with ConsoleGateway(out).session() as session:
        assert await session.send(mail, "who@mail.example") == Taken()
    assert out.getvalue() == "mail <1@b.example> (confirmed)\n"


async def test_a_folder_keeps_a_mail_sent_twice_once(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["Message-ID"] = "<1@b.example>"
    for _ in range(2):
        async with FolderGateway(tmp_path / "mail").session() as session:
            assert await session.send(mail, "who@mail.example") == Taken()
    assert [file.name for file in (tmp_path / "mail").iterdir()] == ["1.eml"]


@pytest.mark.parametrize(
    ("host", "subscriber"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002"),
        ("testclient", "testclient"),
    ],
)
def test_a_subscriber_is_an_address_or_64_bits(host: str, subscriber: str) -> None:
    assert network(host) == subscriber

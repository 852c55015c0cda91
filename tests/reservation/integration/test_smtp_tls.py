"""Mail servers that ask for TLS and a password, and one that somebody only pretends to be."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from services.reservation.gateways.doors import gateway
from services.reservation.gateways.mail import Outcome, Taken, Unreachable
from tests.reservation.mailbox import SENDER, Mailbox

USER, PASSWORD = "desk", "a/password@for:this-test"
TYPED = "desk:a%2Fpassword%40for%3Athis-test"


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of this address that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(minutes=5))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
    )
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    files[0].write_bytes(made.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def knows(*_: Any) -> AuthResult:
    """Whether the login is the one of this test."""
    login = _[-1]
    assert isinstance(login, LoginPassword)
    right = (login.login, login.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)


@asynccontextmanager
async def guarded(
    box: Mailbox, certificate: tuple[Path, Path], *, from_the_start: bool
) -> AsyncIterator[int]:
    """A server that takes mails only under TLS and after a login; its port."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*certificate)
    asks: dict[str, Any] = {"authenticator": knows, "auth_required": True}
    asks |= {"auth_require_tls": not from_the_start}
    if not from_the_start:
        asks |= {"tls_context": tls, "require_starttls": True}
    server = await asyncio.get_running_loop().create_server(
        partial(SMTP, box, hostname="mail", **asks),
        "127.0.0.1",
        0,
        ssl=tls if from_the_start else None,
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def send(url: str, ca_file: Path | None) -> Outcome:
    """Hand one mail over."""
    mail = EmailMessage()
    mail["Subject"] = "予約"
    mail.set_content("内容")
    way = gateway(url, sender=SENDER.address, seconds=5, ca_file=ca_file)
    async with way.session() as session:
        return await session.send(mail, "a@mail.example")


# The server does not know that it is under TLS where that came first.
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
async def test_a_mail_goes_under_tls_with_the_password_of_the_setting(
    certificate: tuple[Path, Path], scheme: str
) -> None:
    box = Mailbox()
    async with guarded(box, certificate, from_the_start=scheme == "smtps") as port:
        server = f"127.0.0.1:{port}"
        assert await send(f"{scheme}://{TYPED}@{server}", certificate[0]) == Taken()
        assert len(box.mails) == 1
        wrong = await send(f"{scheme}://desk:wrong@{server}", certificate[0])
        assert wrong == Unreachable("SMTPAuthenticationError")
        false = await send(f"{scheme}://{TYPED}@{server}", None)
        assert isinstance(false, Unreachable), "nobody vouches for this server"
        assert len(box.mails) == 1


async def test_a_server_without_tls_gets_no_password_where_tls_is_asked_for(
    mailbox: Mailbox,
) -> None:
    outcome = await send(f"smtp+starttls://{TYPED}@127.0.0.1:{mailbox.port}", None)
    assert isinstance(outcome, Unreachable)
    assert mailbox.mails == []

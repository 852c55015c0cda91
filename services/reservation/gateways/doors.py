"""Which way mail goes: by the scheme of one setting."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from services.reservation.gateways.folder import ConsoleGateway, FolderGateway
from services.reservation.gateways.mail import Gateway
from services.reservation.gateways.smtp import Server, SmtpGateway

NAME = "MADOGUCHI_RESERVATION_MAIL_URL"


def gateway(url: str, *, sender: str, seconds: float, ca_file: Path | None = None) -> Gateway:
    """The gateway for ``url``: ``smtp…://``, ``file:///folder`` or ``console:``.

    ``seconds`` bounds each step of a conversation; ``ca_file`` holds the certificates that vouch
    for the mail server, where it is not one of the public ones. Raises ``ValueError`` naming the
    setting.
    """
    parts = urlsplit(url)
    if parts.scheme == "console":
        return ConsoleGateway()
    if parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc:
        return FolderGateway(Path(unquote(parts.path)))
    try:
        server = Server.of(url)
    except ValueError:
        raise ValueError(
            f"{NAME}: write smtp://host:port, smtp+starttls://user:password@host:port, "
            "smtps://…, file:///folder or console:"
        ) from None
    return SmtpGateway(server, sender=sender, timeout=seconds, ca_file=ca_file)

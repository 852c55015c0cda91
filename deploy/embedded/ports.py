"""Loopback ports: which are free, which answer."""

import random
import socket

from deploy.embedded.errors import PortTaken

LOOPBACK = "127.0.0.1"
CHOICE = range(12_000, 32_000)
"""Where free ports are looked for: below the range from which systems serve outgoing connections,
so that none of them is lost to somebody's client before it is used."""


def free_port() -> int:
    """A port no process listens on now; another process may take it before it is used."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """`count` different free ports.

    The system's own chance chooses: two processes whose generators were seeded alike would else
    choose the same.
    """
    chance = random.SystemRandom()
    found: dict[int, None] = {}
    while len(found) < count:
        port = chance.choice(CHOICE)
        if port not in found and _can_bind(port, LOOPBACK):
            found[port] = None
    return list(found)


def answers(port: int, host: str = LOOPBACK) -> bool:
    """True when something accepts connections on the port."""
    try:
        socket.create_connection((host, port), timeout=0.5).close()
    except OSError:
        return False
    return True


def require_free(port: int, part: str, setting: str, host: str = LOOPBACK) -> None:
    """Refuse a port that cannot be bound, naming the setting that moves it.

    Raises:
        PortTaken: the port is in use.
    """
    if not _can_bind(port, host):
        raise PortTaken(port, part, setting)


def _can_bind(port: int, host: str) -> bool:
    with socket.socket() as probe:
        # As servers do: a port whose last connections still linger counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True

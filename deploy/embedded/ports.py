"""Loopback ports: which are free, which answer."""

import socket

from deploy.embedded.errors import PortTaken

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port no process listens on now; another process may take it before it is used."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def free_ports(count: int) -> list[int]:
    """`count` different free ports."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


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
    with socket.socket() as probe:
        # As servers do: a port whose last connections still linger counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(port, part, setting) from error

"""Serves an ASGI app inside a process that has other work to do.

The process keeps its own signals; cancelling the task is how serving ends, and open requests get
a few seconds to finish.
"""

import asyncio
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

GRACE = 5
"""Seconds that open requests may take when serving ends."""


async def serve(app: ASGIApp, *, host: str, port: int, proxies: Sequence[str] = ()) -> None:
    """Serve until cancelled; what ``proxies`` say of where a request comes from is believed.

    Raises ``OSError`` when the address cannot be bound, ``RuntimeError`` when the app's own start
    fails.
    """
    with _listening(host, port) as listener:
        server = _Server(_config(app, proxies))
        running = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            server.should_exit = True
            await running
            raise
        except SystemExit as error:
            raise RuntimeError("the app refused to start") from error


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process."""
        yield


def _config(app: ASGIApp, proxies: Sequence[str]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        ws="none",
        lifespan="auto",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        timeout_graceful_shutdown=GRACE,
    )


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.setblocking(False)
        yield listener

"""A plain HTTP/1.1 client for a simulation that sends many thousand small requests.

A general client spends longer on each of them than the simulated citizens do. This one knows what
the rooms' servers answer: a length or chunks, connections that stay open. A connection serves one
request at a time; one that may just be being closed is not used again.
"""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlencode, urlsplit

import httpx

SECONDS: Final = 120.0
"""How long an answer may take."""
IDLE_SECONDS: Final = 3.0
"""For less time than the rooms keep a connection that nobody uses."""
_LARGEST_HEAD: Final = 2**16

Origin = tuple[str, str, int]
"""Scheme, host and port."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered."""

    status_code: int
    content: bytes

    @property
    def is_error(self) -> bool:
        """Whether the request was refused, or failed."""
        return self.status_code >= 400

    @property
    def text(self) -> str:
        """The body, in UTF-8."""
        return self.content.decode()

    def json(self) -> Any:
        """The body as JSON. Raises ``ValueError``."""
        return json.loads(self.content)


@dataclass(slots=True)
class _Line:
    """A connection, and since when nobody uses it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    idle_since: float = 0.0


@dataclass(slots=True)
class Wire:
    """Keeps its connections until it is left; an async context manager."""

    _idle: dict[Origin, list[_Line]] = field(default_factory=lambda: defaultdict(list))

    async def __aenter__(self) -> Self:
        """Nothing is opened before it is needed."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        """Close what is open."""
        for lines in self._idle.values():
            while lines:
                lines.pop().writer.close()

    async def get(self, url: str, *, params: Mapping[str, Any] | None = None) -> Reply:
        """``request`` with GET."""
        return await self.request("GET", url, params=params)

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        content: bytes | None = None,
    ) -> Reply:
        """Ask once; ``params`` take the place of a query in ``url``.

        Raises ``httpx.NetworkError`` or ``httpx.RemoteProtocolError`` where the connection is lost,
        and ``httpx.ReadTimeout`` after ``SECONDS``.
        """
        parts = urlsplit(url)
        origin = (parts.scheme, parts.hostname or "", parts.port or _port(parts.scheme))
        query = urlencode(params) if params else parts.query
        target = f"{parts.path or '/'}?{query}" if query else parts.path or "/"
        asked = _asked(method, target, parts.netloc, headers or {}, _body(json, content))
        try:
            async with asyncio.timeout(SECONDS):
                return await self._exchange(origin, asked)
        except TimeoutError as error:
            raise httpx.ReadTimeout(f"no answer to {method} {parts.path}") from error
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            raise httpx.RemoteProtocolError(f"{method} {parts.path}: {error}") from error
        except OSError as error:
            raise httpx.ReadError(f"{method} {parts.path}: {error}") from error

    async def _exchange(self, origin: Origin, asked: bytes) -> Reply:
        line = self._unused(origin) or await _open(origin)
        try:
            line.writer.write(asked)
            await line.writer.drain()
            reply, stays = await _read(line.reader)
        except BaseException:
            line.writer.close()
            raise
        if stays:
            line.idle_since = time.monotonic()
            self._idle[origin].append(line)
        else:
            line.writer.close()
        return reply

    def _unused(self, origin: Origin) -> _Line | None:
        lines = self._idle[origin]
        while lines:
            line = lines.pop()
            fresh = time.monotonic() - line.idle_since < IDLE_SECONDS
            if fresh and not line.reader.at_eof() and not line.writer.is_closing():
                return line
            line.writer.close()
        return None


def _port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


async def _open(origin: Origin) -> _Line:
    scheme, host, port = origin
    trust = httpx.create_ssl_context() if scheme == "https" else None
    reader, writer = await asyncio.open_connection(host, port, ssl=trust, limit=_LARGEST_HEAD)
    return _Line(reader, writer)


def _body(value: Any, content: bytes | None) -> tuple[bytes, str | None]:
    if value is None:
        return content or b"", None
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode(), "application/json"


def _asked(
    method: str, target: str, host: str, headers: Mapping[str, str], body: tuple[bytes, str | None]
) -> bytes:
    """The request as it is sent. Raises ``ValueError`` for a line break where none may be."""
    content, kind = body
    lines = {"Host": host, **({"Content-Type": kind} if kind else {}), **headers}
    if content or method != "GET":
        lines["Content-Length"] = str(len(content))
    head = [f"{method} {target} HTTP/1.1", *(f"{name}: {said}" for name, said in lines.items())]
    if any("\n" in line or "\r" in line for line in head):
        raise ValueError("a line break in the head of a request")
    return "\r\n".join((*head, "", "")).encode() + content


async def _read(reader: asyncio.StreamReader) -> tuple[Reply, bool]:
    """The answer, and whether the connection may serve again."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, _, rest = head.partition("\r\n")
    status = int(first.split(" ", 2)[1])
    headers = _headers(rest)
    if headers.get("transfer-encoding", "").lower() == "chunked":
        content = await _chunks(reader)
    else:
        content = await reader.readexactly(int(headers.get("content-length", "0")))
    return Reply(status, content), headers.get("connection", "").lower() != "close"


def _headers(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.split("\r\n") if line)
    return {name.lower(): said.strip() for name, _, said in pairs}


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    found = bytearray()
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        found += await reader.readexactly(size)
        await reader.readexactly(2)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass  # trailers say nothing to us
    return bytes(found)

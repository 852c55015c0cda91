"""The simulation's own client, against a server that answers as the rooms' servers do."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from simulation.wire import Wire

Answers = Callable[[bytes], bytes]


@asynccontextmanager
async def _serving(answer: Answers) -> AsyncIterator[tuple[str, list[int]]]:
    """A server that answers each request with ``answer(head)``, and which connection each came on.

    No answer: the connection is cut.
    """
    asked: list[int] = []
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        own = connections
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r")[0] or b"0")
                told = answer(head + await reader.readexactly(length))
                asked.append(own)
                writer.write(told)
                if not told:
                    break
        except asyncio.IncompleteReadError:
            pass  # the client has gone
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", asked


def _with_length(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


async def test_what_is_sent_arrives_and_connections_are_used_again() -> None:
    """Method, target, headers and body; then the same connection, as nobody else uses it."""
    async with _serving(_with_length) as (url, asked), Wire() as wire:
        query = {"ward": "141313", "day": "2026-07-01"}
        got = await wire.request("GET", f"{url}/v1/free", params=query, headers={"X-Who": "me"})
        sent = await wire.request("POST", f"{url}/v1/holds", json={"name": "窓口"})
        bare = await wire.request("POST", f"{url}/v1/holds/1:confirm")
        file = await wire.request("POST", f"{url}/v1/lots?dry_run=true", content=b"lot,row\r\n")
    assert got.text.startswith("GET /v1/free?ward=141313&day=2026-07-01 HTTP/1.1\r\n")
    assert "\r\nX-Who: me\r\n" in got.text
    assert "Content-Length" not in got.text
    assert sent.text.endswith('\r\n\r\n{"name":"窓口"}')
    assert "\r\nContent-Type: application/json\r\n" in sent.text
    assert "\r\nContent-Length: 0\r\n" in bare.text
    assert file.text.startswith("POST /v1/lots?dry_run=true HTTP/1.1\r\n")
    assert file.text.endswith("\r\n\r\nlot,row\r\n")
    assert asked == [1, 1, 1, 1]


async def test_answers_in_chunks_and_without_a_body_are_read_to_their_end() -> None:
    """So that the next answer on the connection begins where it begins."""
    answers = [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        b'6\r\n{"a": \r\n2;x=y\r\n1}\r\n0\r\nTrailer: t\r\n\r\n',
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b'HTTP/1.1 409 Conflict\r\ncontent-length: 13\r\n\r\n{"type": "u"}',
    ]
    async with _serving(lambda _: answers.pop(0)) as (url, asked), Wire() as wire:
        first, second, third = [await wire.get(url) for _ in range(3)]
    assert (first.json(), first.is_error) == ({"a": 1}, False)
    assert (second.status_code, second.content) == (204, b"")
    assert (third.json(), third.is_error) == ({"type": "u"}, True)
    assert asked == [1, 1, 1]


async def test_requests_at_once_have_a_connection_each() -> None:
    """One serves one request at a time."""
    async with _serving(_with_length) as (url, asked), Wire() as wire:
        await asyncio.gather(*(wire.get(url) for _ in range(3)))
    assert sorted(asked) == [1, 2, 3]


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", b""],
    ids=["announced", "cut"],
)
async def test_a_closed_connection_is_not_used_again(answer: bytes) -> None:
    """What was cut off is told as httpx tells it, for who asks repeats it then."""
    async with _serving(lambda _: answer) as (url, asked), Wire() as wire:
        for _ in range(2):
            if answer:
                await wire.get(url)
            else:
                with pytest.raises(httpx.RemoteProtocolError):
                    await wire.get(url)
    assert asked == [1, 2]


async def test_nobody_there_and_no_answer() -> None:
    """The first can be tried again; a broken request is not even sent."""
    async with _serving(_with_length) as (url, _):
        pass
    async with Wire() as wire:
        with pytest.raises(httpx.NetworkError):
            await wire.get(url)
        with pytest.raises(ValueError, match="line break"):
            await wire.request("GET", url, headers={"X-Who": "a\r\nX-Role: system"})

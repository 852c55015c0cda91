"""The city's public doors: the four APIs over HTTP, and the people who come to them."""

import asyncio
from collections.abc import Awaitable, Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar
from uuid import uuid4

import httpx

from shared.settings import KernelSettings

T = TypeVar("T")
_PAUSES = (0.1, 1.0, 3.0)
"""Seconds until a request whose connection was lost is sent again."""
PATIENCE = 120.0
"""Seconds that news may take from one room to another before a simulation gives up."""


class Endpoints(Protocol):
    """Where the city is: API base URLs by room, staff tokens by roles and sites, and the broker."""

    @property
    def apis(self) -> Mapping[str, str]: ...

    @property
    def token(self) -> Callable[[Sequence[str], Sequence[str]], str]: ...

    @property
    def settings(self) -> KernelSettings: ...


class Reply(Protocol):
    """What a room answered."""

    @property
    def status_code(self) -> int: ...

    @property
    def content(self) -> bytes: ...

    @property
    def text(self) -> str: ...

    @property
    def is_error(self) -> bool: ...

    def json(self) -> Any: ...


class Http(Protocol):
    """Sends requests: ``httpx.AsyncClient``, or ``simulation.wire.Wire`` where there are many.

    Raises ``httpx.HTTPError``.
    """

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        content: bytes | None = None,
    ) -> Reply: ...


class RefusedError(Exception):
    """A room answered with a problem; the text is its title, detail and remedy."""

    def __init__(self, method: str, path: str, response: Reply) -> None:
        problem: dict[str, Any] = response.json() if response.content else {}
        said = [str(problem[name]) for name in ("title", "detail", "remedy") if problem.get(name)]
        fields = [f"{e.get('field')}: {e.get('message')}" for e in problem.get("errors", [])]
        where = f"{method} {path}: {response.status_code} "
        super().__init__(where + " — ".join([*said, *fields]))
        self.status = response.status_code
        self.code = str(problem.get("type", "")).rpartition(":")[2]


@contextmanager
def suppress_code(code: str) -> Iterator[None]:
    """Go on after a refusal with this code, and raise any other."""
    try:
        yield
    except RefusedError as error:
        if error.code != code:
            raise


@dataclass(frozen=True)
class Person:
    """Somebody who calls a room with a token of their own, or with none.

    ``address`` is where they call from, as a proxy before the rooms tells it; ours where none is.
    """

    http: Http
    apis: Mapping[str, str]
    token: str | None = None
    address: str | None = None

    async def get(self, room: str, path: str, **query: str | int) -> Any:
        """Read; the JSON answered. Raises ``RefusedError``."""
        return (await self._send("GET", room, path, params=query)).json()

    async def text(self, room: str, path: str) -> str:
        """Read a file. Raises ``RefusedError``."""
        return (await self._send("GET", room, path)).text

    async def post(
        self,
        room: str,
        path: str,
        body: Mapping[str, object] | None = None,
        key: str | None = None,
    ) -> Any:
        """Command; the JSON answered, or None. With the same ``key`` it is the same command.

        Raises ``RefusedError``.
        """
        answer = await self._send("POST", room, path, json=body, key=key)
        return answer.json() if answer.content else None

    async def step(self, room: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Command what changes nothing when it is sent again, so that no key is needed; the JSON
        answered, or None. Raises ``RefusedError``.
        """
        answer = await self._send("POST", room, path, json=body, keyless=True)
        return answer.json() if answer.content else None

    async def put(self, room: str, path: str, body: Mapping[str, object]) -> Any:
        """Describe; the JSON answered. Raises ``RefusedError``."""
        return (await self._send("PUT", room, path, json=body)).json()

    async def upload(self, room: str, path: str, file: bytes) -> Any:
        """Send a CSV file; the JSON answered. Raises ``RefusedError``."""
        return (await self._send("POST", room, path, content=file, kind="text/csv")).json()

    def with_token(self, token: str) -> "Person":
        """The same caller, with a token."""
        return replace(self, token=token)

    def calling_from(self, address: str) -> "Person":
        """The same caller, from an address of their own."""
        return replace(self, address=address)

    async def _send(
        self,
        method: str,
        room: str,
        path: str,
        *,
        kind: str | None = None,
        key: str | None = None,
        keyless: bool = False,
        **parts: Any,
    ) -> Reply:
        keyed = method == "POST" and not keyless
        headers = {"Idempotency-Key": key or str(uuid4())} if keyed else {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.address:
            headers["X-Forwarded-For"] = self.address
        if kind:
            headers["Content-Type"] = kind
        answer = await self._repeated(method, self.apis[room] + path, headers=headers, **parts)
        if answer.is_error:
            raise RefusedError(method, path, answer)
        return answer

    async def _repeated(self, method: str, url: str, **parts: Any) -> Reply:
        """Sent again where the connection was lost; the key, or the command itself, bears it."""
        for pause in _PAUSES:
            try:
                return await self.http.request(method, url, **parts)
            except (httpx.RemoteProtocolError, httpx.NetworkError):
                await asyncio.sleep(pause)
        return await self.http.request(method, url, **parts)


async def until(
    look: Callable[[], Awaitable[T | None]], what: str, *, refused: Container[int] = ()
) -> T:
    """Ask until there is an answer: news travels between rooms in its own time.

    A refusal with one of the statuses ``refused`` says that they are not there yet. Raises
    ``TimeoutError`` naming ``what``, and the last refusal, after ``PATIENCE`` seconds.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    last = ""
    while loop.time() < end:
        try:
            if (found := await look()) is not None:
                return found
        except RefusedError as error:
            if error.status not in refused:
                raise
            last = f"; the last answer was {error}"
        await asyncio.sleep(0.1)
    late = f"{what} did not happen within {PATIENCE:.0f} s"
    raise TimeoutError(f"{late}; see `madoguchi status`{last}")

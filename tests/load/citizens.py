"""Fifty clients that want the same few seats, and a ledger of every answer they got.

A request whose answer was lost is sent again to another replica, with the same Idempotency-Key,
until it is answered; so the ledger knows what the city promised to whom.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.ids import new_id
from tests.benchmarks import load
from tests.load.replicas import Replica

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
AGAIN = {"request-in-flight", "case-busy", "hold-busy"}
"""Answers that say: send it again in a moment."""


@dataclass(frozen=True)
class Household:
    """Two cases and the token that covers them."""

    case_ids: tuple[str, ...]
    token: str


@dataclass
class Ledger:
    """What was asked and answered."""

    left: int
    attempts: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    confirmed: dict[str, str] = field(default_factory=dict)
    """Case by booking, as promised."""
    cancelled: set[str] = field(default_factory=set)
    sent_again: int = 0

    @property
    def standing(self) -> dict[str, str]:
        """Case by booking that was promised and not given back."""
        return {one: case for one, case in self.confirmed.items() if one not in self.cancelled}


@dataclass
class Client:
    """One of many; it speaks to any replica that answers."""

    replicas: Sequence[Replica]
    households: Sequence[Household]
    site_id: str
    starts: Sequence[str]
    ledger: Ledger
    choose: random.Random
    streams: dict[int, Stream] = field(default_factory=dict)
    own: list[tuple[Household, str]] = field(default_factory=list)
    """What it has got and not given back."""

    async def run(self) -> None:
        """Hold and book until nothing is left to try, and give back what was got, to others."""
        while self.ledger.left > 0:
            self.ledger.left -= 1
            household = self.choose.choice(self.households)
            if self.choose.random() < 0.5:
                made = await self._hold(household)
            else:
                made = await self._book(household)
            self.own += [(household, booking) for booking in made]
            if self.own and self.choose.random() < 0.5:
                await self._change_mind(*self.own.pop(0))
        for _, writer in self.streams.values():
            writer.close()

    async def _book(self, household: Household) -> list[str]:
        self.ledger.attempts["book"] += 1
        status, body = await self._post(household, "/v1/bookings", self._wish(household))
        return self._promised(body) if status == 201 else []

    async def _hold(self, household: Household) -> list[str]:
        self.ledger.attempts["hold"] += 1
        status, body = await self._post(household, "/v1/holds", self._wish(household))
        if status != 201:
            return []
        path, what = f"/v1/holds/{body['hold_id']}", self.choose.random()
        if what < 0.55:
            status, body = await self._post(household, f"{path}:confirm", {})
            return self._promised(body) if status == 200 else []
        if what < 0.985:
            await self._send(household, "DELETE", path, None)
        return []

    async def _change_mind(self, household: Household, booking_id: str) -> None:
        path = f"/v1/bookings/{booking_id}"
        if self.choose.random() < 0.3:
            where = {"site_id": self.site_id, "starts_at": self.choose.choice(self.starts)}
            await self._post(household, f"{path}:move", where)
        status, _ = await self._post(household, f"{path}:cancel", {})
        if status == 200:
            self.ledger.cancelled.add(booking_id)

    def _wish(self, household: Household) -> Mapping[str, object]:
        count = 2 if self.choose.random() < 0.15 else 1
        cases = self.choose.sample(household.case_ids, count)
        at = self.choose.choice(self.starts)
        return {"case_ids": cases, "site_id": self.site_id, "starts_at": at}

    def _promised(self, body: Mapping[str, Any]) -> list[str]:
        made = {one["booking_id"]: one["case_id"] for one in body["bookings"]}
        self.ledger.confirmed |= made
        return list(made)

    async def _post(
        self, household: Household, path: str, body: Mapping[str, object]
    ) -> tuple[int, dict[str, Any]]:
        return await self._send(household, "POST", path, body)

    async def _send(
        self, household: Household, method: str, path: str, body: Mapping[str, object] | None
    ) -> tuple[int, dict[str, Any]]:
        """The answer, however often it takes to get one."""
        headers = {
            "Authorization": f"Bearer {household.token}",
            "Idempotency-Key": str(new_id()),
        }
        made = load.post(path, body or {}, headers)
        request = made.replace(b"POST", method.encode(), 1)
        while True:
            answer = await self._try(request)
            if answer is None:
                self.ledger.sent_again += 1
                await asyncio.sleep(0.02)
                continue
            status, found = answer
            slug = str(found.get("type", "")).rpartition(":")[2]
            self.ledger.answers[f"{status} {slug}".strip()] += 1
            if slug not in AGAIN:
                return answer
            await asyncio.sleep(0.01)

    async def _try(self, request: bytes) -> tuple[int, dict[str, Any]] | None:
        """One answer of one replica, or none where it was killed meanwhile."""
        port = self.choose.choice(self.replicas).port
        try:
            stream = self.streams.get(port) or await asyncio.open_connection("127.0.0.1", port)
            self.streams[port] = stream
            return await _ask(stream, request)
        except (OSError, asyncio.IncompleteReadError):
            if (lost := self.streams.pop(port, None)) is not None:
                lost[1].close()
            return None


async def _ask(stream: Stream, request: bytes) -> tuple[int, dict[str, Any]]:
    reader, writer = stream
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    body = await reader.readexactly(int(length or b"0"))
    return status, json.loads(body) if body else {}

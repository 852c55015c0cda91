"""Rows per second of ``POST /v1/bookings:batch``, and the CPU that a row takes in api and database.

One call at a time, as an import or a replay sends them, at a year of slots at fifteen sites. The
baseline is one statement that takes seats and inserts bookings for as many rows and asks nothing:
no checks, no keys, no events, no audit. PostgreSQL writes with fsync on. CPU is read from outside
the processes, and a busy machine disturbs it less than the rate.
"""

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from time import perf_counter
from typing import Any

import httpx
import uvloop
from rich.progress import Progress

from shared.ids import CaseId, new_id
from tests.benchmarks import bare
from tests.benchmarks.booking_city import City, city
from tests.benchmarks.report import Figure, report
from tests.reservation.support import WARD

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
ROWS = int(os.environ.get("BENCH_ROWS", "500"))
CHANGED = ROWS // 5
"""Rows of a round of moves or cancellations."""


@dataclass(frozen=True)
class Round:
    """What one call came to: rows per second; milliseconds of CPU per row."""

    rate: float
    api: float
    database: float


class Bulk:
    """A clerk of every site, who sends rows."""

    def __init__(self, running: City, http: httpx.AsyncClient) -> None:
        self._running = running
        self._http = http
        self._phones = iter(range(10_000_000, 99_999_999))

    async def bare(self) -> Round:
        """One bare statement."""
        seats = self._running.seats_apart(ROWS)
        columns = [CaseId(new_id()) for _ in seats], *zip(*seats, strict=True)
        started, database = perf_counter(), self._running.database_cpu()
        await self._running.pool.execute(bare.BOOK_ALL, *columns)
        return self._round(ROWS, started, 0.0, database)

    async def book(self) -> Round:
        """Cards."""
        seats = await self._running.spread(ROWS)
        return await self._sent([{"verb": "book", **seat.body} for seat in seats])

    async def renew(self) -> Round:
        """Renewals without a contact."""
        return await self._sent(self._renewals())

    async def renew_by_phone(self) -> Round:
        """Renewals for callers whom nobody knew before."""
        rows = self._renewals()
        return await self._sent([{**row, "phone": f"044{next(self._phones)}"[:11]} for row in rows])

    async def move(self) -> Round:
        """Bookings that were just made, to anywhere."""
        seats = self._running.seats_apart(CHANGED)
        made = await self._made()
        return await self._sent(
            [
                {"verb": "move", "booking_id": one, "site_id": site, "starts_at": at.isoformat()}
                for one, (site, at) in zip(made, seats, strict=True)
            ]
        )

    async def cancel(self) -> Round:
        """Bookings that were just made."""
        return await self._sent(
            [{"verb": "cancel", "booking_id": one} for one in await self._made()]
        )

    def _renewals(self) -> list[dict[str, Any]]:
        return [
            {
                "verb": "renew",
                "ward": WARD,
                "certificate_expires_on": (at + timedelta(days=30)).date().isoformat(),
                "site_id": site,
                "starts_at": at.isoformat(),
            }
            for site, at in self._running.seats_apart(ROWS)
        ]

    async def _made(self) -> list[str]:
        seats = await self._running.spread(CHANGED)
        answer = await self._send([{"verb": "book", **seat.body} for seat in seats])
        return [one["booking_id"] for one in answer["results"]]

    async def _sent(self, rows: Sequence[Mapping[str, Any]]) -> Round:
        started, api = perf_counter(), self._running.api.cpu()
        database = self._running.database_cpu()
        await self._send(rows)
        return self._round(len(rows), started, api, database)

    async def _send(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        headers = {"Idempotency-Key": str(new_id())}
        sent = await self._http.post("/v1/bookings:batch", json={"rows": rows}, headers=headers)
        answer: dict[str, Any] = sent.json()
        if sent.status_code != 200 or answer["refused"] > len(rows) / 20:
            raise SystemExit(f"answered {sent.status_code}: {sent.text[:1000]}")
        return answer

    def _round(self, rows: int, started: float, api: float, database: float) -> Round:
        seconds = perf_counter() - started
        spent = self._running.api.cpu() - api if api else 0.0
        each = 1000 / rows
        return Round(rows / seconds, each * spent, each * (self._running.database_cpu() - database))


async def main() -> None:
    """Run all and report."""
    async with city() as running:
        base, headers = f"http://127.0.0.1:{running.api.port}", f"Bearer {running.staff}"
        async with httpx.AsyncClient(
            base_url=base, headers={"Authorization": headers}, timeout=120
        ) as http:
            with Progress(transient=True) as bar:
                rounds = await measure(Bulk(running, http), bar)
    report("booking_batch", [one for name in list(rounds)[1:] for one in _figures(name, rounds)])


async def measure(bulk: Bulk, bar: Progress) -> Mapping[str, Sequence[Round]]:
    """Rounds of every kind, in turns."""
    kinds: Mapping[str, Callable[[], Awaitable[Round]]] = {
        "bare": bulk.bare,
        "book": bulk.book,
        "renew": bulk.renew,
        "renew, by telephone": bulk.renew_by_phone,
        "move": bulk.move,
        "cancel": bulk.cancel,
    }
    rounds: dict[str, list[Round]] = {name: [] for name in kinds}
    task = bar.add_task("batches", total=(ROUNDS + 1) * len(kinds))
    for number in range(ROUNDS + 1):
        for name, kind in kinds.items():
            found = await kind()
            if number > 0:  # the first fills pools and caches
                rounds[name].append(found)
            bar.advance(task)
    return rounds


def _figures(name: str, rounds: Mapping[str, Sequence[Round]]) -> list[Figure]:
    ours, base = rounds[name], rounds["bare"]
    return [
        Figure(
            f"{name}, beside one bare statement",
            median(one.rate for one in ours),
            "rows/s",
            median(one.rate for one in base),
        ),
        Figure(
            f"{name}: CPU of a row, beside it",
            median(one.api + one.database for one in ours),
            "ms",
            median(one.database for one in base),
        ),
        Figure(f"{name}: in the database", median(one.database for one in ours), "ms"),
    ]


if __name__ == "__main__":
    uvloop.run(main())

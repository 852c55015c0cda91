"""Confirmed bookings per second, spread over a year of slots and all on one; availability beside.

Aims: spread at least 0.8 of one bare statement, one hot slot at least 0.8 of spread, and the p99 of
availability at most five times that of a bare echo under the same load.

Everything runs on this machine: load, api process, PostgreSQL (fsync and synchronous_commit on).
The service does all it does in a city: a citizen's signed token, every check, the Idempotency-Key,
the event in the outbox, the audit entry. Baselines of the same run: a bare FastAPI echo of the same
body, and a booking by one bare statement, straight through asyncpg and behind a bare FastAPI route.
Rounds of all of them take turns, so that whatever else the machine does falls on all alike. Beside
the rates stands the CPU that a request takes, which a busy machine disturbs less, and what of it
is the load generator's own.
"""

import asyncio
import gc
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter, process_time

import uvloop
from rich.progress import Progress

from shared.calendar import business_date
from shared.contracts.base import Procedure
from shared.ids import CaseId, new_id
from tests.benchmarks import bare, load
from tests.benchmarks.booking_city import HOT, City, Process, Seat, city
from tests.benchmarks.load import Outcome
from tests.benchmarks.report import Figure, report
from tests.reservation.support import WARD

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
PER_ROUND = int(os.environ.get("BENCH_REQUESTS", "1500"))
CLIENTS = 64
SECONDS = int(os.environ.get("BENCH_SECONDS", "10"))
ASKED, BOOKED = 300, 100
"""Availability and bookings per second when both are asked at once."""


@dataclass(frozen=True)
class Round:
    """What one round of a kind came to; milliseconds of CPU are per request."""

    rate: float
    cpu: float
    load_cpu: float = 0.0


@dataclass(frozen=True)
class Beside:
    """A round of availability, or of its echo, beside bookings; seconds of CPU of each process."""

    asked: Outcome
    api: float
    bare: float
    load: float


async def main() -> None:
    """Run all and report."""
    # The collector of the load generator would be counted as waiting.
    gc.disable()
    async with city() as running:
        with Progress(transient=True) as bar:
            figures = await measure(running, bar)
            figures += await beside(running, bar)
    report("reservation", figures)


async def measure(running: City, bar: Progress) -> list[Figure]:
    """Rounds of everything, in turns; medians of the rates and of the CPU that each request took.

    CPU is that of the process that serves; of the bare statement, which nobody serves, of this one.
    """
    kinds: Mapping[str, Callable[[City], Awaitable[Round]]] = {
        "echo": echo,
        "bare": bare_statement,
        "bare route": bare_route,
        "spread": spread,
        "hot": hot,
        "replicas": replicas,
    }
    rounds: dict[str, list[Round]] = {name: [] for name in kinds}
    task = bar.add_task("booking", total=(ROUNDS + 1) * len(kinds))
    for number in range(ROUNDS + 1):
        for name, kind in kinds.items():
            found = await kind(running)
            if number > 0:  # the first fills pools and caches
                rounds[name].append(found)
            bar.advance(task)
    rate = {name: median(one.rate for one in each) for name, each in rounds.items()}
    cpu = {name: median(one.cpu for one in each) for name, each in rounds.items()}
    sent = median(one.load_cpu for one in rounds["spread"])
    return [
        Figure("spread, beside one bare statement", rate["spread"], "bookings/s", rate["bare"]),
        Figure("spread, beside it on a route", rate["spread"], "bookings/s", rate["bare route"]),
        Figure("spread, beside a bare echo", rate["spread"], "bookings/s", rate["echo"]),
        Figure("one hot slot, beside spread", rate["hot"], "bookings/s", rate["spread"]),
        Figure(
            "spread over two api replicas, beside one",
            rate["replicas"],
            "bookings/s",
            rate["spread"],
        ),
        Figure("the same, beside one bare statement", rate["replicas"], "bookings/s", rate["bare"]),
        Figure("CPU of spread, beside one bare statement", cpu["spread"], "ms", cpu["bare"]),
        Figure("CPU of spread, beside it on a route", cpu["spread"], "ms", cpu["bare route"]),
        Figure("CPU of spread, beside a bare echo", cpu["spread"], "ms", cpu["echo"]),
        Figure("CPU of one hot slot, beside spread", cpu["hot"], "ms", cpu["spread"]),
        Figure("CPU of the load generator, beside spread", sent, "ms", cpu["spread"]),
    ]


async def echo(running: City) -> Round:
    """The same bodies, echoed."""
    seats = [Seat(CaseId(new_id()), HOT, datetime.now(UTC)) for _ in range(PER_ROUND)]
    requests = [load.post("/echo", seat.body) for seat in seats]
    return await _served(running.bare, requests, 200)


async def bare_statement(running: City) -> Round:
    """One statement each, over as many connections as the service has."""
    waiting = iter(seats := await running.spread(PER_ROUND))

    async def client() -> None:
        for seat in waiting:
            await bare.book(running.pool, seat.case_id, seat.site_id, seat.starts_at)

    started, spent = perf_counter(), process_time()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    cpu = 1000 * (process_time() - spent) / len(seats)
    return Round(len(seats) / (perf_counter() - started), cpu)


async def bare_route(running: City) -> Round:
    """The same statement behind a bare FastAPI route."""
    seats = await running.spread(PER_ROUND)
    requests = [load.post("/bookings", seat.body) for seat in seats]
    return await _served(running.bare, requests, 201)


async def spread(running: City) -> Round:
    """The service, anywhere in the year."""
    requests = running.requests(await running.spread(PER_ROUND))
    return await _served(running.api, requests, 201)


async def hot(running: City) -> Round:
    """The service, everybody in one slot."""
    requests = running.requests(await running.hot(PER_ROUND))
    return await _served(running.api, requests, 201)


async def replicas(running: City) -> Round:
    """As spread, half of the clients at each of two api processes."""
    requests = running.requests(await running.spread(PER_ROUND))
    both = ((running.api, requests[::2]), (running.second, requests[1::2]))
    spent, own = sum(api.cpu() for api, _ in both), process_time()
    found = await asyncio.gather(
        *(load.flat_out(api.port, half, CLIENTS // 2) for api, half in both)
    )
    each = 1000 / len(requests)
    return Round(
        len(requests) / max(one.expect(201).seconds for one in found),
        each * (sum(api.cpu() for api, _ in both) - spent),
        each * (process_time() - own),
    )


async def _served(process: Process, requests: Sequence[bytes], status: int) -> Round:
    spent, own = process.cpu(), process_time()
    found = (await load.flat_out(process.port, requests, CLIENTS)).expect(status)
    each = 1000 / len(requests)
    return Round(found.rate, each * (process.cpu() - spent), each * (process_time() - own))


async def beside(running: City, bar: Progress) -> list[Figure]:
    """Availability of sixty days at every site, at a steady rate, while others book.

    The echo takes turns with it, beside the same bookings at the same rate on the same machine.
    """
    task = bar.add_task("availability beside bookings", total=2 * (ROUNDS + 1))
    echoed: list[Beside] = []
    ours: list[Beside] = []
    for number in range(ROUNDS + 1):
        for runs, process, path in (
            (echoed, running.bare, "/echo"),
            (ours, running.api, "/v1/availability"),
        ):
            found = await _at_once(running, process, path)
            if number > 0:
                runs.append(found)
            bar.advance(task)
    name = f"availability at {ASKED}/s beside {BOOKED} bookings/s"
    waits = [
        Figure(
            f"{name}: {which}, beside a bare echo",
            median(getattr(one.asked, which) for one in ours),
            "ms",
            median(getattr(one.asked, which) for one in echoed),
        )
        for which in ("p50", "p99")
    ]
    size = Figure(
        "size of an answer, beside the echo", ours[0].asked.size, "bytes", echoed[0].asked.size
    )
    return [*waits, size, *_cpu_beside(name, ours, echoed)]


def _cpu_beside(name: str, ours: Sequence[Beside], echoed: Sequence[Beside]) -> list[Figure]:
    """While the echo is asked, the api process spends what the bookings take, and what keeping the
    answers of a minute ago at hand does.
    """
    each = 1000 / (ASKED * SECONDS)
    booking = median(one.api for one in echoed)
    answer = each * (median(one.api for one in ours) - booking)
    sent = median(one.load for one in ours) / SECONDS
    busy = median(one.api for one in ours) / SECONDS
    return [
        Figure(f"{name}: CPU", answer, "ms", each * median(one.bare for one in echoed)),
        Figure("CPU of a booking at that rate", 1000 * booking / (BOOKED * SECONDS), "ms"),
        Figure("core that the load generator takes, beside the api's", sent, "cores", busy),
    ]


async def _at_once(running: City, process: Process, path: str) -> Beside:
    first = business_date(datetime.now(UTC)) + timedelta(days=1)
    query = (
        f"procedure={Procedure.CARD_ISSUANCE.value}&ward={WARD}&from={first}"
        f"&to={first + timedelta(days=59)}&starts=false"
    )
    asked = [load.get(f"{path}?{query}")] * (ASKED * SECONDS)
    booked = running.requests(await running.spread(BOOKED * SECONDS))
    api, bare_, own = running.api.cpu(), running.bare.cpu(), process_time()
    answers, bookings = await asyncio.gather(
        load.at_rate(process.port, asked, ASKED), load.at_rate(running.api.port, booked, BOOKED)
    )
    bookings.expect(201)
    return Beside(
        answers.expect(200),
        running.api.cpu() - api,
        running.bare.cpu() - bare_,
        process_time() - own,
    )


if __name__ == "__main__":
    uvloop.run(main())

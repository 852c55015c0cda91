"""How fast audit entries are written, sealed and verified, and how soon a seal follows a commit.

Baselines of the same run: entries written one per transaction, and reading the same rows without
recomputing a hash. Aim: one million entries verified in a minute on 2 cores.
"""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles

import asyncpg
import uvloop
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.progress import Progress

from deploy.embedded.postgres import EmbeddedPostgres
from shared.ids import SiteId, new_id
from shared.migrate import KERNEL, migrate
from shared.security import audit
from shared.security import verify as verifying
from shared.security.checkpoints import MIGRATIONS, AuditSigner, CheckpointStore, key_id
from shared.security.sealer import Sealer
from shared.security.verify import verify
from tests.benchmarks.report import Figure, report

ENTRIES = 1_000_000
ONE_BY_ONE = 2_000
PER_TRANSACTION = 2_000
RATE = 200
LAG_SECONDS = 15
KEY = Ed25519PrivateKey.generate()


async def main() -> None:
    """Run all and report."""
    with tempfile.TemporaryDirectory(prefix="madoguchi-bench-") as folder:
        postgres = EmbeddedPostgres(Path(folder) / "postgres")
        await asyncio.to_thread(postgres.start)
        try:
            report("audit", await measure(postgres))
        finally:
            await asyncio.to_thread(postgres.stop)


async def measure(postgres: EmbeddedPostgres) -> list[Figure]:
    """Write, seal, verify."""
    conn, sealer, store = await audited_room(postgres)
    one_by_one = ONE_BY_ONE / await write(conn, ONE_BY_ONE, 1)
    written = (ENTRIES - ONE_BY_ONE) / await write(conn, ENTRIES - ONE_BY_ONE, PER_TRANSACTION)
    await conn.execute("ANALYZE audit_entry")
    started = time.perf_counter()
    await sealer.seal_all(conn)
    sealing = time.perf_counter() - started
    await conn.execute("ANALYZE audit_seal")
    reading = await read_alone(conn)
    verified = await verify_all(conn, store)
    lags = await seal_lags(conn, sealer)
    await conn.close()
    return [
        Figure("written, beside one by one", written, "entries/s", one_by_one),
        Figure("sealed", ENTRIES / sealing, "entries/s"),
        Figure("one million verified, beside reading alone", verified, "s", reading),
        Figure(f"commit to seal p50 at {RATE}/s", quantiles(lags, n=100)[49], "ms"),
        Figure(f"commit to seal p99 at {RATE}/s", quantiles(lags, n=100)[98], "ms"),
    ]


async def audited_room(
    postgres: EmbeddedPostgres,
) -> tuple[asyncpg.Connection, Sealer, CheckpointStore]:
    """A migrated room and audit database."""
    admin = await asyncpg.connect(postgres.url("postgres"))
    for name, source in (("room", ("kernel", KERNEL)), ("audit", ("audit", MIGRATIONS))):
        await admin.execute(f"CREATE DATABASE {name}")
        await migrate(postgres.url(name), [source])
    await admin.close()
    store = CheckpointStore(postgres.url("audit"), "/141305/bench")
    url = postgres.url("room")
    sealer = Sealer(url, checkpoints=store, signer=AuditSigner(KEY), every=1)
    return await asyncpg.connect(url), sealer, store


def entries(count: int) -> Sequence[audit.AuditEntry]:
    """As a counter writes them."""
    return [
        audit.AuditEntry(
            at=datetime.now(UTC),
            actor="staff:5a1c7f0e-52b1-4a8e-9d3a-0d2f6f1c9a77",
            roles=("clerk",),
            action="card.shelve",
            subject=str(new_id()),
            site_id=SiteId("kawasaki-ward-office"),
            references={"shelf": "A-12-3", "lot_id": "L-20260105-3"},
            trace_id="0af7651916cd43dd8448eb211c80319c",
        )
        for _ in range(count)
    ]


async def write(conn: asyncpg.Connection, count: int, per_transaction: int) -> float:
    """Seconds for writing ``count`` entries."""
    started = time.perf_counter()
    for start in range(0, count, per_transaction):
        async with conn.transaction():
            await audit.append(conn, entries(min(per_transaction, count - start)))
    return time.perf_counter() - started


async def read_alone(conn: asyncpg.Connection) -> float:
    """Seconds for reading what verifying reads."""
    started = time.perf_counter()
    for start in range(0, ENTRIES, verifying._PAGE):
        await conn.fetch(verifying._SEALS, start, start + verifying._PAGE)
    return time.perf_counter() - started


async def verify_all(conn: asyncpg.Connection, store: CheckpointStore) -> float:
    """Seconds for verifying everything."""
    started = time.perf_counter()
    with Progress(transient=True) as bar:
        task = bar.add_task("verifying", total=ENTRIES)
        found = await verify(
            conn,
            checkpoints=store,
            keys={key_id(KEY.public_key()): KEY.public_key()},
            progress=lambda done, _: bar.update(task, completed=done),
        )
    if not found.ok or found.sealed != ENTRIES:
        raise SystemExit(f"the audit does not verify: {found}")
    return time.perf_counter() - started


async def seal_lags(conn: asyncpg.Connection, sealer: Sealer) -> list[float]:
    """Milliseconds from each commit to its seal, seen from outside by polling."""
    running = asyncio.create_task(sealer.run())
    committed: dict[int, float] = {}
    lags: list[float] = []
    last = await conn.fetchval("SELECT max(pos) FROM audit_entry")
    started = time.perf_counter()
    for number in range(1, RATE * LAG_SECONDS + 1):
        await audit.append(conn, entries(1))
        committed[last + number] = time.perf_counter()
        if number % 2 == 0:
            lags += await _sealed(conn, committed)
        await asyncio.sleep(max(0.0, started + number / RATE - time.perf_counter()))
    while committed:
        await asyncio.sleep(0.005)
        lags += await _sealed(conn, committed)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    return lags


async def _sealed(conn: asyncpg.Connection, committed: dict[int, float]) -> list[float]:
    sql = "SELECT pos FROM audit_seal WHERE pos = ANY($1::bigint[])"
    rows = await conn.fetch(sql, list(committed))
    now = time.perf_counter()
    return [1000 * (now - committed.pop(row["pos"])) for row in rows]


if __name__ == "__main__":
    uvloop.run(main())

"""Seconds from `madoguchi up` on existing data to all processes ready, and the broker's memory.

The baseline of the start is what PostgreSQL and Kafka alone take on the same data.
"""

import tempfile
import time
from pathlib import Path

import psutil

from deploy.embedded.plan import DEFAULT_PORTS, Plan
from deploy.embedded.ports import free_ports
from deploy.embedded.stack import Stack
from tests.benchmarks.parts import JARS
from tests.benchmarks.report import Figure, report

ROUNDS = 3


def main() -> None:
    """Start cold once, then warm several times; report the median."""
    with tempfile.TemporaryDirectory(prefix="madoguchi-bench-") as folder:
        ports = dict(zip(DEFAULT_PORTS, free_ports(len(DEFAULT_PORTS)), strict=True))
        environment = {f"MADOGUCHI_{name}": str(port) for name, port in ports.items()}
        plan = Plan.read(Path(folder), {"MADOGUCHI_CACHE": str(JARS), **environment})
        cold, memory = _start(plan)
        warm = sorted(_start(plan)[0] for _ in range(ROUNDS))[ROUNDS // 2]
        parts = sorted(_parts_alone(plan) for _ in range(ROUNDS))[ROUNDS // 2]
    report(
        "start",
        [
            Figure("warm start to all ready, beside broker and database", warm, "s", parts),
            Figure("first start to all ready", cold, "s"),
            Figure("broker's resident memory when ready", memory, "MiB"),
        ],
    )


def _start(plan: Plan) -> tuple[float, float]:
    stack = Stack(plan)
    started = time.perf_counter()
    stack.up()
    seconds = time.perf_counter() - started
    try:
        broker = stack.parts.kafka.running()
        assert broker is not None
        return seconds, psutil.Process(broker.pid).memory_info().rss / 2**20
    finally:
        stack.down()


def _parts_alone(plan: Plan) -> float:
    stack = Stack(plan)
    started = time.perf_counter()
    try:
        stack.parts.postgres.start()
        stack.parts.kafka.start()
        return time.perf_counter() - started
    finally:
        stack.parts.kafka.stop()
        stack.parts.postgres.stop()


if __name__ == "__main__":
    main()

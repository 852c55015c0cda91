"""The parts of one installation: which there are, which run, and how each is stopped.

Invariant: a part is only what our own record of it says; see `processes`.
"""

import signal
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deploy.embedded import processes
from deploy.embedded.kafka import EmbeddedKafka
from deploy.embedded.plan import ROLES, ROOMS, Plan
from deploy.embedded.ports import require_free
from deploy.embedded.postgres import EmbeddedPostgres
from deploy.embedded.processes import ProcessRecord
from deploy.embedded.progress import Progress, quiet

ISSUER = "issuer"
KAFKA = "kafka"
POSTGRES = "postgres"
_PORTS = {
    KAFKA: ("KAFKA_PORT", "KAFKA_CONTROLLER_PORT"),
    ISSUER: ("ISSUER_PORT",),
    POSTGRES: (),
}


class Parts:
    """All processes of an installation, by name: `postgres`, `kafka`, `issuer`, `<room>-<role>`."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.postgres = EmbeddedPostgres(plan.home.postgres)
        self.kafka = EmbeddedKafka(
            plan.home.kafka,
            plan.cache,
            plan.ports["KAFKA_PORT"],
            plan.ports["KAFKA_CONTROLLER_PORT"],
        )

    @property
    def names(self) -> list[str]:
        """Every part that is ours, in the order they start."""
        base = {
            POSTGRES: bool(self.plan.embedded_databases),
            KAFKA: self.plan.embeds_kafka,
            ISSUER: self.plan.embeds_issuer,
        }
        return [part for part, ours in base.items() if ours] + self.services

    @property
    def services(self) -> list[str]:
        """The rooms' processes."""
        return [f"{room}-{role}" for role in ROLES for room in ROOMS]

    def running(self, part: str) -> ProcessRecord | None:
        """The part's process, if it lives."""
        if part == POSTGRES:
            return self.postgres.running()
        if part == KAFKA:
            return self.kafka.running()
        return processes.running_record(self.record_path(part))

    def any_running(self) -> bool:
        """Whether anything of this installation lives."""
        return any(self.running(part) for part in self.names)

    def record_path(self, part: str) -> Path:
        """Where a process is written down."""
        return self.plan.home.run / f"{part}.json"

    def require_free_ports(self) -> None:
        """Refuse a port that a part still has to open and somebody else has.

        Raises:
            PortTaken: names the port and the setting that moves it.
        """
        for part in self.names:
            if self.running(part) is None:
                for name in _PORTS.get(part, (f"{part.upper().replace('-', '_')}_PORT",)):
                    require_free(self.plan.ports[name], part, f"MADOGUCHI_{name}")

    def stop(self, parts: Iterable[str], progress: Progress = quiet) -> None:
        """Stop these: the services together, then what they stand on."""
        wanted = list(parts)
        base = [part for part in wanted if part in (KAFKA, POSTGRES)]
        services = [part for part in wanted if part not in base]
        done = 0
        for together in (services, base):
            for _ in _together(self._stop, together):
                done += 1
                progress("Stopping", done=done, total=len(wanted))

    def _stop(self, part: str) -> None:
        if part == POSTGRES:
            self.postgres.stop()
        elif part == KAFKA:
            self.kafka.stop()
        elif (record := self.running(part)) is not None:
            processes.stop(record, gently=signal.SIGTERM)
            self.record_path(part).unlink(missing_ok=True)


def _together(action: Callable[[str], None], parts: Sequence[str]) -> Iterable[None]:
    if not parts:
        return []
    with ThreadPoolExecutor(len(parts)) as pool:
        return pool.map(action, parts)

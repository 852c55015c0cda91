"""How this installation's Kafka clients connect."""

import asyncio
import ssl
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from shared.http.ops import Check, NotReadyError
from shared.settings import KernelSettings

METADATA_MS = 10_000
"""How long a consumer may take an answer about its topics for true. A broker that has just started
may not know one yet; the group then goes without its partitions, and the client's own five minutes
would be as long as an outage."""


def client_options(settings: KernelSettings) -> dict[str, Any]:
    """Options every aiokafka client takes: servers, and TLS and SASL where set."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap_servers,
        "security_protocol": settings.kafka_security_protocol,
        "request_timeout_ms": 20_000,
    }
    if settings.kafka_security_protocol.endswith("SSL"):
        options["ssl_context"] = _tls(settings)
    if settings.kafka_security_protocol.startswith("SASL"):
        password = settings.kafka_sasl_password
        options |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_sasl_username,
            "sasl_plain_password": password.get_secret_value() if password else None,
        }
    return options


def _tls(settings: KernelSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.kafka_ca_file)
    if settings.kafka_certificate_file is not None:
        context.load_cert_chain(settings.kafka_certificate_file, settings.kafka_key_file)
    return context


async def reach(settings: KernelSettings) -> None:
    """Return when one of the servers accepts a connection.

    The clients reconnect by themselves and say nothing meanwhile, so readiness asks for itself.
    Raises ``OSError`` when none does.
    """
    failure: OSError | None = None
    for server in settings.kafka_bootstrap_servers.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        except OSError as error:
            failure = error
        else:
            writer.close()
            return
    raise failure or OSError("no bootstrap server is set")


class Client(Protocol):
    """A relay or consumer: whether it has its connection."""

    @property
    def connected(self) -> bool: ...


def connected(client: Client, settings: KernelSettings) -> Check:
    """A readiness check: the broker answers, and ``client`` is at work with it."""

    async def check() -> None:
        await reach(settings)
        if not client.connected:
            raise NotReadyError("not connected")

    return check


def producer(settings: KernelSettings, client_id: str) -> AIOKafkaProducer:
    """An idempotent producer that waits for all in-sync replicas; not started."""
    return AIOKafkaProducer(
        **client_options(settings),
        client_id=client_id,
        enable_idempotence=True,
        acks="all",
        linger_ms=0,
        max_batch_size=262_144,
    )


def consumer(
    settings: KernelSettings, *topics: str, group: str | None, **options: Any
) -> AIOKafkaConsumer:
    """A consumer that commits only what it is told to, from offset zero on; not started."""
    return AIOKafkaConsumer(
        *(settings.topic_prefix + topic for topic in topics),
        **client_options(settings),
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        metadata_max_age_ms=METADATA_MS,
        **options,
    )

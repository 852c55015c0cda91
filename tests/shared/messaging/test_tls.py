"""Settings alone reach a broker that asks for TLS, a certificate of the client and a password."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiokafka.errors import KafkaConnectionError
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from deploy.embedded.kafka import EmbeddedKafka
from deploy.embedded.ports import LOOPBACK, free_ports
from shared.messaging.kafka import consumer, producer
from shared.messaging.topics import EVENT_TOPICS, ensure_topics
from shared.settings import KernelSettings
from tests.conftest import JARS
from tests.support.messaging import settings

USER, PASSWORD = "room", "a-password-for-this-test"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of this address that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(minutes=5))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(LOOPBACK))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(made.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate_file, key_file


@pytest.fixture(scope="module")
def guarded(folder: Path, certificate: tuple[Path, Path]) -> Iterator[EmbeddedKafka]:
    """A broker that lets nobody in without both."""
    clients, controller, inside = free_ports(3)
    both = folder / "both.pem"
    both.write_text(certificate[1].read_text() + certificate[0].read_text())
    listeners = f"CLIENTS://{LOOPBACK}:{clients},INSIDE://{LOOPBACK}:{inside}"
    on = "listener.name.clients."
    broker = EmbeddedKafka(
        folder / "kafka",
        JARS,
        clients,
        controller,
        settings={
            "listeners": f"{listeners},CONTROLLER://{LOOPBACK}:{controller}",
            "advertised.listeners": listeners,
            "inter.broker.listener.name": "INSIDE",
            "listener.security.protocol.map": (
                "CLIENTS:SASL_SSL,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT"
            ),
            "sasl.enabled.mechanisms": "PLAIN",
            on + "plain.sasl.jaas.config": (
                "org.apache.kafka.common.security.plain.PlainLoginModule required"
                f' user_{USER}="{PASSWORD}";'
            ),
            on + "ssl.keystore.type": "PEM",
            on + "ssl.keystore.location": str(both),
            on + "ssl.truststore.type": "PEM",
            on + "ssl.truststore.location": str(certificate[0]),
            on + "ssl.client.auth": "required",
        },
    )
    broker.start()
    yield broker
    broker.stop()


def _settings(broker: EmbeddedKafka, files: tuple[Path, Path], **other: object) -> KernelSettings:
    return settings(
        kafka_bootstrap_servers=broker.bootstrap,
        **{
            "kafka_security_protocol": "SASL_SSL",
            "kafka_sasl_mechanism": "PLAIN",
            "kafka_sasl_username": USER,
            "kafka_sasl_password": PASSWORD,
            "kafka_ca_file": files[0],
            "kafka_certificate_file": files[0],
            "kafka_key_file": files[1],
        }
        | other,
    )


async def test_topics_are_made_written_and_read_over_tls(
    guarded: EmbeddedKafka, certificate: tuple[Path, Path]
) -> None:
    known = _settings(guarded, certificate)
    await ensure_topics(known, ("preparation",))
    async with producer(known, "test") as writing:
        await writing.send_and_wait(EVENT_TOPICS[0], b"kept", key=b"case")
    async with consumer(known, EVENT_TOPICS[0], group="test") as reading:
        assert (await reading.getone()).value == b"kept"


@pytest.mark.parametrize(
    "other",
    [
        {"kafka_sasl_password": "another"},
        {"kafka_certificate_file": None, "kafka_key_file": None},
        {"kafka_security_protocol": "PLAINTEXT"},
    ],
    ids=["wrong password", "no certificate", "no TLS"],
)
async def test_who_lacks_one_of_them_stays_outside(
    guarded: EmbeddedKafka, certificate: tuple[Path, Path], other: dict[str, object]
) -> None:
    with pytest.raises(KafkaConnectionError):
        await ensure_topics(_settings(guarded, certificate, **other), ("preparation",))

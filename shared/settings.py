"""Settings come from the environment, prefix ``MADOGUCHI_``; a room reads them once, at start.

What cannot be used is refused then, by name; no error quotes a value, for it may be a secret.
"""

import base64
import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _listed(value: Any) -> Any:
    """Take ``a,b`` as well as ``["a", "b"]``."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json.loads(value)
    return tuple(part.strip() for part in value.split(",") if part.strip())


_Listed = (NoDecode, BeforeValidator(_listed))


def _unset(value: Any) -> Any:
    """Take an empty text and ``none`` for what is not set."""
    return None if value in ("", "none") else value


NextGenerationFrom = Annotated[
    date | None,
    Field(
        ge=date(2026, 4, 1),
        description="The day from which applications get a next-generation card, not before FY R8;"
        " none yet. Every room that has it is set to the same day.",
    ),
    BeforeValidator(_unset),
]
"""Preparation warns of such cards before that day, and issuance offers them from it on."""


class KernelSettings(BaseSettings):
    """What every process needs; names are the environment variables without the prefix."""

    model_config = SettingsConfigDict(
        env_prefix="MADOGUCHI_", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    city_code: str = Field(
        "141305", pattern=r"^[0-9]{6}$", description="Municipal code, six digits."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    clock: Literal["system", "replay"] = "system"

    kafka_bootstrap_servers: str = Field("127.0.0.1:9392", description="host:port[,host:port…]")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_ca_file: FilePath | None = None
    kafka_certificate_file: FilePath | None = None
    """Where the broker asks clients for a certificate: theirs, with its key beside it (PEM)."""
    kafka_key_file: FilePath | None = None
    kafka_replication_factor: int = Field(1, ge=1)
    topic_prefix: str = Field("", pattern=r"^[a-z0-9.-]*$")

    database_pool_size: int = Field(8, ge=2)
    audit_database_url: str | None = Field(None, repr=False)
    audit_signing_key_file: Path | None = None

    oidc_issuer: str = "http://127.0.0.1:8100"
    oidc_jwks_url: str | None = Field(
        None, description="Where rooms fetch the keys, if not by discovery."
    )
    oidc_audience: str = "madoguchi"
    citizen_issuer: str = "http://127.0.0.1:8102/citizens"
    citizen_jwks_url: str = "http://127.0.0.1:8102/v1/citizen-keys"
    citizen_signing_key_file: Path | None = None
    cors_origins: Annotated[tuple[str, ...], *_Listed] = ()

    notice_keys: SecretStr | None = Field(None, description="Key ring shared for notice numbers.")

    host: str = "127.0.0.1"
    trusted_proxies: Annotated[tuple[str, ...], *_Listed] = ("127.0.0.1",)
    """Addresses or networks of reverse proxies that may say from where a request comes."""
    otlp_endpoint: str | None = None
    trace_ratio: float = Field(1.0, ge=0, le=1)
    idempotency_hours: int = Field(24, ge=1, description="How long an answer is remembered.")
    body_limit_mib: int = Field(16, ge=1, description="Greatest size of a request body, in MiB.")
    outbox_retention_hours: int = Field(48, ge=1, le=120)
    retry_seconds: Annotated[tuple[Annotated[float, Field(ge=0)], ...], *_Listed] = (
        1.0,
        10.0,
        60.0,
    )
    batch_size: int = Field(2000, ge=1)
    gather_seconds: float = Field(
        0.0,
        ge=0,
        le=1,
        description="How long relays and consumers gather after a batch that was not full.",
    )

    @field_validator("city_code")
    @classmethod
    def _check_digit(cls, code: str) -> str:
        """JIS X 0402: weights 6…2 over the first five digits, modulo 11."""
        total = sum(
            int(digit) * weight for digit, weight in zip(code, range(6, 1, -1), strict=False)
        )
        if (11 - total % 11) % 10 != int(code[5]):
            raise ValueError("the sixth digit of the municipal code is not its check digit")
        return code

    @field_validator("kafka_bootstrap_servers")
    @classmethod
    def _servers_have_ports(cls, servers: str) -> str:
        for server in servers.split(","):
            host, _, port = server.strip().rpartition(":")
            if not host or not port.isdecimal():
                raise ValueError("write host:port[,host:port…]")
        return servers

    @field_validator("log_level", mode="before")
    @classmethod
    def _any_case(cls, level: Any) -> Any:
        return level.upper() if isinstance(level, str) else level

    @model_validator(mode="after")
    def _sasl_is_whole(self) -> Self:
        """The client would refuse to be made, with words of its own."""
        known = self.kafka_sasl_username and self.kafka_sasl_password
        if self.kafka_security_protocol.startswith("SASL") and not known:
            raise ValueError(
                f"{self.kafka_security_protocol} needs MADOGUCHI_KAFKA_SASL_USERNAME"
                " and MADOGUCHI_KAFKA_SASL_PASSWORD"
            )
        return self

    @model_validator(mode="after")
    def _client_certificate_is_whole(self) -> Self:
        if (self.kafka_certificate_file is None) != (self.kafka_key_file is None):
            raise ValueError(
                "MADOGUCHI_KAFKA_CERTIFICATE_FILE and MADOGUCHI_KAFKA_KEY_FILE go together"
            )
        return self

    def source(self, room: str) -> str:
        """The CloudEvents source of ``room`` in this city."""
        return f"/{self.city_code}/{room}"


class Doors(BaseSettings):
    """What one room alone has; the prefix is ``MADOGUCHI_<ROOM>_`` (see ``doors``)."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    database_url: str = Field(repr=False)
    api_port: int = Field(ge=1, le=65535)
    consume_port: int = Field(
        ge=1, le=65535, description="Port of the consumer's /readyz, /metrics."
    )
    relay_port: int = Field(ge=1, le=65535, description="Port of the relay's /readyz, /metrics.")
    master_keys: SecretStr | None = Field(None, description="Key ring id:base64,… for data keys.")
    satellite: str | None = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
        description="The site that an instance with a database of its own serves while cut off.",
    )

    def consumer(self, room: str) -> str:
        """The consumer's name, and with it its group: a satellite hears everything by itself."""
        return f"{room}.{self.satellite}" if self.satellite else room


def doors(room: str) -> Doors:
    """Read the doors of ``room`` from the environment.

    Raises ``pydantic.ValidationError`` naming what is missing.
    """
    return Doors(_env_prefix=f"MADOGUCHI_{room.upper()}_")


def unusable(error: ValidationError, prefix: str = "MADOGUCHI_") -> str:
    """What is wrong with which setting, for the person who sets it; no values."""
    return "; ".join(
        f"{prefix}{'_'.join(map(str, each['loc'])).upper()}: {each['msg']}"
        if each["loc"]
        else each["msg"].removeprefix("Value error, ")
        for each in error.errors(include_url=False, include_input=False)
    )


def key_ring(secret: SecretStr | None, name: str) -> dict[str, bytes]:
    """Parse ``id:base64,id:base64`` (32-byte keys, the first is current), in order.

    Raises ``ValueError`` naming the setting when it is missing or malformed.
    """
    if secret is None or not secret.get_secret_value():
        raise ValueError(f"MADOGUCHI_{name}: set a key ring, id:base64[,id:base64…]")
    ring: dict[str, bytes] = {}
    for number, part in enumerate(secret.get_secret_value().split(","), start=1):
        key_id, found, encoded = part.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if not found or not key_id or len(key) != 32:
            raise ValueError(f"MADOGUCHI_{name}: entry {number} must be id:base64 of 32 bytes")
        if key_id in ring:
            raise ValueError(f"MADOGUCHI_{name}: entry {number} repeats the id {key_id}")
        ring[key_id] = key
    return ring

"""What one installation consists of: where its files lie, its ports, and which parts are its own.

Invariant: the environment decides, and nothing else. A part whose address is set there is
external and is neither started nor stopped; every port can be moved by its own setting or all of
them together by `MADOGUCHI_PORT_OFFSET`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.embedded.errors import OperatorError

ROOMS = ("preparation", "reservation", "issuance", "reporting")
ROLES = ("api", "consume", "relay")
DEFAULT_HOME = Path(".madoguchi")
DEFAULT_PORTS = {
    "KAFKA_PORT": 9392,
    "KAFKA_CONTROLLER_PORT": 9393,
    "ISSUER_PORT": 8100,
    **{
        f"{room.upper()}_{role.upper()}_PORT": base + number
        for number, room in enumerate(ROOMS, start=1)
        for role, base in zip(ROLES, (8100, 8110, 8120), strict=True)
    },
}
OFFSET = "MADOGUCHI_PORT_OFFSET"


class WrongSetting(OperatorError):  # noqa: N818 - reads as the fact it states
    """A setting holds something that cannot be used."""

    def __init__(self, name: str, value: str) -> None:
        super().__init__(
            f"{name} is {value!r}, but it must be a port number between 1 and 65535.",
            f"{name} の値 {value!r} は使えません。1〜65535 のポート番号を設定してください。",
        )


class OtherClock(OperatorError):  # noqa: N818 - reads as the fact it states
    """What runs in this folder follows another clock than what was asked for."""

    def __init__(self, root: Path, clock: str) -> None:
        super().__init__(
            f"The installation in {root} is running by the {clock} clock. Stop it first "
            f"(madoguchi down --data {root}), or choose another folder with --data.",
            f"{root} の環境は {clock} 時計で動いています。先に止めるか"
            f"(madoguchi down --data {root})、--data で別のフォルダーを指定してください。",
        )


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of one installation. It survives a stop; removing it removes everything."""

    root: Path

    @property
    def run(self) -> Path:
        """Records of running processes."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        """One log per process."""
        return self.root / "log"

    @property
    def keys(self) -> Path:
        """Secret keys, mode 0600."""
        return self.root / "keys"

    @property
    def kafka(self) -> Path:
        """The broker's data."""
        return self.root / "kafka"

    @property
    def postgres(self) -> Path:
        """The database server's data."""
        return self.root / "postgres"

    @property
    def mail(self) -> Path:
        """Mails to citizens, one file each: nothing leaves the machine."""
        return self.root / "mail"

    @property
    def running(self) -> Path:
        """How what runs now was started, so that later commands find it without settings."""
        return self.run / "running.json"


@dataclass(frozen=True, slots=True)
class Plan:
    """An installation as its environment describes it."""

    home: Home
    cache: Path
    ports: Mapping[str, int]  # by setting name without the prefix, as in DEFAULT_PORTS
    environment: Mapping[str, str]  # what the operator set: MADOGUCHI_* only

    @classmethod
    def read(cls, root: Path, environment: Mapping[str, str]) -> "Plan":
        """The plan for a home folder.

        Raises:
            WrongSetting: a port setting is not a port number.
        """
        home = Home(root.absolute())
        own = {name: value for name, value in environment.items() if name.startswith("MADOGUCHI_")}
        cache = Path(own.get("MADOGUCHI_CACHE", home.root / "cache")).absolute()
        return cls(home, cache, _ports(home, own), own)

    @property
    def embeds_kafka(self) -> bool:
        """Whether the broker is ours."""
        return "MADOGUCHI_KAFKA_BOOTSTRAP_SERVERS" not in self.environment

    @property
    def embeds_issuer(self) -> bool:
        """Whether the OpenID Connect issuer is ours."""
        return "MADOGUCHI_OIDC_ISSUER" not in self.environment

    @property
    def embedded_databases(self) -> tuple[str, ...]:
        """Databases that live in our own server; without any, it is not started."""
        named = [
            room
            for room in ROOMS
            if f"MADOGUCHI_{room.upper()}_DATABASE_URL" not in self.environment
        ]
        if "MADOGUCHI_AUDIT_DATABASE_URL" not in self.environment:
            named.append("audit")
        return tuple(named)

    def port(self, room: str, role: str) -> int:
        """The port of one service process."""
        return self.ports[f"{room.upper()}_{role.upper()}_PORT"]

    def url(self, room: str) -> str:
        """Base URL of a room's API on this machine."""
        return f"http://127.0.0.1:{self.port(room, 'api')}"

    @property
    def issuer(self) -> str:
        """The issuer that staff tokens come from."""
        own = f"http://127.0.0.1:{self.ports['ISSUER_PORT']}"
        return self.environment.get("MADOGUCHI_OIDC_ISSUER", own)

    @property
    def bootstrap(self) -> str:
        """Kafka's addresses."""
        own = f"127.0.0.1:{self.ports['KAFKA_PORT']}"
        return self.environment.get("MADOGUCHI_KAFKA_BOOTSTRAP_SERVERS", own)

    @property
    def clock(self) -> str:
        """Which time the rooms follow: `system` or `replay`."""
        return self.environment.get("MADOGUCHI_CLOCK", "system")

    @property
    def runs_by(self) -> str:
        """The clock of what runs now, or, where nothing does, of what would be started."""
        return str(_remembered(self.home).get("clock", self.clock))

    def remember(self) -> None:
        """Write down how the installation is started, for later commands."""
        self.home.run.mkdir(parents=True, exist_ok=True)
        told = {"ports": dict(self.ports), "clock": self.clock}
        self.home.running.write_text(json.dumps(told, indent=2))

    def forget(self) -> None:
        """The installation is down; its settings count again."""
        self.home.running.unlink(missing_ok=True)

    def require_same_clock(self) -> None:
        """Refuse to join an installation that follows another clock.

        Raises:
            OtherClock: it does.
        """
        if self.runs_by != self.clock:
            raise OtherClock(self.home.root, self.runs_by)


def _ports(home: Home, environment: Mapping[str, str]) -> dict[str, int]:
    offset = _port(environment, OFFSET, least=0) if OFFSET in environment else 0
    chosen = {name: port + offset for name, port in DEFAULT_PORTS.items()}
    if OFFSET not in environment:
        chosen |= _remembered(home).get("ports", {})
    for name in DEFAULT_PORTS:
        if (setting := f"MADOGUCHI_{name}") in environment:
            chosen[name] = _port(environment, setting, least=1)
    return chosen


def _remembered(home: Home) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(home.running.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return told


def _port(environment: Mapping[str, str], name: str, *, least: int) -> int:
    value = environment[name]
    if not value.isdigit() or not least <= int(value) <= 65535:
        raise WrongSetting(name, value)
    return int(value)

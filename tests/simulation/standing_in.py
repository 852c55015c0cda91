"""Rooms that nobody runs: what a simulation has to know to call them; satisfies ``House``."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.settings import KernelSettings


@dataclass
class Rooms:
    """Addresses and tokens; who answers is given by the test."""

    apis: Mapping[str, str] = field(
        default_factory=lambda: {
            room: f"http://{room}"
            for room in ("reservation", "preparation", "issuance", "reporting")
        }
    )
    processes: Mapping[str, str] = field(default_factory=dict)
    settings: KernelSettings = field(default_factory=KernelSettings)
    token: Callable[[Sequence[str], Sequence[str]], str] = lambda *_: "t"
    colleague: Callable[[Sequence[str], str], str] = lambda *_: "t"

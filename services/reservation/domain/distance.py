"""How far apart two places are."""

from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt
from typing import Protocol

EARTH_KILOMETRES = 6371.0


class Placed(Protocol):
    """Whatever lies somewhere (WGS 84, degrees)."""

    @property
    def latitude(self) -> float:
        """Degrees north."""
        ...

    @property
    def longitude(self) -> float:
        """Degrees east."""
        ...


@dataclass(frozen=True, slots=True)
class Point:
    """A place without a name."""

    latitude: float
    longitude: float


def kilometres(one: Placed, other: Placed) -> float:
    """The distance as the crow flies (great circle)."""
    lat1, lat2 = radians(one.latitude), radians(other.latitude)
    lon = radians(other.longitude - one.longitude)
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin(lon / 2) ** 2
    return 2 * EARTH_KILOMETRES * asin(sqrt(min(1.0, half)))

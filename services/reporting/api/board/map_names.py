"""Where a map writes its names, so that none lies over another.

Invariant: places keep the order in which they are given, and who comes first has the better place;
a name for which there is none within reach is written where it would be without the others.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import cos, radians

WIDTH, HEIGHT = 1000, 480
"""Of the map, in pixels."""
_LINE, _WIDE, _NARROW = 14, 12.2, 7.0
_NEAR_POINT, _STEPS = 20, 5
_KM = 111.2
"""In a degree of latitude."""


@dataclass(frozen=True, slots=True)
class Named:
    """A place with its name, which is above it rather than below or the other way round."""

    name: str
    latitude: float
    longitude: float
    above: bool = False


def short_names(names: Iterable[str]) -> Mapping[str, str]:
    """Each name without what stands in brackets, unless two would then be the same."""
    short = {name: re.split(r"\s*[（(]", name, maxsplit=1)[0] or name for name in names}
    same = Counter(short.values())
    return {name: each if same[each] == 1 else name for name, each in short.items()}


def below(places: Sequence[Named], reach_km: float) -> list[int]:
    """Pixels by which each name stands below its point (above: less than 0), on a map that holds
    all that lies within ``reach_km`` of a place."""
    taken: list[tuple[float, float, float]] = []
    found = []
    for place, (x, y) in zip(places, _pixels(places, reach_km), strict=True):
        half = sum(_WIDE if ord(sign) > 0x2E7F else _NARROW for sign in place.name) / 2
        tries = list(_tries(above=place.above))
        offset = next((each for each in tries if _is_free(taken, x, y + each, half)), tries[0])
        taken.append((x, y + offset, half))
        found.append(offset)
    return found


def _pixels(places: Sequence[Named], reach_km: float) -> list[tuple[float, float]]:
    """Roughly as the map projects them: a city is flat."""
    if not places:
        return []
    lean = cos(radians(sum(each.latitude for each in places) / len(places)))
    east = [each.longitude * lean * _KM for each in places]
    south = [-each.latitude * _KM for each in places]
    wide = max(east) - min(east) + 2 * reach_km
    high = max(south) - min(south) + 2 * reach_km
    scale = min(WIDTH / wide, HEIGHT / high)
    return [(x * scale, y * scale) for x, y in zip(east, south, strict=True)]


def _tries(*, above: bool) -> Iterator[int]:
    first = -1 if above else 1
    for step in range(_STEPS):
        yield first * (_NEAR_POINT + step * _LINE)
        yield -first * (_NEAR_POINT + step * _LINE)


def _is_free(taken: Sequence[tuple[float, float, float]], x: float, y: float, half: float) -> bool:
    return all(abs(x - a) >= half + b or abs(y - c) >= _LINE for a, c, b in taken)

"""Half of them, and nine of ten: percentiles of whole business days by nearest rank.

The p-th percentile is the smallest value that at least p in a hundred do not exceed, so each is a
span that some card really took.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Spread:
    """Of how many, and in business days: half took no longer than ``p50``, nine of ten ``p90``."""

    cards: int
    p50: int
    p90: int
    most: int


def spread(counts: Mapping[int, float]) -> Spread | None:
    """The spread of ``counts`` (cards by business days); None where there is no card."""
    cards = sum(counts.values())
    if cards < _TINY:
        return None
    return Spread(
        round(cards),
        percentile(counts, 0.5),
        percentile(counts, 0.9),
        max(days for days, count in counts.items() if count > _TINY),
    )


def percentile(counts: Mapping[int, float], share: float) -> int:
    """The nearest rank; ``ValueError`` where there is no card."""
    wanted = share * sum(counts.values()) - _TINY
    reached = 0.0
    for days in sorted(counts):
        reached += counts[days]
        if reached >= wanted and counts[days] > _TINY:
            return days
    raise ValueError("no card has no percentile")


def slope(values: Sequence[tuple[int, int]]) -> float | None:
    """The trend of (x, y) as change of y per x (Theil–Sen): the median of all pairs' slopes.

    One odd week does not turn it, as it would a least-squares line. None for fewer than two x.
    """
    slopes = [
        (y2 - y1) / (x2 - x1)
        for number, (x1, y1) in enumerate(values)
        for x2, y2 in values[number + 1 :]
        if x1 != x2
    ]
    return median(slopes) if slopes else None

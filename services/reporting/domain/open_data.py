"""Which figures may be published of small places: none from which one could tell of few people.

Each month and procedure is a group: the numbers of the wards, and their sum. Of a group

1. a number from 1 to ``least`` - 1 is hidden, the sum too;
2. while a reader could still reckon that a hidden number is small, from the sum and what is shown,
   the next smallest is hidden as well. Of m hidden numbers with the sum S, each at least 1, none
   can be above S - m + 1; so m is at least 2 and S - m + 1 at least ``least``;
3. where that cannot be had, all wards of the group are hidden, and zeros with them.

Groups share no number: no ward's year and no site is published, and no sum over wards but the
city's. (統計の秘匿: 一次秘匿と二次秘匿.)
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.ids import WardCode

LEAST = 10
"""Smallest number that is published."""


@dataclass(frozen=True, slots=True)
class Published:
    """A group as it may be published; None is hidden."""

    wards: Mapping[WardCode, int | None]
    total: int | None


def published(wards: Mapping[WardCode, int], least: int = LEAST) -> Published:
    """What may be shown of the numbers of a group."""
    total = sum(wards.values())
    hidden = _hidden(wards, least)
    return Published(
        {ward: None if ward in hidden else count for ward, count in wards.items()},
        None if 0 < total < least else total,
    )


def _hidden(wards: Mapping[WardCode, int], least: int) -> set[WardCode]:
    by_size = sorted((count, ward) for ward, count in wards.items() if count > 0)
    hidden = {ward for count, ward in by_size if count < least}
    if not hidden:
        return set()
    shown = [ward for count, ward in by_size if count >= least]
    while not _safe([wards[ward] for ward in hidden], least):
        if not shown:
            return set(wards)
        hidden.add(shown.pop(0))
    return hidden


def _safe(hidden: list[int], least: int) -> bool:
    return len(hidden) > 1 and sum(hidden) - len(hidden) + 1 >= least

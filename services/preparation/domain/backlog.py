"""What waits where, and for how long: cards by stage and ward with their age in business days."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from services.preparation.domain.spread import Spread, spread
from services.preparation.domain.stages import Stage
from services.preparation.domain.working_days import WorkingDays
from shared.ids import WardCode


@dataclass(frozen=True, slots=True)
class Waiting:
    """Cards of a ward that came to a stage on a day and are there still; ``held`` are on hold."""

    stage: Stage
    ward: WardCode
    since: date
    cards: int
    held: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits at a stage; without a ward, in the whole city. ``oldest`` is its first day."""

    stage: Stage
    ward: WardCode | None
    cards: int
    held: int
    oldest: date
    age: Spread


def backlog(waiting: Iterable[Waiting], today: date, working: WorkingDays) -> list[Backlog]:
    """By stage in the order of the way, then by ward, the city last."""
    groups: dict[tuple[Stage, WardCode | None], list[Waiting]] = defaultdict(list)
    for one in waiting:
        groups[one.stage, one.ward].append(one)
        groups[one.stage, None].append(one)
    keys = sorted(groups, key=lambda key: (key[0].rank, key[1] is None, key[1] or ""))
    found = (_backlog(key, groups[key], today, working) for key in keys)
    return [one for one in found if one is not None]


def _backlog(
    key: tuple[Stage, WardCode | None], waiting: list[Waiting], today: date, working: WorkingDays
) -> Backlog | None:
    ages: dict[int, float] = defaultdict(float)
    for one in waiting:
        ages[working.between(one.since, today)] += one.cards
    age = spread(ages)
    if age is None:
        return None
    held = sum(one.held for one in waiting)
    return Backlog(key[0], key[1], age.cards, held, min(one.since for one in waiting), age)

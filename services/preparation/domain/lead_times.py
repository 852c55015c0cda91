"""How long each step takes, week by week, and where this is going.

A step is counted in the week in which it ended. The whole way (準備期間, up to the notice, behind
which booking opens) is one more step.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from services.preparation.domain.spread import Spread, slope, spread
from services.preparation.domain.stages import Stage
from services.preparation.domain.working_days import WorkingDays, week_of
from shared.errors import Text


class Leg(StrEnum):
    """A step, named by where it ends; or the whole way up to the notice."""

    INSPECTED = "inspected"
    REGISTRY_CHECKED = "registry_checked"
    PRESET = "preset"
    SHELVED = "shelved"
    NOTIFIED = "notified"
    ISSUED = "issued"
    PREPARATION = "preparation"

    @property
    def ends(self) -> tuple[Stage, Stage]:
        """The stages between which it is measured."""
        if self is Leg.PREPARATION:
            return Stage.RECEIVED, Stage.NOTIFIED
        to = Stage(self.value)
        return _BEFORE[to], to

    @property
    def label(self) -> Text:
        """The step as people say it."""
        if self is Leg.PREPARATION:
            return Text("Arrival to notice", "受領から交付通知まで")
        frm, to = self.ends
        return Text(f"{frm.label.en} → {to.label.en}", f"{frm.label.ja}→{to.label.ja}")


_BEFORE: Final = {
    Stage.INSPECTED: Stage.RECEIVED,
    Stage.REGISTRY_CHECKED: Stage.INSPECTED,
    Stage.PRESET: Stage.REGISTRY_CHECKED,
    Stage.SHELVED: Stage.PRESET,
    Stage.NOTIFIED: Stage.SHELVED,
    Stage.ISSUED: Stage.NOTIFIED,
}


@dataclass(frozen=True, slots=True)
class Span:
    """Cards that began a step on one day and ended it on another."""

    leg: Leg
    began: date
    ended: date
    cards: int


@dataclass(frozen=True, slots=True)
class WeekOfLeg:
    """A step as it was in the week that begins on the Monday ``week``."""

    leg: Leg
    week: date
    spread: Spread


@dataclass(frozen=True, slots=True)
class Trend:
    """Where a step is going: business days per week, over ``weeks`` weeks with cards.

    ``p50`` and ``p90`` are the changes of the two percentiles; None with fewer than two weeks.
    """

    leg: Leg
    weeks: int
    latest: Spread
    p50: float | None
    p90: float | None


def weekly(spans: Iterable[Span], working: WorkingDays) -> list[WeekOfLeg]:
    """Each step by week, steps in their order."""
    groups: dict[tuple[Leg, date], dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for span in spans:
        groups[span.leg, week_of(span.ended)][working.between(span.began, span.ended)] += span.cards
    order = list(Leg)
    keys = sorted(groups, key=lambda key: (order.index(key[0]), key[1]))
    found = ((key, spread(groups[key])) for key in keys)
    return [WeekOfLeg(leg, week, known) for (leg, week), known in found if known is not None]


def trends(weeks: Sequence[WeekOfLeg]) -> list[Trend]:
    """The trend of each step that has any week."""
    return [_trend([week for week in weeks if week.leg is leg]) for leg in _legs(weeks)]


def _legs(weeks: Sequence[WeekOfLeg]) -> list[Leg]:
    known = {week.leg for week in weeks}
    return [leg for leg in Leg if leg in known]


def _trend(weeks: Sequence[WeekOfLeg]) -> Trend:
    numbers = [(week.week - weeks[0].week).days // 7 for week in weeks]
    return Trend(
        leg=weeks[-1].leg,
        weeks=len(weeks),
        latest=weeks[-1].spread,
        p50=slope([(x, week.spread.p50) for x, week in zip(numbers, weeks, strict=True)]),
        p90=slope([(x, week.spread.p90) for x, week in zip(numbers, weeks, strict=True)]),
    )

"""The outlook by week: how long the cards of a week take, and when their citizens can come first.

Lead time (準備期間) is the brief's: from the arrival of the card to the first date that can be
booked; in business days.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.preparation.domain.desks import Desks
from services.preparation.domain.flow import Cohort, Notified, Waiting, run
from services.preparation.domain.seating import Seated, Seating, SeatSource
from services.preparation.domain.spread import Spread, percentile
from services.preparation.domain.working_days import WorkingDays, week_of
from shared.ids import WardCode

BEHIND: Final = 10**6
"""A span that ends behind the outlook: longer than any that is known."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What a forecast starts from.

    ``waiting`` is what waits at each desk, ``arrivals`` what is expected to come, by day;
    ``invited`` are those who have a notice and no booking, in the order of their notices.
    """

    today: date
    waiting: Waiting
    arrivals: Mapping[date, Sequence[Cohort]]
    invited: Sequence[Notified]
    seats: Sequence[SeatSource]
    desks: Desks


@dataclass(frozen=True, slots=True)
class Outlook:
    """Of the cards of one week (or ward): spans in business days, and days.

    ``bookable_from`` is the first day on which the first of them can come, ``lead_time`` the
    spread from arrival to that day of each. ``notified`` is the spread from arrival to the
    notice. None where too many of them come only behind the end of the outlook.
    """

    cards: int
    bookable_from: date | None
    notified: Spread | None
    lead_time: Spread | None


def forecast(now: Situation, working: WorkingDays) -> list[Seated]:
    """When the citizens of all that waits and comes can come; ``working`` is how far it looks."""
    flow = run(now.waiting, now.arrivals, now.desks, working.from_on(now.today))
    seating = Seating(now.seats, working)
    seating.seat(now.invited)
    left = (cohort for queue in flow.left.values() for cohort in queue)
    behind = (Seated(c.ward, c.received_on, None, None, c.cards) for c in left)
    return [*seating.seat(flow.notified), *behind]


def by_week(seated: Sequence[Seated], working: WorkingDays) -> dict[date, Outlook]:
    """The outlook of the cards received in each week, by its Monday, in order."""
    groups: dict[date, list[Seated]] = defaultdict(list)
    for one in seated:
        groups[week_of(one.received_on)].append(one)
    return {week: _outlook(groups[week], working) for week in sorted(groups)}


def by_ward(seated: Sequence[Seated], working: WorkingDays) -> dict[WardCode, Outlook]:
    """The outlook of each ward, in order."""
    groups: dict[WardCode, list[Seated]] = defaultdict(list)
    for one in seated:
        groups[one.ward].append(one)
    return {ward: _outlook(groups[ward], working) for ward in sorted(groups)}


def _outlook(seated: Sequence[Seated], working: WorkingDays) -> Outlook:
    return Outlook(
        cards=round(sum(one.cards for one in seated)),
        bookable_from=min((one.on for one in seated if one.on is not None), default=None),
        notified=_spans(((s.received_on, s.notified_on, s.cards) for s in seated), working),
        lead_time=_spans(((s.received_on, s.on, s.cards) for s in seated), working),
    )


def _spans(found: Iterable[tuple[date, date | None, float]], working: WorkingDays) -> Spread | None:
    counts: dict[int, float] = defaultdict(float)
    for start, end, cards in found:
        counts[BEHIND if end is None else working.between(start, end)] += cards
    if not counts or percentile(counts, 0.9) == BEHIND:
        return None
    known = {days: cards for days, cards in counts.items() if days != BEHIND}
    return Spread(
        round(sum(counts.values())),
        percentile(counts, 0.5),
        percentile(counts, 0.9),
        max(known),
    )

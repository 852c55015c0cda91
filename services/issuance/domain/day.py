"""A site's day is signed off once, after its last booking; then nobody comes in any more."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.issuance.domain.booking import Booking
from services.issuance.domain.visit import Visit, VisitCase, VisitState
from shared.contracts.issuance import AbandonReason, DeferReason
from shared.errors import Conflict, NotFound, Text
from shared.ids import SiteId


@dataclass(frozen=True, slots=True)
class DayReport:
    """What a signed-off day came to, counted in cases; parties and cards are counted as such."""

    site_id: SiteId
    business_date: date
    signed_off_at: datetime
    signed_off_by: str
    parties: int
    cards_back: int
    cards_missing: int
    done: int
    deferred: int
    abandoned: int
    missed: int


class DaySignedOff(Conflict):
    """The day is over at this site."""

    slug = "day-signed-off"
    title = Text("This day has been signed off", "この日の業務は締められています")
    remedy = Text(
        "Book the citizen for another day, or ask a supervisor.",
        "別の日の予約を案内するか、責任者に相談してください。",
    )


class DayOpen(NotFound):
    """There is no report of a day that goes on."""

    slug = "day-not-signed-off"
    title = Text("This day has not been signed off", "この日はまだ締められていません")
    remedy = Text("Sign the day off first.", "先に業務を締めてください。")


class DayNotOver(Conflict):
    """Somebody may still come: the sign-off would call a citizen missing too early."""

    slug = "day-not-over"
    title = Text("The day is not over yet", "業務時間中のため締められません")
    remedy = Text(
        "Sign off after the last booking and its grace; possible_from says when.",
        "最後の予約の猶予時間が過ぎてから（possible_from 以降）締めてください。",
    )


def require_over(
    day: date, today: date, unseen: Iterable[Booking], now: datetime, grace: timedelta
) -> None:
    """Raise ``DayNotOver`` for a day to come, or while an unseen party may still be in time."""
    if day > today:
        raise DayNotOver
    last = max((booking.in_time_until(grace) for booking in unseen), default=None)
    if last is not None and now <= last:
        raise DayNotOver(extras={"possible_from": last.isoformat()})


def end_of_unfinished(visit: Visit, case: VisitCase) -> AbandonReason | DeferReason:
    """How a case that is open at the sign-off ends: never called is abandoned, begun deferred."""
    if visit.state is VisitState.CALLED and case.is_begun:
        return DeferReason.OTHER
    return AbandonReason.DAY_ENDED

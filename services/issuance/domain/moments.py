"""What is told afterwards bears the moments at which it happened: none in the future, and those of
one visit in order.
"""

from datetime import datetime

from services.issuance.domain.visit import Visit
from shared.errors import Conflict, FieldError, Text, Unprocessable


class MomentAhead(Unprocessable):
    """Something is told that has not happened yet."""

    slug = "moment-ahead"
    title = Text("This moment has not come yet", "未来の時刻は登録できません")
    remedy = Text(
        "Send the moment at which it happened, in business time.",
        "実際に行われた時刻を送信してください。",
    )


class OutOfOrder(Conflict):
    """A visit is told of backwards; ``not_before`` is its last moment that is known."""

    slug = "moment-out-of-order"
    title = Text(
        "This happened before what is known of the visit", "来庁の記録より前の時刻になっています"
    )
    remedy = Text(
        "Send the rows of a visit in the order in which they happened.",
        "同じ来庁の行は、行われた順に送信してください。",
    )


class VisitExists(Conflict):
    """Another visit bears this id."""

    slug = "visit-exists"
    title = Text("There is a visit with this id already", "この来庁番号はすでに使われています")
    remedy = Text(
        "Look whether it is the same visit; send a new id for another one.",
        "同じ来庁かどうか確認し、別の来庁には新しい番号を使ってください。",
    )


def require_past(field: str, moment: datetime, now: datetime) -> None:
    """Raise ``MomentAhead`` for what is still to come at ``now``."""
    if moment > now:
        raise MomentAhead(errors=[FieldError(field, MomentAhead.title, MomentAhead.remedy)])


def last_moment(visit: Visit) -> datetime:
    """The last that is known to have happened in ``visit``."""
    moments = [visit.checked_in_at, visit.called_at, visit.ended_at]
    for case in visit.cases:
        moments += [case.identified_at, case.pin_set_at, case.closed_at]
    return max(moment for moment in moments if moment is not None)


def require_after(visit: Visit, moment: datetime) -> None:
    """Raise ``OutOfOrder`` where ``moment`` lies before what is known of ``visit``."""
    last = last_moment(visit)
    if moment < last:
        raise OutOfOrder(extras={"not_before": last.isoformat()})

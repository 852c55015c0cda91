"""A case as this room knows it, and when it may be booked.

Booking opens with the notice; a card must lie at the site, or have time to get there, and nothing
may stand in the way: a hold, an end, a deadline. Source: the brief's card and reservation rules.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self

from services.reservation.domain.renewal import Opening, renewable_from
from services.reservation.domain.rules import Rules
from shared.contracts.base import Procedure
from shared.errors import Conflict, Text, Unprocessable
from shared.ids import CaseId, SiteId, WardCode


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What other rooms have told of a case; ``None`` and 0 where they have not yet."""

    case_id: CaseId
    procedure: Procedure = Procedure.CARD_ISSUANCE
    ward: WardCode | None = None
    notice_seq: int = 0
    pickup_deadline: date | None = None
    card_expires_on: date | None = None
    card_site_id: SiteId | None = None
    """Where the card lies, or where it is going."""
    card_there_on: date | None = None
    """By when it is there; none where it lies there already."""
    held: bool = False
    voided_at: datetime | None = None
    disposal_due_at: datetime | None = None
    done_at: datetime | None = None
    may_book_from: date | None = None
    """The first day on which the citizen may book again after not coming."""
    certificate_expires_on: date | None = None
    """Until when the certificates to be renewed are valid, where it is known."""

    @classmethod
    def opened(cls, opening: Opening) -> Self:
        """What is known of a case that comes into being with its booking."""
        return cls(
            case_id=opening.case_id,
            procedure=Procedure.CERTIFICATE_RENEWAL,
            ward=opening.ward,
            certificate_expires_on=opening.certificate_expires_on,
        )

    @property
    def notified(self) -> bool:
        """Whether the citizen has been invited."""
        return self.notice_seq > 0

    @property
    def invited(self) -> bool:
        """Whether booking has opened: with the notice, or at once where no card is awaited."""
        return self.notified or self.procedure is Procedure.CERTIFICATE_RENEWAL

    @property
    def ended(self) -> bool:
        """Whether nothing can be booked for this case any more."""
        return any((self.voided_at, self.disposal_due_at, self.done_at))


@dataclass(frozen=True, slots=True)
class Window:
    """The days on which a case may be served at a site, both included; none if last < first."""

    first: date
    last: date


class NotBookable(Conflict):
    """The case is not in a state in which it can be booked."""

    slug = "not-bookable"

    def __init__(self, case_id: CaseId) -> None:
        super().__init__(extras={"case_id": str(case_id)})


class NotInvitedYet(NotBookable):
    """No notice has been sent for this case."""

    slug = "not-invited-yet"
    title = Text("The notice has not been sent yet", "交付通知書がまだ発送されていません")
    remedy = Text(
        "Wait for the notice; booking opens when it is sent.",
        "交付通知書の発送後に予約できます。届くまでお待ちください。",
    )


class CaseHeld(NotBookable):
    """The card must wait until a hold is cleared."""

    slug = "case-held"
    title = Text("The card is being checked", "カードを確認中のため予約できません")
    remedy = Text(
        "Ask the ward office; booking opens again when the check is done.",
        "区役所へお問い合わせください。確認が終わると再び予約できます。",
    )


class CaseEnded(NotBookable):
    """The procedure is done, or the card is no longer handed over."""

    slug = "case-ended"
    title = Text("This procedure has ended", "この手続は終了しています")
    remedy = Text(
        "Ask the ward office if this is unexpected.",
        "お心当たりがない場合は区役所へお問い合わせください。",
    )


class TooSoonAfterMiss(NotBookable):
    """Whoever did not come may book again from the next day on."""

    slug = "too-soon-after-miss"
    title = Text("Not bookable again today", "本日は再予約できません")
    remedy = Text("Book again from tomorrow on.", "翌日以降にもう一度予約してください。")


class OutsideWindow(Unprocessable):
    """The visit lies on a day on which it cannot be; ``bookable_from`` and ``until`` say which."""

    slug = "outside-window"
    title = Text("This day cannot be booked", "この日は予約できません")
    remedy = Text(
        "Choose a day from bookable_from to bookable_until.",
        "bookable_from から bookable_until までの日を選んでください。",
    )

    def __init__(self, case_id: CaseId, window: Window, detail: Text) -> None:
        super().__init__(
            detail,
            extras={
                "case_id": str(case_id),
                "bookable_from": window.first.isoformat(),
                "bookable_until": window.last.isoformat(),
            },
        )


def check_bookable(case: CaseFacts, today: date) -> None:
    """Raise a ``NotBookable`` unless the case may be booked today for some day."""
    if case.ended:
        raise CaseEnded(case.case_id)
    if not case.invited:
        raise NotInvitedYet(case.case_id)
    if case.held:
        raise CaseHeld(case.case_id)
    if case.may_book_from is not None and today < case.may_book_from:
        raise TooSoonAfterMiss(case.case_id)


def urgent(case: CaseFacts, today: date, rules: Rules) -> bool:
    """Whether the case cannot wait: its card, or its certificates, can be had for few days more.

    What has ended already cannot be in time. Source: the brief's out-of-reservation issuance for
    cards about to expire.
    """
    ends = (case.pickup_deadline, case.card_expires_on, case.certificate_expires_on)
    soonest = min((day for day in ends if day is not None and day >= today), default=None)
    return soonest is not None and soonest <= today + timedelta(days=rules.urgent_days)


def window(
    case: CaseFacts, site_id: SiteId | None, today: date, rules: Rules, *, by_staff: bool = False
) -> Window:
    """The days on which ``case`` may be served at ``site_id``, booking today; the site counts only
    for a card.

    Staff may book an urgent case for the same day.
    """
    at_once = by_staff and urgent(case, today, rules)
    first = today if at_once else rules.calendar.next_business_day(today)
    if case.card_site_id is not None:
        there = case.card_there_on or today
        if case.card_site_id != site_id:
            start = max(today, there)
            there = rules.calendar.add_business_days(start, rules.transfer_business_days)
        first = max(first, there)
    if case.certificate_expires_on is not None:
        first = max(first, renewable_from(case.certificate_expires_on))
    ends = (rules.last_day(today), case.pickup_deadline, case.card_expires_on)
    return Window(first, min(day for day in ends if day is not None))


def check_day(case: CaseFacts, day: date, within: Window) -> None:
    """Raise ``OutsideWindow`` unless ``day`` lies in the window."""
    if day < within.first:
        raise OutsideWindow(
            case.case_id,
            within,
            Text(
                "The card cannot be handed over that early.",
                "この日にはまだカードをお渡しできません。",
            ),
        )
    if day > within.last:
        raise OutsideWindow(
            case.case_id,
            within,
            Text(
                "This lies beyond the days open for booking or the card's pickup deadline.",
                "予約受付期間またはカードの受取期限を過ぎています。",
            ),
        )


def bookable_from(case: CaseFacts, today: date, rules: Rules) -> date | None:
    """The first day of a visit where the card lies, or anywhere for certificates; none where the
    case cannot be booked.
    """
    if case.ended or not case.invited or case.held:
        return None
    if case.card_site_id is None and case.procedure is Procedure.CARD_ISSUANCE:
        return None
    booked_on = max(today, case.may_book_from or today)
    days = window(case, case.card_site_id, booked_on, rules)
    return days.first if days.first <= days.last else None

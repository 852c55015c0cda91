"""A booking: one case, one seat, from its confirmation to one of three ends.

Invariant (kept by the database): at most one active booking per case, and no cell holds more
bookings than its capacity.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.reservation.domain.rules import Rules
from shared.calendar import business_date
from shared.contracts.base import Procedure
from shared.contracts.reservation import CancelReason
from shared.errors import Conflict, FieldError, NotFound, Text, Unprocessable
from shared.ids import BookingId, CaseId, PartyId, SiteId


class BookingState(StrEnum):
    """Where a booking stands. All but ``cancelled`` keep their seat."""

    ACTIVE = "active"
    CANCELLED = "cancelled"
    MISSED = "missed"
    FULFILLED = "fulfilled"


@dataclass(frozen=True, slots=True)
class Booking:
    """One case's seat. ``version`` counts its changes."""

    booking_id: BookingId
    case_id: CaseId
    party_id: PartyId
    site_id: SiteId
    starts_at: datetime
    minutes: int
    procedure: Procedure
    card_site_id: SiteId | None
    state: BookingState
    reason: CancelReason | None
    version: int


class NoSuchBooking(NotFound):
    """No booking has this id."""

    slug = "no-such-booking"
    title = Text("There is no such booking", "この予約はありません")


class PartyRefused(Unprocessable):
    """The party is too large, or names a case twice."""

    slug = "party-refused"
    title = Text("This party cannot be booked", "この組み合わせでは予約できません")


class SiteDoesNotAccept(Unprocessable):
    """The site does not serve this ward with this procedure on that day."""

    slug = "site-does-not-accept"
    title = Text("This site does not serve this case", "この窓口ではお手続きできません")
    remedy = Text(
        "Choose a site and day from GET /v1/availability for the case's ward and procedure.",
        "お住まいの区と手続に合う窓口と日を GET /v1/availability から選んでください。",
    )

    def __init__(self, case_id: CaseId) -> None:
        super().__init__(extras={"case_id": str(case_id)})


class NoSuchSlot(Unprocessable):
    """The time does not lie on the site's calendar."""

    slug = "no-such-slot"
    title = Text("The site is not open at this time", "この時刻には受付がありません")
    remedy = Text(
        "Choose a starts_at from GET /v1/availability.",
        "GET /v1/availability の starts_at から選んでください。",
    )


class SlotTaken(Conflict):
    """Somebody else has taken the last seat."""

    slug = "slot-taken"
    title = Text("No seat is left at this time", "この時刻は満席になりました")
    remedy = Text(
        "Read GET /v1/availability again and choose another time.",
        "GET /v1/availability をもう一度確認し、別の時刻を選んでください。",
    )


class AlreadyBooked(Conflict):
    """The case has an active booking."""

    slug = "already-booked"
    title = Text("There is a booking already", "すでに予約があります")
    remedy = Text(
        "Keep that booking, or cancel it before making another.",
        "現在の予約をそのまま使うか、取り消してから予約し直してください。",
    )


class CaseBusy(Conflict):
    """The case is being changed at this moment."""

    slug = "case-busy"
    title = Text("This case is being changed just now", "この手続は現在更新中です")
    remedy = Text(
        "Wait a second and send the request again.", "1秒ほど待ってもう一度送信してください。"
    )

    @property
    def headers(self) -> dict[str, str]:
        """When to come back, in seconds."""
        return {"Retry-After": "1"}


class ChangeTooLate(Conflict):
    """Citizens change or cancel until the day before."""

    slug = "change-too-late"
    title = Text("It is too late to cancel here", "取消しの期限を過ぎています")
    remedy = Text(
        "Call the site; its staff can cancel until the visit begins.",
        "窓口へお電話ください。来庁時刻までは職員が取り消せます。",
    )

    def __init__(self, until: datetime) -> None:
        super().__init__(extras={"changeable_until": until.isoformat()})


class BookingEnded(Conflict):
    """A booking that was kept or missed cannot be cancelled."""

    slug = "booking-ended"
    title = Text("This booking has ended", "この予約は終了しています")
    remedy = Text("Make a new booking if one is needed.", "必要な場合は新しく予約してください。")


def check_party(case_ids: Sequence[CaseId], rules: Rules) -> None:
    """Raise ``PartyRefused`` unless the cases are distinct and few enough."""
    if len(set(case_ids)) < len(case_ids):
        message = Text("Names a case twice.", "同じ案件が重複しています。")
        remedy = Text("Name each case once.", "案件は1回だけ指定してください。")
        raise PartyRefused(errors=[FieldError("case_ids", message, remedy)])
    if len(case_ids) > rules.party_limit:
        message = Text(
            f"At most {rules.party_limit} cases come together.",
            f"1回の来庁は{rules.party_limit}件までです。",
        )
        remedy = Text("Make a second booking for the others.", "残りは別の予約にしてください。")
        raise PartyRefused(errors=[FieldError("case_ids", message, remedy)])


def is_over(booking: Booking, now: datetime) -> bool:
    """Whether the day of the visit has passed."""
    return business_date(booking.starts_at) < business_date(now)


def check_cancellable(booking: Booking, *, by_staff: bool, now: datetime, rules: Rules) -> None:
    """Raise ``BookingEnded`` or ``ChangeTooLate`` unless an active booking may be cancelled.

    From the day after the visit it may be, and is then missed and not cancelled: no site has said
    who came, and the citizen may book again the next day (the brief's reservation rules).
    """
    if booking.state is BookingState.ACTIVE and is_over(booking, now):
        return
    if booking.state is not BookingState.ACTIVE or (by_staff and now >= booking.starts_at):
        raise BookingEnded
    until = rules.change_deadline(business_date(booking.starts_at))
    if not by_staff and now >= until:
        raise ChangeTooLate(until)

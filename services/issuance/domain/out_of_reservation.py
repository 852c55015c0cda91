"""Who may collect a card without a booking (予約外交付): whoever would get it too late with one.

Source: the city's plan; wards hand over without a booking where something is about to expire. What
counts as soon is a setting of the city.
"""

from datetime import date, timedelta

from services.issuance.domain.case_file import CaseFile
from shared.errors import Conflict, Text


class BookingNeeded(Conflict):
    """Nothing about this card expires soon."""

    slug = "booking-needed"
    title = Text("This card is handed over by booking", "このカードの受取りには予約が必要です")
    remedy = Text(
        "Book a day with the citizen; without a booking only what expires by expires_by is"
        " handed over.",
        "予約を案内してください。"
        "予約なしで交付できるのは expires_by までに期限を迎える場合のみです。",
    )


def expires_soon(file: CaseFile, today: date, days: int) -> bool:
    """Whether the old card, the time to collect or the card itself ends within ``days``.

    An old card that has expired already counts: its holder has none that is valid.
    """
    ends = (file.old_card_expires_on, file.pickup_deadline, file.card_expires_on)
    return any(end is not None and end <= today + timedelta(days=days) for end in ends)


def require_soon(file: CaseFile, today: date, days: int) -> None:
    """Raise ``BookingNeeded`` unless ``expires_soon``."""
    if not expires_soon(file, today, days):
        limit = today + timedelta(days=days)
        raise BookingNeeded(extras={"expires_by": limit.isoformat()})

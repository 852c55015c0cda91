"""What becomes due by the clock in this room: a table, like the one of events.

Each entry is ``Due(name, work)``; what a work needs besides its unit it is given here.
"""

from collections.abc import Sequence

from services.reservation.citizen_settings import CitizenSettings
from services.reservation.handlers import daily, email_sessions
from shared.due import Due
from shared.room import Resources


def works(_: Resources) -> Sequence[Due]:
    """The due work of this room, in the order in which it is looked at.

    Raises ``ValueError`` naming a setting that cannot be used.
    """
    citizens = CitizenSettings()
    return (
        Due("reminders", daily.reminders(citizens.reminder_at)),
        Due("contact retention", daily.retention(citizens.contact_days)),
        Due("login requests", email_sessions.forget_old),
        Due("counters of tries", daily.counters()),
    )

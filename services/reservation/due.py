"""What becomes due by the clock in this room: a table, like the one of events.

Each entry is ``Due(name, work)``; what a work needs besides its unit it is given here.
"""

from collections.abc import Sequence
from datetime import time

from services.reservation.citizen_settings import CitizenSettings
from services.reservation.handlers import (
    board,
    capacity,
    closing,
    daily,
    email_sessions,
    fresh_seats,
    holds,
    offers,
    site_life,
    standing,
    suspensions,
    unsigned,
)
from services.reservation.settings import ReservationSettings
from shared.calendar import BusinessCalendar
from shared.due import Due
from shared.room import Resources


def works(resources: Resources) -> Sequence[Due]:
    """The due work of this room, in the order in which it is looked at.

    Raises ``ValueError`` naming a setting that cannot be used.
    """
    citizens = CitizenSettings()
    settings = ReservationSettings()
    rules = settings.rules(BusinessCalendar())
    stuck = resources.metrics.due_failures.labels("closures").inc
    return (
        Due("offers that lapse", offers.lapse),
        Due("fresh seats", fresh_seats.opened(rules)),
        Due("offers to the waiting list", offers.work(rules)),
        Due("ended holds", holds.tidy),
        Due("changes of seats", board.tidy),
        Due("ends of suspensions", suspensions.ends(rules)),
        Due("ends of days", site_life.day_ends(rules)),
        Due("ends of periods", site_life.periods(rules)),
        Due("bookings that stand", standing.telling(rules)),
        Due("free seats", daily.once_a_day("free seats", time(0, 30), capacity.telling(rules))),
        Due("closures", closing.work(rules, stuck)),
        Due("ended places of the waiting list", daily.once_a_day("waitlist", time(1), offers.end)),
        Due("visits that were signed off", unsigned.settle),
        Due(
            "visits without sign-off",
            daily.once_a_day(
                "visits without sign-off", time(6), unsigned.listing(settings.unsigned_days)
            ),
        ),
        Due("reminders", daily.reminders(citizens.reminder_at)),
        Due("abandoned renewals", daily.abandoned_renewals(citizens.contact_days)),
        Due("contact retention", daily.retention(citizens.contact_days)),
        Due("login requests", email_sessions.forget_old),
        Due("counters of tries", daily.counters()),
    )

"""What becomes due by the clock in this room: a table, like the one of events.

Each entry is ``Due(name, work)``; what a work needs besides its unit it is given here.
"""

from collections.abc import Sequence

from services.preparation.gauges import watch
from services.preparation.handlers import (
    assignments,
    disposals,
    manifests,
    needs,
    pace,
    registry,
    uploads,
)
from services.preparation.settings import PreparationSettings
from services.preparation.tools import Tools
from shared.calendar import BusinessCalendar
from shared.due import Due
from shared.room import Resources


def works(resources: Resources) -> Sequence[Due]:
    """The due work of this room, in the order in which it is looked at.

    Raises ``ValueError`` naming a setting that cannot be used.
    """
    settings, calendar = PreparationSettings(), BusinessCalendar()
    tools = Tools.read(resources.settings, resources.doors, settings)
    return (
        Due("slices of long files", uploads.work(tools)),
        Due("registry changes whose cards have come", registry.work(settings.hold_review_days)),
        Due("lots that have not come", manifests.overdue(calendar, settings.lot_business_days)),
        Due("forgotten assignments", assignments.expire),
        Due("cards due for disposal", disposals.become_due),
        Due("notices by pace", pace.daily(tools, settings.notices_at)),
        Due("late batches", needs.late_batches),
        Due("figures", watch(resources.metrics)),
        Due("cards not in time", needs.failures(calendar, settings.transfer_check_at)),
    )

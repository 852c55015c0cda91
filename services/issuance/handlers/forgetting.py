"""What is kept for a time only: once a day, what is older is forgotten, in batches.

Nothing is marked as done in the database: a day's work done twice finds nothing the second time.
"""

from datetime import date, timedelta

from services.issuance.store import proxy_reasons
from shared.calendar import business_date
from shared.due import DueWork
from shared.unit import Unit

BATCH = 500


def proxy_reasons_of(kept: timedelta) -> DueWork:
    """Forget why proxies came, ``kept`` after it was noted."""
    looked_at: date | None = None

    async def work(unit: Unit) -> int:
        nonlocal looked_at
        today = business_date(unit.now)
        if looked_at == today:
            return 0
        done = await proxy_reasons.forget(unit.conn, unit.now - kept, BATCH)
        if done:
            unit.audit("proxy.forget_reasons", subject="issuance", count=str(done))
        else:
            looked_at = today
        return done

    return work

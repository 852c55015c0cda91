"""At a satellite every act is written into the journal in the transaction of its effect.

The journal is made from what was audited: an act that leaves no entry would leave no trace at all,
and one that the journal does not know is refused rather than lost. Nothing is published from here;
headquarters say it when they work the journal.
"""

from services.issuance.domain.satellite import NotLeased
from services.issuance.handlers.journal_rows import rows_of
from services.issuance.store import journal
from shared.unit import Unit, Units


class JournalUnit(Unit):
    """A unit whose acts are told to headquarters later."""

    async def flush(self) -> None:
        """Write the journal and the audit. Raises ``NotLeased`` where an act has no lease."""
        rows = await rows_of(self)
        if rows:
            lease = await journal.valid_lease(self.conn)
            if lease is None:
                raise NotLeased
            await journal.write(self.conn, lease, self.now, self.principal.subject, rows)
        self._events.clear()
        await super().flush()


class JournalUnits(Units):
    """Begins the units of a satellite."""

    unit_type = JournalUnit

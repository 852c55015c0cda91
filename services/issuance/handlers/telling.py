"""A satellite tells its journal: take the next entries, tell them, note that they are there.

Nothing is noted before headquarters have it, and they know each entry by its number: cut off
anywhere, telling it again changes nothing. Beside it, new versions of the checklist are taken over.
"""

import logging
from time import monotonic

from services.issuance.domain.conflict import Entry, set_aside
from services.issuance.gateways import (
    Headquarters,
    HeadquartersError,
    LeaseRefusedError,
    NotUnderstoodError,
)
from services.issuance.store import checklists, journal
from shared.ids import SiteId
from shared.security.principal import Principal
from shared.unit import Units

MOST = 200
LOOK_SECONDS = 60.0
"""A version of the checklist begins on the day after its publication at the earliest."""
log = logging.getLogger(__name__)


class Teller:
    """Tells the journal of one satellite."""

    def __init__(self, units: Units, site_id: SiteId, headquarters: Headquarters) -> None:
        self._units = units
        self._site_id = site_id
        self._headquarters = headquarters
        self._look_at = monotonic()
        self._fewer: int | None = None
        self._principal = Principal.system("issuance")

    async def round(self) -> int:
        """Ask for the lease and tell the next entries; how many headquarters have taken.

        Raises ``HeadquartersError`` while they cannot be reached.
        """
        try:
            await self._lease()
            await self._take_over_checklists()
            taken = await self._tell()
        except HeadquartersError as error:
            async with self._units.begin(self._principal) as unit:
                await journal.failed(unit.conn, unit.now, str(error))
            raise
        async with self._units.begin(self._principal) as unit:
            await journal.went_well(unit.conn)
        return taken

    async def _lease(self) -> None:
        async with self._units.begin(self._principal) as unit:
            here = await journal.belong(unit.conn, self._site_id)
        try:
            lease = await self._headquarters.lease(self._site_id, here.holder)
        except LeaseRefusedError as error:
            await self._note(None, str(error))
        else:
            if not here.is_valid or here.lease != lease:
                await self._note(lease, None)

    async def _tell(self) -> int:
        async with self._units.begin(self._principal) as unit:
            lease, entries = await journal.untold(unit.conn, self._fewer or MOST)
        if not entries:
            return 0
        try:
            told = await self._headquarters.tell(self._site_id, lease, entries)
        except NotUnderstoodError as error:
            if len(entries) > 1:
                # Fewer and fewer, until the one that cannot be read stands alone.
                self._fewer = len(entries) // 2
                return await self._tell()
            told = await self._set_aside(lease, entries[0], error)
        self._fewer = None
        async with self._units.begin(self._principal) as unit:
            await journal.told(unit.conn, told, unit.now)
            waiting = (await journal.progress(unit.conn)).waiting
        log.info("told %d entries of the journal, %d wait", len(told), waiting)
        if len(told) < len(entries):
            raise HeadquartersError(f"entry {entries[len(told)].number} was refused")
        return len(told)

    async def _set_aside(self, lease: int, entry: Entry, why: NotUnderstoodError) -> list[int]:
        """Tell an entry as what cannot be read: it waits there for a supervisor, and no other does.

        Raises ``HeadquartersError`` where they do not take it even so.
        """
        log.warning("entry %d is set aside: %s", entry.number, why)
        try:
            return await self._headquarters.tell(self._site_id, lease, [set_aside(entry)])
        except NotUnderstoodError as error:
            raise HeadquartersError(f"{error} (entry {entry.number})") from None

    async def _take_over_checklists(self) -> None:
        """Whatever keeps them from being read here must not keep the journal waiting."""
        if monotonic() < self._look_at:
            return
        self._look_at = monotonic() + LOOK_SECONDS
        try:
            while await self._take_over_next():
                log.info("took over a version of the checklist")
        except HeadquartersError as error:
            log.warning("versions of the checklist wait: %s", error)

    async def _take_over_next(self) -> bool:
        async with self._units.begin(self._principal) as unit:
            version = await checklists.newest(unit.conn) + 1
        found = await self._headquarters.checklist(version)
        if found is None:
            return False
        async with self._units.begin(self._principal) as unit:
            is_new = await checklists.copy(unit.conn, found)
            if is_new:
                unit.audit("checklist.take_over", subject=str(found.version))
        return is_new

    async def _note(self, lease: int | None, said: str | None) -> None:
        async with self._units.begin(self._principal) as unit:
            await journal.told_lease(unit.conn, lease, unit.now, said)

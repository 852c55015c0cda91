"""A satellite tells its journal: take the next entries, tell them, note that they are there.

Nothing is noted before headquarters have it, and they know each entry by its number: cut off
anywhere, telling it again changes nothing.
"""

import logging

from services.issuance.gateways import Headquarters, HeadquartersError, LeaseRefusedError
from services.issuance.store import journal
from shared.ids import SiteId
from shared.security.principal import Principal
from shared.unit import Units

MOST = 200
log = logging.getLogger(__name__)


class Teller:
    """Tells the journal of one satellite."""

    def __init__(self, units: Units, site_id: SiteId, headquarters: Headquarters) -> None:
        self._units = units
        self._site_id = site_id
        self._headquarters = headquarters
        self._principal = Principal.system("issuance")

    async def round(self) -> int:
        """Ask for the lease and tell the next entries; how many headquarters have taken.

        Raises ``HeadquartersError`` while they cannot be reached.
        """
        try:
            await self._lease()
            return await self._tell()
        except HeadquartersError as error:
            async with self._units.begin(self._principal) as unit:
                await journal.failed(unit.conn, unit.now, str(error))
            raise

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
            lease, entries = await journal.untold(unit.conn, MOST)
        if not entries:
            return 0
        told = await self._headquarters.tell(self._site_id, lease, entries)
        async with self._units.begin(self._principal) as unit:
            await journal.told(unit.conn, told, unit.now)
            waiting = (await journal.progress(unit.conn)).waiting
        log.info("told %d entries of the journal, %d wait", len(told), waiting)
        if len(told) < len(entries):
            raise HeadquartersError("entries were refused")
        return len(told)

    async def _note(self, lease: int | None, said: str | None) -> None:
        async with self._units.begin(self._principal) as unit:
            await journal.told_lease(unit.conn, lease, unit.now, said)

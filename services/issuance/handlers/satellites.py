"""Satellites at headquarters: set up, given their lease, taken back.

While one is away nothing is handed over at its site here: whoever does so holds the satellite's
row shared to the end of the unit, and the lease takes it alone.
"""

from collections.abc import Sequence
from uuid import UUID

from services.issuance.domain.satellite import (
    AtSatellite,
    Satellite,
    SatelliteState,
    SatelliteUnknown,
    SiteAway,
    leased,
)
from services.issuance.store import satellites
from shared.ids import SiteId
from shared.unit import Unit


async def set_up(unit: Unit, site_id: SiteId) -> Satellite:
    """Let the satellite of a site take a lease; one that is away stays so."""
    await satellites.set_up(unit.conn, site_id, unit.now, unit.principal.subject)
    unit.audit("satellite.set_up", subject=site_id, site_id=site_id)
    return await locked(unit, site_id)


async def lease(unit: Unit, site_id: SiteId, holder: UUID) -> Satellite:
    """Give the satellite its lease; asking again gives the same.

    Raises ``SatelliteUnknown`` and ``LeaseRefused``.
    """
    if leased(await locked(unit, site_id), holder):
        await _become(unit, site_id, SatelliteState.AWAY, holder)
    return await locked(unit, site_id)


async def take_back(unit: Unit, site_id: SiteId) -> Satellite:
    """Let headquarters serve the site again; what its journal tells later is worked all the same.

    Raises ``SatelliteUnknown``.
    """
    if (await locked(unit, site_id)).state is not SatelliteState.BACK:
        await _become(unit, site_id, SatelliteState.BACK, None)
    return await locked(unit, site_id)


async def listed(unit: Unit, after: str, limit: int) -> Sequence[Satellite]:
    """The satellites of the caller's sites after the one at ``after``."""
    return await satellites.page(unit.conn, unit.principal.sites, after, limit)


async def require_here(unit: Unit, site_id: SiteId) -> None:
    """Raise ``SiteAway`` while the satellite of the site serves by itself, unless it tells so."""
    if isinstance(unit.principal, AtSatellite):
        return
    if await satellites.away(unit.conn, [site_id]):
        raise SiteAway


def is_decided(unit: Unit) -> bool:
    """Whether a supervisor has decided that what is told be recorded as it happened."""
    return isinstance(unit.principal, AtSatellite) and unit.principal.is_decided


async def locked(unit: Unit, site_id: SiteId) -> Satellite:
    """The satellite of a site, locked. Raises ``SatelliteUnknown``."""
    found = await satellites.lock(unit.conn, site_id)
    if found is None:
        raise SatelliteUnknown
    return found


async def _become(unit: Unit, site_id: SiteId, state: SatelliteState, holder: UUID | None) -> None:
    by = unit.principal.subject
    await satellites.become(unit.conn, site_id, state, holder=holder, at=unit.now, by=by)
    unit.audit(f"satellite.{state}", subject=site_id, site_id=site_id)

"""Take manifests, compare them with what came, and let people work off what differs."""

from collections.abc import Callable, Collection, Mapping, Sequence
from uuid import UUID

from services.preparation.domain.manifests import (
    Discrepancy,
    DiscrepancyClosed,
    DiscrepancyState,
    DiscrepancyUnknown,
    Manifest,
    Resolution,
)
from services.preparation.store import manifests
from shared.ids import LotId, new_id
from shared.unit import Unit

VersionCheck = Callable[[int], None]
"""Raises where the caller has not seen this version."""


async def take(unit: Unit, told: Sequence[Manifest]) -> Mapping[LotId, bool]:
    """Keep manifests; by lot whether that changed anything."""
    changed = await manifests.keep(unit.conn, told, unit.now)
    for lot_id in (lot for lot, new in changed.items() if new):
        unit.audit("manifest.import", subject=lot_id)
    await compare(unit, list(changed))
    return changed


async def compare(unit: Unit, lots: Collection[LotId]) -> None:
    """Count the cards of these lots against their manifests. Call it after cards were written."""
    wanted = {lot_id: new_id() for lot_id in sorted(lots)}
    for one in await manifests.compare(unit.conn, wanted, unit.now):
        unit.audit(
            "discrepancy.count",
            subject=str(one.discrepancy_id),
            lot_id=one.lot_id,
            expected=one.expected,
            found=one.found,
        )


async def work(unit: Unit, discrepancy_id: UUID, check: VersionCheck) -> Discrepancy:
    """Take a discrepancy on. Raises ``DiscrepancyUnknown`` and ``DiscrepancyClosed``."""
    await _open(unit, discrepancy_id, check)
    unit.audit("discrepancy.work", subject=str(discrepancy_id))
    return await manifests.work(unit.conn, discrepancy_id, unit.principal.subject)


async def close(
    unit: Unit, discrepancy_id: UUID, resolution: Resolution, check: VersionCheck
) -> Discrepancy:
    """Close a discrepancy. Raises ``DiscrepancyUnknown`` and ``DiscrepancyClosed``."""
    await _open(unit, discrepancy_id, check)
    unit.audit("discrepancy.close", subject=str(discrepancy_id), resolution=resolution)
    return await manifests.close(
        unit.conn, discrepancy_id, resolution, unit.principal.subject, unit.now
    )


async def find(unit: Unit, discrepancy_id: UUID) -> Discrepancy:
    """One discrepancy. Raises ``DiscrepancyUnknown``."""
    found = await manifests.find(unit.conn, discrepancy_id)
    if found is None:
        raise DiscrepancyUnknown
    return found


async def listed(
    unit: Unit,
    states: Collection[DiscrepancyState],
    lot_id: LotId | None,
    before: UUID | None,
    limit: int,
) -> list[Discrepancy]:
    """Discrepancies, the newest first."""
    return await manifests.listed(unit.conn, states, lot_id, before, limit)


async def _open(unit: Unit, discrepancy_id: UUID, check: VersionCheck) -> None:
    found = await find(unit, discrepancy_id)
    check(found.version)
    if found.state is DiscrepancyState.CLOSED:
        raise DiscrepancyClosed

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
from services.preparation.store import daily, manifests
from shared.calendar import BusinessCalendar, business_date
from shared.due import DueWork
from shared.ids import LotId, new_id
from shared.unit import Unit

_BATCH = 100
_MARK = "lots overdue"

VersionCheck = Callable[[int], None]
"""Raises where the caller has not seen this version."""


async def take(unit: Unit, told: Sequence[Manifest]) -> Mapping[LotId, bool]:
    """Keep manifests; by lot whether that changed anything."""
    changed = await manifests.keep(unit.conn, told, unit.now)
    for lot_id in (lot for lot, new in changed.items() if new):
        unit.audit("manifest.import", subject=lot_id)
    await compare(unit, list(changed))
    return changed


async def compare(unit: Unit, lots: Collection[LotId], *, overdue: bool = False) -> None:
    """Count the cards of these lots against their manifests. Call it after cards were written.

    A lot of which nothing has come counts only where it is ``overdue``.
    """
    wanted = {lot_id: new_id() for lot_id in sorted(lots)}
    for one in await manifests.compare(unit.conn, wanted, unit.now, overdue=overdue):
        unit.audit(
            "discrepancy.count",
            subject=str(one.discrepancy_id),
            lot_id=one.lot_id,
            expected=one.expected,
            found=one.found,
        )


def overdue(calendar: BusinessCalendar, days: int) -> DueWork:
    """Due once a day: lots of which nothing has come ``days`` business days after the shipment."""

    async def open_overdue(unit: Unit) -> int:
        today = business_date(unit.now)
        if await daily.is_done(unit.conn, _MARK, today):
            return 0
        shipped_until = calendar.add_business_days(today, -days)
        lots = await manifests.overdue(unit.conn, shipped_until, _BATCH)
        await compare(unit, lots, overdue=True)
        if not lots:
            await daily.mark(unit.conn, _MARK, today)
        return len(lots)

    return open_overdue


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

"""Send cards to other sites in sealed batches and take them in again, one line per card."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.preparation.domain.refusals import DONE, Verdict
from services.preparation.domain.shelves import SHELF_FULL, ShelfRef
from services.preparation.domain.transfers import (
    NOT_IN_BATCH,
    Cause,
    NoSuchSite,
    NotItsSite,
    SameSite,
    SealBroken,
    TransferUnknown,
    due_on,
    seal,
    sendable,
)
from services.preparation.handlers.selection import CardResult, Selection, locked, results
from services.preparation.store import needs, shelves, sites, transfers, visits
from services.preparation.store.transfers import Line, NewTransfer, Transfer
from services.preparation.tools import Tools
from shared.calendar import business_date
from shared.contracts.preparation import (
    CardArrived,
    CardDispatched,
    CardShelved,
    CardTransferFailed,
    TransferFailure,
)
from shared.ids import BatchId, CaseId, SiteId, new_id
from shared.unit import Unit

MOST = 100_000
"""Cards of a site that are looked at for why they leave."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch, or None where no card could travel; and what each card was told."""

    transfer: Transfer | None
    results: list[CardResult]


@dataclass(frozen=True, slots=True)
class TakenIn:
    """A batch after it was opened, what each card was told, and which are missing since now."""

    transfer: Transfer
    results: list[CardResult]
    missing: list[CaseId]


async def send(
    unit: Unit,
    tools: Tools,
    selection: Selection,
    from_site_id: SiteId,
    to_site_id: SiteId,
) -> Sent:
    """Seal the cards that lie at a site into one batch to another; all of it leaves now.

    Raises ``SameSite``, ``NoSuchSite`` and ``LotUnknown``.
    """
    if from_site_id == to_site_id:
        raise SameSite
    if not await sites.may_receive(unit.conn, to_site_id):
        raise NoSuchSite
    found = await locked(unit.conn, selection)
    served = await visits.at_counter(unit.conn, list(found), unit.now)
    verdicts = {
        case_id: sendable(card.site_id, from_site_id, at_counter=case_id in served)
        for case_id, card in found.items()
    }
    ready = [case_id for case_id, verdict in verdicts.items() if verdict is DONE]
    if not ready:
        return Sent(None, results(selection, verdicts, found))
    batch = _sealed(unit, tools, from_site_id, to_site_id, ready)
    await transfers.dispatch(unit.conn, batch, await _causes(unit, batch, ready))
    for case_id in ready:
        _tell_dispatched(unit, case_id, batch)
    sent = await one_transfer(unit, batch.transfer_id)
    return Sent(sent, results(selection, verdicts, found))


async def take_in(
    unit: Unit,
    transfer_id: BatchId,
    selection: Selection,
    place: ShelfRef,
    seal_read: str,
    *,
    emptied: bool,
) -> TakenIn:
    """Lay the scanned cards of a batch on a shelf of the site it came to, or came back to.

    With ``emptied``, those that were not found by now are missing, and that is told. Raises
    ``TransferUnknown``, ``NotItsSite`` and ``SealBroken``.
    """
    batch = await one_transfer(unit, transfer_id)
    if place.site_id not in (batch.to_site_id, batch.from_site_id):
        raise NotItsSite
    if seal_read.strip().upper() != batch.seal:
        raise SealBroken
    if emptied:
        # What is missing is locked with what was scanned, in one order: two who open bags at the
        # same time would otherwise wait for each other.
        await transfers.lock_open(unit.conn, transfer_id, selection.case_ids, selection.references)
    verdicts = await _taken_in(unit, batch, selection, place)
    missing: list[CaseId] = []
    if emptied:
        missing = sorted(await transfers.emptied(unit.conn, transfer_id, unit.now))
        await _tell_missing(unit, batch, missing)
    return TakenIn(await one_transfer(unit, transfer_id), verdicts, missing)


async def one_transfer(unit: Unit, transfer_id: BatchId) -> Transfer:
    """A batch. Raises ``TransferUnknown``."""
    batch = await transfers.find(unit.conn, transfer_id)
    if batch is None:
        raise TransferUnknown
    return batch


async def list_transfers(
    unit: Unit, site_id: SiteId | None, *, only_open: bool, after: BatchId | None, limit: int
) -> Sequence[Transfer]:
    """Batches from or to a site."""
    return await transfers.listed(unit.conn, site_id, only_open=only_open, after=after, limit=limit)


async def manifest(
    unit: Unit, transfer_id: BatchId, after: tuple[str, CaseId] | None, limit: int
) -> Sequence[Line]:
    """The cards of a batch after one, audited for each. Raises ``TransferUnknown``."""
    await one_transfer(unit, transfer_id)
    found = await transfers.lines(unit.conn, transfer_id, after, limit)
    for line in found:
        unit.audit("card.list", subject=str(line.case_id), transfer_id=str(transfer_id))
    return found


async def _taken_in(
    unit: Unit, batch: Transfer, selection: Selection, place: ShelfRef
) -> list[CardResult]:
    found = await locked(unit.conn, selection)
    inside = await transfers.under_way(unit.conn, list(found))
    verdicts: dict[CaseId, Verdict] = {
        case_id: DONE if inside.get(case_id) == batch.transfer_id else NOT_IN_BATCH
        for case_id in found
    }
    ready = [case_id for case_id, verdict in verdicts.items() if verdict is DONE]
    if ready:
        taken = await shelves.take_places(unit.conn, place, len(ready))
        places = dict(zip(ready, taken, strict=False))
        await transfers.arrive(unit.conn, batch.transfer_id, places, place.site_id, unit.now)
        verdicts.update({case_id: SHELF_FULL for case_id in ready if case_id not in places})
        for case_id, position in places.items():
            _tell_arrived(unit, case_id, batch, place.site_id, position)
    return results(selection, verdicts, found)


async def _causes(unit: Unit, batch: NewTransfer, ready: Sequence[CaseId]) -> dict[CaseId, Cause]:
    listed = await needs.leaving(unit.conn, batch.from_site_id, unit.now, None, MOST)
    causes = {
        need.case_id: Cause.BOOKING if need.booked_site_id else Cause.WIND_DOWN
        for need in listed
        if need.booked_site_id in (None, batch.to_site_id)
    }
    return {case_id: causes.get(case_id, Cause.CHOSEN) for case_id in ready}


async def _tell_missing(unit: Unit, batch: Transfer, missing: Sequence[CaseId]) -> None:
    about = [str(batch.transfer_id)] * len(missing)
    reason = [TransferFailure.MISSING.value] * len(missing)
    for case_id in sorted(await needs.failed(unit.conn, missing, about, reason, unit.now)):
        unit.emit(
            CardTransferFailed(
                case_id=case_id,
                batch_id=batch.transfer_id,
                to_site_id=batch.to_site_id,
                reason=TransferFailure.MISSING,
            )
        )
        unit.audit(
            "card.missing",
            subject=str(case_id),
            site_id=batch.to_site_id,
            transfer_id=str(batch.transfer_id),
        )


def _sealed(
    unit: Unit, tools: Tools, from_site_id: SiteId, to_site_id: SiteId, cards: Sequence[CaseId]
) -> NewTransfer:
    transfer_id = BatchId(new_id())
    days = tools.settings.transfer_business_days
    return NewTransfer(
        transfer_id=transfer_id,
        from_site_id=from_site_id,
        to_site_id=to_site_id,
        sealed_at=unit.now,
        sealed_by=unit.principal.subject,
        seal=seal(transfer_id, to_site_id, cards),
        due_on=due_on(tools.calendar, business_date(unit.now), days),
    )


def _tell_dispatched(unit: Unit, case_id: CaseId, batch: NewTransfer) -> None:
    unit.emit(
        CardDispatched(
            case_id=case_id,
            batch_id=batch.transfer_id,
            from_site_id=batch.from_site_id,
            to_site_id=batch.to_site_id,
            due_on=batch.due_on,
        )
    )
    unit.audit(
        "card.dispatched",
        subject=str(case_id),
        site_id=batch.from_site_id,
        transfer_id=str(batch.transfer_id),
    )


def _tell_arrived(
    unit: Unit, case_id: CaseId, batch: Transfer, site_id: SiteId, position: str
) -> None:
    unit.emit(CardArrived(case_id=case_id, batch_id=batch.transfer_id, site_id=site_id))
    unit.emit(CardShelved(case_id=case_id, site_id=site_id, shelf_position=position))
    unit.audit(
        "card.arrived",
        subject=str(case_id),
        site_id=site_id,
        transfer_id=str(batch.transfer_id),
        shelf_position=position,
    )

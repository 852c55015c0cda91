"""Count a shelf by scanning it, and work what differs until book and shelf agree."""

from collections.abc import Sequence
from uuid import UUID

from services.preparation.domain.holds import hold as hold_for
from services.preparation.domain.holds import may_wait
from services.preparation.domain.refusals import DONE, CardRefused
from services.preparation.domain.shelves import SHELF_FULL, ShelfRef, shelf_of
from services.preparation.domain.stock_takes import (
    LYING,
    DifferenceResolved,
    NotLying,
    Resolution,
    StockTakeCounted,
    StockTakeRunning,
    StockTakeUnknown,
    require,
)
from services.preparation.handlers import holds
from services.preparation.handlers.shelves import one_shelf
from services.preparation.store import cards, shelves, stock_takes
from services.preparation.store.cards import Card
from services.preparation.store.stock_takes import Found, StockTake
from services.preparation.tools import Tools
from shared.calendar import business_date
from shared.contracts.preparation import CardShelved, HoldReason
from shared.ids import CaseId, new_id
from shared.unit import Unit


async def begin(unit: Unit, ref: ShelfRef) -> StockTake:
    """Begin to count a shelf. Raises ``ShelfUnknown`` and ``StockTakeRunning``."""
    await one_shelf(unit, ref)
    stock_take_id = new_id()
    by = unit.principal.subject
    if not await stock_takes.begin(unit.conn, stock_take_id, ref, unit.now, by):
        raise StockTakeRunning
    unit.audit("shelf.stock_take", subject=str(stock_take_id), site_id=ref.site_id, shelf=ref.shelf)
    return await one(unit, ref, stock_take_id)


async def one(unit: Unit, ref: ShelfRef, stock_take_id: UUID) -> StockTake:
    """A stock-take of a shelf. Raises ``StockTakeUnknown``."""
    found = await stock_takes.find(unit.conn, ref, stock_take_id)
    if found is None:
        raise StockTakeUnknown
    return found


async def listed(unit: Unit, ref: ShelfRef, after: UUID | None, limit: int) -> Sequence[StockTake]:
    """The stock-takes of a shelf, the newest first."""
    return await stock_takes.listed(unit.conn, ref, after, limit)


async def scan(
    unit: Unit, ref: ShelfRef, stock_take_id: UUID, references: Sequence[str]
) -> StockTake:
    """Keep what was scanned from the shelf; a card scanned twice counts once.

    Raises ``StockTakeUnknown`` and ``StockTakeCounted``.
    """
    await _uncounted(unit, ref, stock_take_id)
    await stock_takes.scan(unit.conn, stock_take_id, ref, references, unit.now)
    return await one(unit, ref, stock_take_id)


async def count(unit: Unit, ref: ShelfRef, stock_take_id: UUID) -> StockTake:
    """Compare; without a difference the stock-take ends. Raises what ``scan`` raises."""
    await _uncounted(unit, ref, stock_take_id)
    await stock_takes.count(unit.conn, stock_take_id, ref, unit.now)
    await stock_takes.close(unit.conn, stock_take_id, unit.now)
    return await one(unit, ref, stock_take_id)


async def differences(
    unit: Unit, ref: ShelfRef, stock_take_id: UUID, after: int, limit: int
) -> Sequence[Found]:
    """How shelf and book differ, after one, audited for each card. Raises ``StockTakeUnknown``."""
    await one(unit, ref, stock_take_id)
    found = await stock_takes.differences(unit.conn, stock_take_id, after, limit)
    for each in found:
        if each.case_id is not None:
            unit.audit("card.list", subject=str(each.case_id), site_id=ref.site_id)
    return found


async def resolve(
    unit: Unit,
    tools: Tools,
    ref: ShelfRef,
    which: tuple[UUID, int],
    resolution: Resolution,
) -> StockTake:
    """Work a difference of a stock-take; with the last one the stock-take ends.

    ``gone`` holds the card until it is found; ``moved_here`` makes the book follow the shelf.
    Raises ``StockTakeUnknown``, ``DifferenceResolved``, ``WrongResolution``, ``NotLying`` and
    ``CardRefused`` (the shelf is full).
    """
    stock_take_id, number = which
    await one(unit, ref, stock_take_id)
    found = await _difference(unit, stock_take_id, number)
    card = await _locked(unit, found.case_id)
    await stock_takes.lock(unit.conn, stock_take_id)
    if (await _difference(unit, stock_take_id, number)).resolution is not None:
        raise DifferenceResolved
    require(found.kind, resolution)
    if card is not None and resolution is Resolution.GONE:
        await _hold(unit, tools, card)
    if card is not None and resolution is Resolution.MOVED_HERE:
        await _move_here(unit, card, ref)
    by = unit.principal.subject
    await stock_takes.resolve(unit.conn, which, resolution, unit.now, by)
    await stock_takes.close(unit.conn, stock_take_id, unit.now)
    unit.audit(
        "stock_difference.resolved",
        subject=str(found.case_id or stock_take_id),
        site_id=ref.site_id,
        resolution=resolution,
    )
    return await one(unit, ref, stock_take_id)


async def _uncounted(unit: Unit, ref: ShelfRef, stock_take_id: UUID) -> None:
    await one(unit, ref, stock_take_id)
    await stock_takes.lock(unit.conn, stock_take_id)
    if (await one(unit, ref, stock_take_id)).counted_at is not None:
        raise StockTakeCounted


async def _difference(unit: Unit, stock_take_id: UUID, number: int) -> Found:
    for found in await stock_takes.differences(unit.conn, stock_take_id):
        if found.number == number:
            return found
    raise StockTakeUnknown


async def _locked(unit: Unit, case_id: CaseId | None) -> Card | None:
    if case_id is None:
        return None
    found = await cards.lock_cases(unit.conn, [case_id])
    return found[0] if found else None


async def _hold(unit: Unit, tools: Tools, card: Card) -> None:
    if may_wait(card.stage) is DONE:
        today, days = business_date(unit.now), tools.settings.hold_review_days
        wanted = hold_for(HoldReason.DISCREPANCY, None, today, days)
        await holds.place(unit, [(card.case_id, wanted)])


async def _move_here(unit: Unit, card: Card, ref: ShelfRef) -> None:
    if card.stage not in LYING:
        raise NotLying(card.stage)
    if card.site_id == ref.site_id and shelf_of(card.shelf_position or "") == ref.shelf:
        return
    taken = await shelves.take_places(unit.conn, ref, 1)
    if not taken:
        refusal = SHELF_FULL.refusal
        if refusal is None:
            raise RuntimeError("a full shelf refuses")
        raise CardRefused(refusal)
    await stock_takes.put(unit.conn, card.case_id, ref, taken[0])
    unit.emit(CardShelved(case_id=card.case_id, site_id=ref.site_id, shelf_position=taken[0]))
    unit.audit(
        "card.moved", subject=str(card.case_id), site_id=ref.site_id, shelf_position=taken[0]
    )

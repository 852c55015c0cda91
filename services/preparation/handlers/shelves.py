"""Shelves: made and limited by people, counted from the cards; cards move between their places."""

from collections.abc import Callable, Sequence

from services.preparation.domain.refusals import ALREADY, DONE, Verdict
from services.preparation.domain.shelves import (
    NOT_ON_A_SHELF,
    SHELF_FULL,
    CapacityTooSmall,
    ShelfRef,
    ShelfUnknown,
    SiteUnknown,
    shelf_of,
)
from services.preparation.handlers.selection import CardResult, Selection, locked, results
from services.preparation.store import shelves, sites
from services.preparation.store.cards import Card
from services.preparation.store.shelves import Lying, Shelf
from shared.contracts.preparation import CardShelved
from shared.ids import CaseId, SiteId
from shared.unit import Unit


async def list_shelves(
    unit: Unit, site_id: SiteId | None, after: ShelfRef | None, limit: int
) -> Sequence[Shelf]:
    """Shelves by site and name."""
    return await shelves.listed(unit.conn, site_id, after, limit)


async def one_shelf(unit: Unit, ref: ShelfRef) -> Shelf:
    """A shelf. Raises ``ShelfUnknown``."""
    shelf = await shelves.find(unit.conn, ref)
    if shelf is None:
        raise ShelfUnknown
    return shelf


async def set_up(
    unit: Unit, ref: ShelfRef, capacity: int | None, check: Callable[[int | None], None]
) -> Shelf:
    """Make a shelf, or say how many cards it takes.

    ``check`` gets the version that is changed, None for a new shelf, and raises where the caller
    has not seen it. Raises ``CapacityTooSmall``, and ``SiteUnknown`` for a new one.
    """
    before = await shelves.find(unit.conn, ref)
    if before is None and not await sites.may_receive(unit.conn, ref.site_id):
        raise SiteUnknown
    await shelves.lock(unit.conn, ref)
    locked_now = await one_shelf(unit, ref)
    check(locked_now.version if before else None)
    if capacity is not None and locked_now.cards > capacity:
        raise CapacityTooSmall(locked_now.cards)
    await shelves.set_capacity(unit.conn, ref, capacity)
    unit.audit("shelf.set_up", subject=f"{ref.site_id}/{ref.shelf}", site_id=ref.site_id)
    return await one_shelf(unit, ref)


async def cards_on(unit: Unit, ref: ShelfRef, after: str | None, limit: int) -> Sequence[Lying]:
    """What lies on a shelf, audited for each card. Raises ``ShelfUnknown``."""
    await one_shelf(unit, ref)
    found = await shelves.cards_on(unit.conn, ref, after, limit)
    for card in found:
        unit.audit("card.list", subject=str(card.case_id), site_id=ref.site_id)
    return found


async def move(unit: Unit, selection: Selection, ref: ShelfRef) -> list[CardResult]:
    """Lay cards of a site on another shelf of the same site. Raises ``LotUnknown``."""
    found = await locked(unit.conn, selection)
    verdicts = {case_id: _movable(card, ref) for case_id, card in found.items()}
    ready = [case_id for case_id, verdict in verdicts.items() if verdict is DONE]
    if ready:
        places = await lay_anew(unit, ref, ready)
        verdicts.update({case_id: SHELF_FULL for case_id in ready if case_id not in places})
    return results(selection, verdicts, found)


async def lay_anew(unit: Unit, ref: ShelfRef, case_ids: Sequence[CaseId]) -> dict[CaseId, str]:
    """Give locked cards of a site free positions on ``ref``, as far as it has any, and tell it."""
    taken = await shelves.take_places(unit.conn, ref, len(case_ids))
    places = dict(zip(case_ids, taken, strict=False))
    await shelves.relay(unit.conn, places, ref.site_id)
    for case_id, position in places.items():
        unit.emit(CardShelved(case_id=case_id, site_id=ref.site_id, shelf_position=position))
        unit.audit("card.moved", subject=str(case_id), site_id=ref.site_id, shelf_position=position)
    return places


def _movable(card: Card, ref: ShelfRef) -> Verdict:
    if card.site_id != ref.site_id or card.shelf_position is None:
        return NOT_ON_A_SHELF
    return ALREADY if shelf_of(card.shelf_position) == ref.shelf else DONE

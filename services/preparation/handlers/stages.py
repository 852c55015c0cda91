"""Take cards to the next stage, one or many: the same command, the same guard."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from services.preparation.domain.refusals import ALREADY, DONE, CardRefused, Verdict
from services.preparation.domain.shelves import (
    FIRST_SHELF,
    NO_DEFAULT_SHELF,
    SHELF_FULL,
    Homes,
    ShelfRef,
    SiteUnknown,
)
from services.preparation.domain.stages import Stage, previous, step
from services.preparation.handlers import assignments
from services.preparation.handlers.selection import (
    CardResult,
    CardUnknown,
    Selection,
    locked,
    results,
)
from services.preparation.store import cards, shelves, sites, stages
from services.preparation.store.cards import Card
from shared.contracts.preparation import (
    CardInspected,
    CardPreset,
    CardRegistryChecked,
    CardShelved,
    PreparationEvent,
)
from shared.ids import CaseId, SiteId
from shared.unit import Unit

VersionCheck = Callable[[int], None]
"""Raises where the caller has not seen this version of a card."""

TOLD: Final[Mapping[Stage, type[PreparationEvent]]] = MappingProxyType(
    {
        Stage.INSPECTED: CardInspected,
        Stage.REGISTRY_CHECKED: CardRegistryChecked,
        Stage.PRESET: CardPreset,
    }
)


async def advance(unit: Unit, selection: Selection, to: Stage) -> list[CardResult]:
    """Take the cards to ``to``: inspected, registry_checked or preset.

    Cards that are further stay; those not there yet are refused. Raises ``LotUnknown``.
    """
    found = await locked(unit.conn, selection)
    verdicts = await _judged(unit, found, to)
    moved = await stages.advance(unit.conn, _ready(verdicts), frm=previous(to), to=to, at=unit.now)
    for case_id in _settled(verdicts, moved):
        unit.emit(TOLD[to](case_id=case_id))
        unit.audit(f"card.{to.value}", subject=str(case_id))
    return results(selection, verdicts, found)


async def shelve(
    unit: Unit, selection: Selection, site_id: SiteId, shelf: str = FIRST_SHELF
) -> list[CardResult]:
    """Lay preset cards on ``shelf`` of a site, each at a free position.

    What the shelf does not take is refused. Raises ``LotUnknown`` and ``SiteUnknown``.
    """
    if not await sites.may_receive(unit.conn, site_id):
        raise SiteUnknown
    ref = ShelfRef(site_id, shelf)
    return await _shelve(unit, selection, lambda _: ref)


async def shelve_at_home(unit: Unit, selection: Selection, homes: Homes) -> list[CardResult]:
    """Lay preset cards each on the default shelf of its ward. Raises ``LotUnknown``."""
    return await _shelve(unit, selection, lambda card: homes.of(card.ward))


async def _shelve(
    unit: Unit, selection: Selection, where: Callable[[Card], ShelfRef | None]
) -> list[CardResult]:
    found = await locked(unit.conn, selection)
    verdicts = await _judged(unit, found, Stage.SHELVED)
    groups: dict[ShelfRef, list[CaseId]] = defaultdict(list)
    for case_id in _ready(verdicts):
        ref = where(found[case_id])
        if ref is None:
            verdicts[case_id] = NO_DEFAULT_SHELF
        else:
            groups[ref].append(case_id)
    for ref in sorted(groups):
        verdicts.update(await _lay(unit, ref, groups[ref]))
    return results(selection, verdicts, found)


async def _lay(unit: Unit, ref: ShelfRef, ready: Sequence[CaseId]) -> dict[CaseId, Verdict]:
    taken = await shelves.take_places(unit.conn, ref, len(ready))
    places = dict(zip(ready, taken, strict=False))
    moved = await stages.shelve(unit.conn, list(places), taken, ref.site_id, at=unit.now)
    verdicts = {case_id: DONE if case_id in places else SHELF_FULL for case_id in ready}
    for case_id in _settled(verdicts, moved):
        _tell_shelved(unit, case_id, ref.site_id, places[case_id])
    return verdicts


async def advance_one(unit: Unit, case_id: CaseId, to: Stage, check: VersionCheck) -> Card:
    """Take one card to ``to`` and return it; ``check`` gets its version before anything is done.

    Raises ``CardUnknown``, ``CardRefused`` and what ``check`` raises.
    """
    await _checked(unit, case_id, check)
    return await _only(unit, case_id, await advance(unit, Selection((case_id,)), to))


async def shelve_one(
    unit: Unit, case_id: CaseId, site_id: SiteId, shelf: str, check: VersionCheck
) -> Card:
    """Lay one card on a shelf and return it; raises what ``advance_one`` raises."""
    await _checked(unit, case_id, check)
    return await _only(unit, case_id, await shelve(unit, Selection((case_id,)), site_id, shelf))


async def _checked(unit: Unit, case_id: CaseId, check: VersionCheck) -> None:
    card = (await locked(unit.conn, Selection((case_id,)))).get(case_id)
    if card is None:
        raise CardUnknown
    check(card.version)


async def _only(unit: Unit, case_id: CaseId, found: list[CardResult]) -> Card:
    verdict = found[0].verdict
    if verdict.refusal is not None:
        raise CardRefused(verdict.refusal)
    if verdict is ALREADY:
        unit.audit("card.read", subject=str(case_id))
    card = await cards.find(unit.conn, case_id)
    if card is None:
        raise CardUnknown
    return card


def _tell_shelved(unit: Unit, case_id: CaseId, site_id: SiteId, position: str) -> None:
    unit.emit(CardShelved(case_id=case_id, site_id=site_id, shelf_position=position))
    unit.audit("card.shelved", subject=str(case_id), site_id=site_id, shelf_position=position)


async def _judged(unit: Unit, found: Mapping[CaseId, Card], to: Stage) -> dict[CaseId, Verdict]:
    verdicts = {case_id: step(card.stage, to, held=card.held) for case_id, card in found.items()}
    return await assignments.spared(unit, verdicts)


def _ready(verdicts: Mapping[CaseId, Verdict]) -> list[CaseId]:
    return [case_id for case_id, verdict in verdicts.items() if verdict is DONE]


def _settled(verdicts: dict[CaseId, Verdict], moved: Collection[CaseId]) -> list[CaseId]:
    """Those that moved, in order; what somebody else moved meanwhile is told as ``already``."""
    ready = _ready(verdicts)
    verdicts.update({case_id: ALREADY for case_id in ready if case_id not in moved})
    return [case_id for case_id in ready if case_id in moved]

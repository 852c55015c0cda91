"""Take what the registry says: hold, re-route or void the cards, and tell the other rooms.

A change is kept once, whatever is sent again. One whose card has not come waits for it; the due
work finds it, so that no race between a lot and a change loses either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from uuid import UUID

from services.preparation.domain.addressee import Addressee
from services.preparation.domain.holds import Hold
from services.preparation.domain.registry import (
    HOLDS,
    VOIDS,
    Change,
    ChangeEffect,
    ChangeKind,
    effect,
    latest_moves,
)
from services.preparation.handlers import addressees, ends, holds
from services.preparation.handlers.selection import Selection, locked
from services.preparation.store import registry
from services.preparation.store.cards import Card
from services.preparation.store.registry import ChangeFilter, KeptChange
from services.preparation.tools import Tools
from shared.calendar import business_date
from shared.contracts.preparation import CardHeld, CardReleased, HoldReason
from shared.due import DueWork
from shared.ids import CaseId, new_id
from shared.unit import Unit

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Taken:
    """A change as it is kept, and whether it was new; ``differs`` where what was sent now says
    something else under the same reference, and was not taken.
    """

    kept: KeptChange
    fresh: bool
    differs: bool


async def take(
    unit: Unit,
    tools: Tools,
    changes: Sequence[Change],
    corrected: Mapping[str, Addressee] = MappingProxyType({}),
) -> list[Taken]:
    """Keep the changes and let them have their effect; one result each, in their order.

    ``corrected`` are names and addresses as they are now, by change reference.
    """
    wanted = {new_id(): change for change in changes}
    fresh = await registry.keep(unit.conn, wanted, unit.now)
    new = {change_id: change for change_id, change in wanted.items() if change_id in fresh}
    told = {
        i: corrected[c.change_reference] for i, c in new.items() if c.change_reference in corrected
    }
    if told:
        sealed = await addressees.sealed_under(unit.conn, tools.vault, told)
        await registry.put_sealed(unit.conn, sealed)
    await _apply(unit, new, tools.settings.hold_review_days)
    kept = await registry.by_reference(unit.conn, [c.change_reference for c in changes])
    found = [kept[change.change_reference] for change in changes]
    return [
        Taken(one, one.change_id == change_id, one.change != change)
        for one, (change_id, change) in zip(found, wanted.items(), strict=True)
    ]


def work(review_days: int) -> DueWork:
    """Due: let changes whose cards have come meanwhile have their effect."""

    async def apply_waiting(unit: Unit) -> int:
        found = await registry.lock_waiting(unit.conn, _BATCH)
        await _apply(unit, found, review_days)
        return len(found)

    return apply_waiting


async def listed(
    unit: Unit, wanted: ChangeFilter, before: UUID | None, limit: int
) -> list[KeptChange]:
    """Changes, the newest first; audited for each."""
    found = await registry.listed(unit.conn, wanted, before, limit)
    for one in found:
        unit.audit("registry_change.list", subject=str(one.case_id or one.change_id))
    return found


async def _apply(unit: Unit, changes: Mapping[UUID, Change], review_days: int) -> None:
    if not changes:
        return
    references = tuple({change.card_reference for change in changes.values()})
    cards = await locked(unit.conn, Selection(references=references))
    here = {card.card_reference: card for card in cards.values()}
    known = {i: c for i, c in changes.items() if c.card_reference in here}
    effects = {i: effect(c.kind, here[c.card_reference].stage) for i, c in known.items()}
    sealed = await registry.sealed(unit.conn, list(known))
    await registry.settle(
        unit.conn,
        {i: (here[c.card_reference].case_id, effects[i]) for i, c in known.items()},
    )
    for change_id, change in known.items():
        case_id = here[change.card_reference].case_id
        unit.audit(
            "registry_change.take",
            subject=str(case_id),
            change_id=str(change_id),
            kind=change.kind,
            effect=effects[change_id],
        )
    living = {i: c for i, c in known.items() if effects[i] is not ChangeEffect.NONE}
    await _correct_addressees(unit, living, here, sealed)
    await _move(unit, list(living.values()), here)
    await _hold(
        unit, [c for i, c in living.items() if effects[i] is ChangeEffect.HELD], here, review_days
    )
    await _void(unit, [c for i, c in living.items() if effects[i] is ChangeEffect.VOIDED], here)


async def _correct_addressees(
    unit: Unit,
    changes: Mapping[UUID, Change],
    here: Mapping[str, Card],
    sealed: Mapping[UUID, bytes],
) -> None:
    """A notice must not go where its citizen no longer lives, or must not be looked for.

    What a change corrects takes the place of what came with the lot, unless another change says
    otherwise; what takes no place is destroyed.
    """
    stale = [change_id for change_id, change in changes.items() if change.kind in HOLDS]
    last = await registry.last_word(unit.conn, stale)
    cases = {change_id: here[changes[change_id].card_reference].case_id for change_id in last}
    await addressees.destroy(unit.conn, sorted(set(cases.values())), unit.now)
    kept = {i: (i, sealed[i]) for i, may_be_kept in last.items() if may_be_kept and i in sealed}
    await addressees.keep(unit.conn, {cases[i]: one for i, one in kept.items()})
    await addressees.destroy_keys(unit.conn, sorted(set(sealed) - set(kept)), unit.now)


async def _move(unit: Unit, changes: Sequence[Change], here: Mapping[str, Card]) -> None:
    """The new ward is the card's at once. Who is not held for it learns it from held, released."""
    moves = {here[ref].case_id: move for ref, move in latest_moves(changes).items()}
    moved = await registry.reroute(unit.conn, moves)
    stages = {card.case_id: card.stage for card in here.values()}
    today = business_date(unit.now)
    for case_id, ward in moved.items():
        if effect(ChangeKind.MOVED_WITHIN_CITY, stages[case_id]) is ChangeEffect.REROUTED:
            reason = HoldReason.MOVED_WITHIN_CITY
            unit.emit(CardHeld(case_id=case_id, reason=reason, review_on=today))
            unit.emit(CardReleased(case_id=case_id, ward=ward))


async def _hold(
    unit: Unit, changes: Sequence[Change], here: Mapping[str, Card], review_days: int
) -> None:
    today = business_date(unit.now)
    wanted: list[tuple[CaseId, Hold]] = [
        (
            here[change.card_reference].case_id,
            Hold(HOLDS[change.kind], _review(change, today, review_days)),
        )
        for change in changes
    ]
    await holds.place(unit, wanted)


def _review(change: Change, today: date, review_days: int) -> date:
    return max(today, change.review_on or today + timedelta(days=review_days))


async def _void(unit: Unit, changes: Sequence[Change], here: Mapping[str, Card]) -> None:
    # A card ends once: of several reasons the first that took effect is the reason.
    first = {
        here[change.card_reference].case_id: VOIDS[change.kind]
        for change in sorted(changes, key=lambda c: c.effective_on, reverse=True)
    }
    for reason in sorted(set(first.values())):
        await ends.end_void(unit, [c for c, why in first.items() if why is reason], reason)

"""Hold cards for a reason, and let them go on; the other rooms hear of both."""

from collections.abc import Mapping
from datetime import date, datetime

from services.preparation.domain.holds import Hold, may_wait
from services.preparation.domain.refusals import ALREADY, DONE, Verdict
from services.preparation.domain.registry import HOLDS
from services.preparation.handlers import addressees
from services.preparation.handlers.selection import CardResult, Selection, locked, results
from services.preparation.store import holds
from services.preparation.store.cards import Card
from services.preparation.store.holds import HeldCard, HeldFilter
from shared.contracts.preparation import CardHeld, CardReleased, HoldReason
from shared.ids import CaseId
from shared.unit import Unit


async def hold(unit: Unit, selection: Selection, wanted: Hold) -> list[CardResult]:
    """Let the cards wait; one that waits for this reason is ``already``. Raises ``LotUnknown``.

    Who moved, changed the name or is under support measures must not be written to at the address
    that is known: it is destroyed, as where the registry tells of it.
    """
    cards = await locked(unit.conn, selection)
    verdicts = {case_id: may_wait(card.stage) for case_id, card in cards.items()}
    ready = [case_id for case_id, verdict in verdicts.items() if verdict is DONE]
    new = await place(unit, [(case_id, wanted) for case_id in ready])
    if wanted.reason in HOLDS.values():
        await addressees.destroy(unit.conn, ready, unit.now)
    verdicts.update({case_id: ALREADY for case_id in ready if case_id not in new})
    return results(selection, verdicts, cards)


async def place(
    unit: Unit, wanted: list[tuple[CaseId, Hold]], at: datetime | None = None
) -> set[CaseId]:
    """Hold locked cards and tell of it; returns those held for a reason that is new.

    ``at`` is the time of the message that says so; without one it is now.
    """
    new = await holds.place(unit.conn, wanted, at or unit.now)
    for case_id, one in wanted:
        if (case_id, one.reason) in new:
            unit.emit(CardHeld(case_id=case_id, reason=one.reason, review_on=one.review_on))
            unit.audit("card.held", subject=str(case_id), reason=one.reason)
    return {case_id for case_id, _ in new}


async def release(unit: Unit, selection: Selection, reason: HoldReason | None) -> list[CardResult]:
    """Clear one reason, or all. A card with no reason left goes on. Raises ``LotUnknown``."""
    cards = await locked(unit.conn, selection)
    cleared = await holds.clear(unit.conn, list(cards), reason)
    for case_id in cleared:
        unit.audit("card.hold_cleared", subject=str(case_id), reason=reason or "all")
    free = await locked(unit.conn, Selection(tuple(cleared)))
    _tell_released(unit, free)
    verdicts: dict[CaseId, Verdict] = {c: DONE if c in cleared else ALREADY for c in cards}
    return results(selection, verdicts, cards)


async def listed(
    unit: Unit, wanted: HeldFilter, after: tuple[date, CaseId, str] | None, limit: int
) -> list[HeldCard]:
    """Holds in the order of their review; audited for each."""
    found = await holds.listed(unit.conn, wanted, after, limit)
    for one in found:
        unit.audit("card.list", subject=str(one.case_id))
    return found


def _tell_released(unit: Unit, cards: Mapping[CaseId, Card]) -> None:
    for case_id, card in cards.items():
        if not card.held:
            unit.emit(CardReleased(case_id=case_id, ward=card.ward))
            unit.audit("card.released", subject=str(case_id))

"""End cards beside the way: rejected to J-LIS, or voided with their case."""

from collections.abc import Sequence

from services.preparation.domain.ends import reject as may_reject
from services.preparation.domain.ends import void as may_void
from services.preparation.domain.refusals import ALREADY, DONE, Verdict
from services.preparation.domain.stages import Stage
from services.preparation.handlers import addressees, assignments, birth_dates
from services.preparation.handlers.selection import CardResult, Selection, locked, results
from services.preparation.store import stages
from shared.contracts.preparation import CardRejected, CardVoided, RejectReason, VoidReason
from shared.ids import CaseId
from shared.unit import Unit


async def reject(unit: Unit, selection: Selection, reason: RejectReason) -> list[CardResult]:
    """Send defective cards back to J-LIS, before they lie on a shelf. Raises ``LotUnknown``."""
    cards = await locked(unit.conn, selection)
    judged = {case_id: may_reject(card.stage) for case_id, card in cards.items()}
    verdicts = await assignments.spared(unit, judged)
    ready = _ready(verdicts)
    ended = await _end(unit, ready, Stage.REJECTED, reason)
    for case_id in ended:
        unit.emit(CardRejected(case_id=case_id, reason=reason))
    return results(selection, _settled(verdicts, ready, ended), cards)


async def void(unit: Unit, selection: Selection, reason: VoidReason) -> list[CardResult]:
    """End cases: their bookings are cancelled by who keeps them. Raises ``LotUnknown``."""
    cards = await locked(unit.conn, selection)
    verdicts = {case_id: may_void(card.stage) for case_id, card in cards.items()}
    ready = _ready(verdicts)
    ended = await end_void(unit, ready, reason)
    return results(selection, _settled(verdicts, ready, ended), cards)


async def end_void(unit: Unit, case_ids: Sequence[CaseId], reason: VoidReason) -> Sequence[CaseId]:
    """Void locked cards and tell of it; returns those voided now, in the order given."""
    ended = await _end(unit, case_ids, Stage.VOIDED, reason)
    for case_id in ended:
        unit.emit(CardVoided(case_id=case_id, reason=reason))
    return ended


async def _end(
    unit: Unit, case_ids: Sequence[CaseId], to: Stage, reason: RejectReason | VoidReason
) -> list[CaseId]:
    if not case_ids:
        return []
    found = await stages.end(unit.conn, case_ids, to=to, reason=reason, at=unit.now)
    ended = [case_id for case_id in case_ids if case_id in found]
    await birth_dates.destroy(unit.conn, ended, unit.now)
    await addressees.destroy(unit.conn, ended, unit.now)
    for case_id in ended:
        unit.audit(f"card.{to.value}", subject=str(case_id), reason=reason)
    return ended


def _ready(verdicts: dict[CaseId, Verdict]) -> list[CaseId]:
    return [case_id for case_id, verdict in verdicts.items() if verdict is DONE]


def _settled(
    verdicts: dict[CaseId, Verdict], ready: Sequence[CaseId], ended: Sequence[CaseId]
) -> dict[CaseId, Verdict]:
    lost = set(ready) - set(ended)
    return verdicts | dict.fromkeys(lost, ALREADY)

"""Give cases to operators, one operator each, and spare those that somebody else works on."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from services.preparation.domain.assignments import (
    ASSIGNED_ELSEWHERE,
    NOT_ASSIGNED,
    Assignment,
)
from services.preparation.domain.holds import may_wait
from services.preparation.domain.refusals import DONE, Verdict
from services.preparation.handlers.selection import CardResult, Selection, locked, results
from services.preparation.store import assignments
from shared.ids import CaseId
from shared.security.principal import Role
from shared.unit import Unit

_BATCH = 500


async def take(unit: Unit, selection: Selection, minutes: int) -> list[CardResult]:
    """Assign the cards to whoever asks, for so many minutes; what is theirs already is prolonged.

    Raises ``LotUnknown``.
    """
    cards = await locked(unit.conn, selection)
    verdicts = {case_id: may_wait(card.stage) for case_id, card in cards.items()}
    wanted = [case_id for case_id, verdict in verdicts.items() if verdict is DONE]
    until = unit.now + timedelta(minutes=minutes)
    taken = await assignments.take(unit.conn, wanted, unit.principal.subject, unit.now, until)
    for case_id in wanted:
        if case_id in taken:
            unit.audit("card.assigned", subject=str(case_id), minutes=minutes)
        else:
            verdicts[case_id] = ASSIGNED_ELSEWHERE
    return results(selection, verdicts, cards)


async def give_back(unit: Unit, selection: Selection) -> list[CardResult]:
    """End assignments: one's own, or for a supervisor anybody's. Raises ``LotUnknown``."""
    cards = await locked(unit.conn, selection)
    boss = Role.SUPERVISOR in unit.principal.roles
    ended = await assignments.give_back(
        unit.conn, list(cards), None if boss else unit.principal.subject
    )
    for case_id in ended:
        unit.audit("card.unassigned", subject=str(case_id))
    verdicts: dict[CaseId, Verdict] = {c: DONE if c in ended else NOT_ASSIGNED for c in cards}
    return results(selection, verdicts, cards)


async def spared(unit: Unit, verdicts: dict[CaseId, Verdict]) -> dict[CaseId, Verdict]:
    """The verdicts, where those that somebody else works on are refused. Cards are locked."""
    ready = [case_id for case_id, verdict in verdicts.items() if verdict is DONE]
    taken = await assignments.of_others(unit.conn, ready, unit.principal.subject, unit.now)
    return verdicts | dict.fromkeys(taken, ASSIGNED_ELSEWHERE)


async def listed(
    unit: Unit, operator: str | None, after: UUID | None, limit: int
) -> Sequence[Assignment]:
    """Assignments that stand now, audited for each."""
    found = await assignments.listed(unit.conn, operator, unit.now, after, limit)
    for one in found:
        unit.audit("card.list", subject=str(one.case_id))
    return found


async def expire(unit: Unit) -> int:
    """Forget what has expired; how many. Whether one stands is decided by its time, not by this."""
    ended = await assignments.expire(unit.conn, unit.now, _BATCH)
    for case_id in ended:
        unit.audit("card.assignment_expired", subject=str(case_id))
    return len(ended)

"""Destroy cards that may no longer be handed over: one operator lays out, another confirms."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID

from services.preparation.domain.disposals import (
    DisposalClosed,
    DisposalElsewhere,
    DisposalUnknown,
    SecondOperatorNeeded,
    lay_out,
    reason_of,
)
from services.preparation.domain.refusals import DONE
from services.preparation.handlers import addressees, birth_dates
from services.preparation.handlers.selection import CardResult, Selection, locked, results
from services.preparation.store import cards, daily, disposals
from services.preparation.store.disposals import Disposal, DisposalLine, WaitingCard
from shared.calendar import TOKYO, business_date
from shared.contracts.preparation import CardDisposalDue, CardDisposed, DisposalReason
from shared.ids import CaseId, DisposalId, SiteId, new_id
from shared.unit import Unit

_BATCH = 500
_MARK = "disposal due"


@dataclass(frozen=True, slots=True)
class Opened:
    """A record, or None where no card could be laid out; and what each card was told."""

    disposal: Disposal | None
    results: list[CardResult]


async def open_record(unit: Unit, selection: Selection, site_id: SiteId, method: str) -> Opened:
    """Lay cards out for disposal. Raises ``LotUnknown``."""
    found = await locked(unit.conn, selection)
    where = await disposals.whereabouts(unit.conn, list(found))
    verdicts = {case_id: lay_out(where[case_id][0], site_id) for case_id in found}
    ready = [case_id for case_id, verdict in verdicts.items() if verdict is DONE]
    if not ready:
        return Opened(None, results(selection, verdicts, found))
    reasons = {case_id: reason_of(where[case_id][0].stage, where[case_id][1]) for case_id in ready}
    disposal_id = DisposalId(new_id())
    record = (disposal_id, site_id, method, unit.now, unit.principal.subject)
    await disposals.open_record(unit.conn, record, reasons)
    for case_id in ready:
        unit.audit(
            "card.laid_out", subject=str(case_id), site_id=site_id, disposal_id=str(disposal_id)
        )
    opened = await one_disposal(unit, disposal_id)
    return Opened(opened, results(selection, verdicts, found))


async def confirm(unit: Unit, disposal_id: DisposalId, site_id: SiteId) -> Disposal:
    """Confirm, as another operator, that the cards of a record were destroyed.

    A card that was handed over or moved meanwhile is kept out of it. Raises ``DisposalUnknown``,
    ``DisposalElsewhere``, ``DisposalClosed`` and ``SecondOperatorNeeded``.
    """
    record = await _still_open(unit, disposal_id, site_id)
    if unit.principal.subject == record.opened_by:
        raise SecondOperatorNeeded
    gone = await disposals.confirm(unit.conn, disposal_id, unit.now, unit.principal.subject)
    for case_id in sorted(gone):
        unit.emit(CardDisposed(case_id=case_id, disposal_id=disposal_id))
        unit.audit(
            "card.disposed", subject=str(case_id), site_id=site_id, disposal_id=str(disposal_id)
        )
    return await one_disposal(unit, disposal_id)


async def withdraw(unit: Unit, disposal_id: DisposalId, site_id: SiteId) -> Disposal:
    """Close a record without destroying anything. Raises what ``confirm`` raises but the last."""
    await _still_open(unit, disposal_id, site_id)
    await disposals.withdraw(unit.conn, disposal_id, unit.now, unit.principal.subject)
    unit.audit("disposal.withdrawn", subject=str(disposal_id), site_id=site_id)
    return await one_disposal(unit, disposal_id)


async def one_disposal(unit: Unit, disposal_id: DisposalId) -> Disposal:
    """A record. Raises ``DisposalUnknown``."""
    record = await disposals.find(unit.conn, disposal_id)
    if record is None:
        raise DisposalUnknown
    return record


async def list_disposals(
    unit: Unit, site_id: SiteId | None, after: DisposalId | None, limit: int
) -> Sequence[Disposal]:
    """Records in the order in which they were opened."""
    return await disposals.listed(unit.conn, site_id, after, limit)


async def lines(
    unit: Unit, disposal_id: DisposalId, after: tuple[str, CaseId] | None, limit: int
) -> Sequence[DisposalLine]:
    """The cards of a record after one, audited for each. Raises ``DisposalUnknown``."""
    await one_disposal(unit, disposal_id)
    found = await disposals.lines(unit.conn, disposal_id, after, limit)
    for line in found:
        unit.audit("card.list", subject=str(line.case_id), disposal_id=str(disposal_id))
    return found


async def list_waiting(
    unit: Unit, site_id: SiteId | None, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[WaitingCard]:
    """Cards that wait for their disposal, audited for each."""
    found = await disposals.waiting(unit.conn, site_id, after, limit)
    for card in found:
        unit.audit("card.list", subject=str(card.case_id))
    return found


async def become_due(unit: Unit) -> int:
    """Once a day: cards whose last notice or whose validity ended yesterday wait for disposal, and
    those that were voided since the day before.

    Whoever has a visit today or later is waited for; a card that is held waits as it is.
    """
    today = business_date(unit.now)
    if await daily.is_done(unit.conn, _MARK, today):
        return 0
    midnight = datetime.combine(today, time(), TOKYO)
    due = await disposals.become_due(unit.conn, today, midnight, unit.now, _BATCH)
    await birth_dates.destroy(unit.conn, list(due), unit.now)
    await addressees.destroy(unit.conn, list(due), unit.now)
    for case_id, reason in due.items():
        _tell_due(unit, case_id, reason)
    voided = await disposals.voided_due(unit.conn, unit.now, _BATCH)
    for case_id in voided:
        _tell_due(unit, case_id, DisposalReason.VOIDED)
    if not due and not voided:
        await daily.mark(unit.conn, _MARK, today)
    return len(due) + len(voided)


def _tell_due(unit: Unit, case_id: CaseId, reason: DisposalReason) -> None:
    unit.emit(CardDisposalDue(case_id=case_id, reason=reason))
    unit.audit("card.disposal_due", subject=str(case_id), reason=reason)


async def _still_open(unit: Unit, disposal_id: DisposalId, site_id: SiteId) -> Disposal:
    inside = await disposals.lines(unit.conn, disposal_id)
    # Whoever closes the record locks the same cards, so that one comes after the other.
    await cards.lock_cases(unit.conn, [line.case_id for line in inside])
    record = await one_disposal(unit, disposal_id)
    if record.site_id != site_id:
        raise DisposalElsewhere
    if record.state != "laid_out":
        raise DisposalClosed
    return record

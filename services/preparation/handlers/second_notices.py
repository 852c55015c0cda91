"""Notices that come back, and the second notice for who has not come."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from services.preparation.domain.notices import pickup_deadline
from services.preparation.domain.refusals import ALREADY, DONE, Verdict
from services.preparation.domain.second_notices import (
    LAST,
    NOT_NOTIFIED,
    Standing,
    Unclaimed,
    remind,
    unclaimed,
)
from services.preparation.domain.stages import Stage
from services.preparation.handlers import birth_dates, numbering
from services.preparation.handlers.notices import Made
from services.preparation.handlers.selection import CardResult, Selection, locked, results
from services.preparation.store import notices, standings
from services.preparation.store.cards import Card
from services.preparation.store.notices import Batch
from services.preparation.store.standings import UnclaimedCard
from services.preparation.tools import Tools
from shared.calendar import business_date
from shared.contracts.preparation import CardNoticeReturned, CardNotified
from shared.ids import CaseId, SiteId, new_id
from shared.unit import Unit


async def record_returns(unit: Unit, selection: Selection) -> list[CardResult]:
    """Record that notices came back undelivered. Raises ``LotUnknown``."""
    found = await locked(unit.conn, selection)
    verdicts: dict[CaseId, Verdict] = {
        case_id: ALREADY if card.stage is Stage.NOTIFIED else NOT_NOTIFIED
        for case_id, card in found.items()
    }
    notified = [case_id for case_id, verdict in verdicts.items() if verdict is ALREADY]
    new = await standings.returned(unit.conn, notified, unit.now)
    for case_id in notified:
        if case_id in new:
            verdicts[case_id] = DONE
            unit.emit(CardNoticeReturned(case_id=case_id, notice_seq=new[case_id]))
            unit.audit("notice.returned", subject=str(case_id))
    return results(selection, verdicts, found)


async def make_second(unit: Unit, tools: Tools, selection: Selection) -> Made:
    """Repeat the notices of cards nobody has come for, with a new deadline.

    The number stays: the birth date that a new one would need is no longer known. Only where
    another system had drawn the first number, which nobody here can print, the birth date was kept
    for a new one. Raises ``LotUnknown``.
    """
    found = await locked(unit.conn, selection)
    today = business_date(unit.now)
    known = await standings.of(unit.conn, list(found), unit.now)
    verdicts = {c: remind(known[c], today) if c in known else NOT_NOTIFIED for c in found}
    ready = {c: known[c] for c, verdict in verdicts.items() if verdict is DONE}
    if not ready:
        return Made(None, results(selection, verdicts, found))
    births = await birth_dates.opened(unit.conn, tools.vault, list(ready))
    batch = Batch(new_id(), unit.now, len(ready), notice_seq=LAST)
    await notices.open_batch(unit.conn, batch)
    await _repeat(unit, tools, batch, {c: s for c, s in ready.items() if c not in births})
    await _number_anew(unit, tools, batch, {c: found[c] for c in births}, births)
    return Made(batch, results(selection, verdicts, found))


async def list_unclaimed(
    unit: Unit, site_id: SiteId | None, after: tuple[date, UUID] | None, limit: int
) -> Sequence[tuple[UnclaimedCard, Unclaimed | None]]:
    """Cards whose last notice has run out, and what comes next for each; audited for each."""
    today = business_date(unit.now)
    found = await standings.ended(
        unit.conn, site_id, now=unit.now, today=today, after=after, limit=limit
    )
    for card in found:
        unit.audit("card.list", subject=str(card.case_id))
    return [(card, unclaimed(card.standing, today)) for card in found]


async def _repeat(unit: Unit, tools: Tools, batch: Batch, ready: Mapping[CaseId, Standing]) -> None:
    today, months = business_date(unit.now), tools.settings.pickup_months
    deadlines = {c: pickup_deadline(today, months, s.card_expires_on) for c, s in ready.items()}
    for row in await standings.repeat(unit.conn, batch.batch_id, deadlines):
        unit.audit("card.notified", subject=str(row["case_id"]), batch_id=str(batch.batch_id))
        unit.emit(CardNotified(**row))


async def _number_anew(
    unit: Unit,
    tools: Tools,
    batch: Batch,
    cards: Mapping[CaseId, Card],
    births: Mapping[CaseId, date],
) -> None:
    if not cards:
        return
    made = await numbering.numbered(unit, tools, batch, list(cards.values()), births)
    await birth_dates.destroy(unit.conn, list(cards), unit.now)
    numbering.tell(unit, batch, cards, made)

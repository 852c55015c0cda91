"""Make notices: a number for each card on the shelf, told to the other rooms as keyed hashes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.preparation.domain.notices import NO_BIRTH_DATE, UNDER_WAY, notify
from services.preparation.domain.refusals import DONE, Verdict
from services.preparation.domain.stages import Stage
from services.preparation.handlers import birth_dates, numbering
from services.preparation.handlers.allowances import beyond
from services.preparation.handlers.selection import CardResult, Selection, locked, results
from services.preparation.store import notices, stages
from services.preparation.store.notices import Batch
from services.preparation.tools import Tools
from shared.calendar import business_date
from shared.errors import NotFound, Text
from shared.ids import CaseId, new_id
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class Made:
    """A batch, or None where no card was ready; and what each card was told."""

    batch: Batch | None
    results: list[CardResult]


class BatchUnknown(NotFound):
    """No batch has this id."""

    slug = "notice-batch-unknown"
    title = Text("There is no such batch of notices", "この交付通知バッチはありません")


async def make_notices(
    unit: Unit, tools: Tools, selection: Selection, *, paced: bool = False
) -> Made:
    """Give each card on the shelf its notice. Raises ``LotUnknown``.

    Where the cards were not chosen by their pace, the batch keeps how many are beyond it.
    """
    cards = await locked(unit.conn, selection)
    today = business_date(unit.now)
    verdicts = {
        case_id: notify(card.stage, card.card_expires_on, today, held=card.held)
        for case_id, card in cards.items()
    }
    verdicts.update({c: UNDER_WAY for c in _ready(verdicts) if cards[c].site_id is None})
    births = await birth_dates.opened(unit.conn, tools.vault, _ready(verdicts))
    verdicts.update({c: NO_BIRTH_DATE for c in _ready(verdicts) if c not in births})
    ready = _ready(verdicts)
    if not ready:
        return Made(None, results(selection, verdicts, cards))
    chosen = [cards[case_id] for case_id in ready]
    over = 0 if paced else await beyond(unit, chosen)
    batch = Batch(new_id(), unit.now, len(ready), over_pace=over)
    await notices.open_batch(unit.conn, batch)
    if over:
        unit.audit("notice.over_pace", subject=str(batch.batch_id), notices=over)
    await stages.advance(unit.conn, ready, frm=Stage.SHELVED, to=Stage.NOTIFIED, at=unit.now)
    made = await numbering.numbered(unit, tools, batch, chosen, births)
    await birth_dates.destroy(unit.conn, ready, unit.now)
    numbering.tell(unit, batch, cards, made)
    return Made(batch, results(selection, verdicts, cards))


async def find_batch(unit: Unit, batch_id: UUID) -> Batch:
    """One batch. Raises ``BatchUnknown``."""
    batch = await notices.find_batch(unit.conn, batch_id)
    if batch is None:
        raise BatchUnknown
    return batch


async def list_batches(
    unit: Unit, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Batch]:
    """Batches, the newest first."""
    return await notices.newest(unit.conn, after, limit)


def _ready(verdicts: Mapping[CaseId, Verdict]) -> list[CaseId]:
    return [case_id for case_id, verdict in verdicts.items() if verdict is DONE]

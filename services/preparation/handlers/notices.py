"""Make notices: a number for each card on the shelf, told to the other rooms as keyed hashes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.preparation.domain.notices import (
    FIRST,
    NO_BIRTH_DATE,
    UNDER_WAY,
    NoticeNumber,
    derive_number,
    notify,
    pickup_deadline,
)
from services.preparation.domain.refusals import DONE, Verdict
from services.preparation.domain.stages import Stage
from services.preparation.handlers import birth_dates
from services.preparation.handlers.selection import CardResult, Selection, locked, results
from services.preparation.store import notices, stages
from services.preparation.store.cards import Card
from services.preparation.store.notices import Batch, Notice
from services.preparation.tools import Tools
from shared.calendar import business_date
from shared.contracts.preparation import CardNotified
from shared.errors import NotFound, Text
from shared.ids import CaseId, SiteId, new_id
from shared.unit import Unit

ATTEMPTS = 16
"""Numbers tried per card; a second is needed once in some hundred thousand cards."""


@dataclass(frozen=True, slots=True)
class Made:
    """A batch, or None where no card was ready; and what each card was told."""

    batch: Batch | None
    results: list[CardResult]


class BatchUnknown(NotFound):
    """No batch has this id."""

    slug = "notice-batch-unknown"
    title = Text("There is no such batch of notices", "この交付通知バッチはありません")


async def make_notices(unit: Unit, tools: Tools, selection: Selection) -> Made:
    """Give each card on the shelf its notice. Raises ``LotUnknown``."""
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
    batch = Batch(new_id(), unit.now, len(ready))
    await notices.open_batch(unit.conn, batch)
    await stages.advance(unit.conn, ready, frm=Stage.SHELVED, to=Stage.NOTIFIED, at=unit.now)
    made = await _numbered(unit, tools, batch.batch_id, {c: cards[c] for c in ready}, births)
    await birth_dates.destroy(unit.conn, ready, unit.now)
    for notice in made:
        _tell(unit, batch, cards[notice.case_id], notice)
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


async def _numbered(
    unit: Unit,
    tools: Tools,
    batch_id: UUID,
    cards: Mapping[CaseId, Card],
    births: Mapping[CaseId, date],
) -> list[Notice]:
    """Write a notice for each card; a number that is taken is drawn again."""
    made: list[Notice] = []
    waiting = list(cards.values())
    for attempt in range(ATTEMPTS):
        drafts = [_draft(unit, tools, card, births[card.case_id], attempt) for card in waiting]
        free = await _without_taken(unit, tools, drafts)
        added = await notices.add(unit.conn, batch_id, free)
        made += [notice for notice in free if notice.case_id in added]
        waiting = [card for card in waiting if card.case_id not in added]
        if not waiting:
            return made
    raise RuntimeError(f"{len(waiting)} notices found no free number in {ATTEMPTS} attempts")


def _draft(unit: Unit, tools: Tools, card: Card, birth: date, attempt: int) -> Notice:
    number = derive_number(tools.secrets[tools.secret_id], card.case_id, FIRST, attempt)
    key = tools.index.number_key(number)
    return Notice(
        case_id=card.case_id,
        notice_seq=FIRST,
        secret_id=tools.secret_id,
        attempt=attempt,
        number_key=key.value,
        login_key=tools.index.login_key(number, birth).value,
        key_id=key.key_id,
        pickup_deadline=pickup_deadline(
            business_date(unit.now), tools.settings.pickup_months, card.card_expires_on
        ),
        site_id=_site_of(card),
    )


async def _without_taken(unit: Unit, tools: Tools, drafts: Sequence[Notice]) -> list[Notice]:
    """Leave out numbers in use under an older key of the ring, which the unique hash misses."""
    older = {
        key.value: notice.case_id
        for notice in drafts
        for key in tools.index.number_keys(_number(tools, notice))[1:]
    }
    if not older:
        return list(drafts)
    taken = {older[key] for key in await notices.taken(unit.conn, list(older))}
    return [notice for notice in drafts if notice.case_id not in taken]


def _number(tools: Tools, notice: Notice) -> NoticeNumber:
    secret = tools.secrets[notice.secret_id]
    return derive_number(secret, notice.case_id, notice.notice_seq, notice.attempt)


def _ready(verdicts: Mapping[CaseId, Verdict]) -> list[CaseId]:
    return [case_id for case_id, verdict in verdicts.items() if verdict is DONE]


def _site_of(card: Card) -> SiteId:
    if card.site_id is None:
        raise RuntimeError("a card without a shelf got a notice")
    return card.site_id


def _tell(unit: Unit, batch: Batch, card: Card, notice: Notice) -> None:
    unit.audit("card.notified", subject=str(card.case_id), batch_id=str(batch.batch_id))
    unit.emit(
        CardNotified(
            case_id=card.case_id,
            ward=card.ward,
            site_id=notice.site_id,
            number_key=notice.number_key,
            login_key=notice.login_key,
            key_id=notice.key_id,
            notice_seq=notice.notice_seq,
            pickup_deadline=notice.pickup_deadline,
            card_expires_on=card.card_expires_on,
        )
    )

"""Notices get their numbers: derived, never stored, told to the other rooms as keyed hashes.

A number is one case's: whoever draws one that is taken draws again.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from services.preparation.domain.notices import NoticeNumber, derive_number, pickup_deadline
from services.preparation.store import notices
from services.preparation.store.cards import Card
from services.preparation.store.notices import Batch, Notice
from services.preparation.tools import Tools
from shared.calendar import business_date
from shared.contracts.preparation import CardNotified
from shared.ids import CaseId, SiteId
from shared.unit import Unit

ATTEMPTS = 16
"""Numbers tried per card; a second is needed once in some hundred thousand cards."""


async def numbered(
    unit: Unit,
    tools: Tools,
    batch: Batch,
    cards: Sequence[Card],
    births: Mapping[CaseId, date],
) -> list[Notice]:
    """Write a notice with a number of its own for each card; returns them."""
    made: list[Notice] = []
    waiting = list(cards)
    for attempt in range(ATTEMPTS):
        drafts = [
            _draft(unit, tools, batch, card, birth=births[card.case_id], attempt=attempt)
            for card in waiting
        ]
        free = await _without_taken(unit, tools, drafts)
        added = await notices.add(unit.conn, batch.batch_id, free)
        made += [notice for notice in free if notice.case_id in added]
        waiting = [card for card in waiting if card.case_id not in added]
        if not waiting:
            return made
    raise RuntimeError(f"{len(waiting)} notices found no free number in {ATTEMPTS} attempts")


def tell(unit: Unit, batch: Batch, cards: Mapping[CaseId, Card], made: Sequence[Notice]) -> None:
    """Tell the other rooms of notices."""
    for notice in made:
        card = cards[notice.case_id]
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


def _draft(
    unit: Unit, tools: Tools, batch: Batch, card: Card, *, birth: date, attempt: int
) -> Notice:
    secret = tools.secrets[tools.secret_id]
    number = derive_number(secret, card.case_id, batch.notice_seq, attempt)
    key = tools.index.number_key(number)
    return Notice(
        case_id=card.case_id,
        notice_seq=batch.notice_seq,
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
    secret = tools.secrets[notice.secret_id or tools.secret_id]
    return derive_number(secret, notice.case_id, notice.notice_seq, notice.attempt)


def _site_of(card: Card) -> SiteId:
    if card.site_id is None:
        raise RuntimeError("a card without a shelf got a notice")
    return card.site_id

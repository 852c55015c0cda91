"""Cards that were at a counter are counted back to the shelf before the day is signed off."""

from collections.abc import Collection, Sequence
from datetime import date

from services.issuance.domain.card_count import CardOut, chosen
from services.issuance.domain.day import DaySignedOff
from services.issuance.store import card_counts, days
from shared.ids import CaseId, SiteId, VisitId
from shared.unit import Unit


async def list_cards(unit: Unit, site_id: SiteId, day: date) -> Sequence[CardOut]:
    """The cards to be counted, by shelf position; those counted already too."""
    unit.audit("cards.read", subject=site_id, site_id=site_id, day=day.isoformat())
    return await card_counts.out(unit.conn, site_id, day)


async def count(
    unit: Unit,
    site_id: SiteId,
    day: date,
    *,
    back: Collection[CaseId],
    missing: Collection[CaseId],
) -> Sequence[CardOut]:
    """Note which cards are back and which are missing; saying it again replaces it.

    Raises ``DaySignedOff`` and ``CardNotOut``.
    """
    await days.share(unit.conn, [(site_id, day)])
    if await days.signed_off_at(unit.conn, site_id, day):
        raise DaySignedOff
    cards = await card_counts.out(unit.conn, site_id, day)
    await _note(unit, site_id, chosen(cards, back, "back"), is_back=True)
    await _note(unit, site_id, chosen(cards, missing, "missing"), is_back=False)
    return await card_counts.out(unit.conn, site_id, day)


async def count_rest(unit: Unit, site_id: SiteId, day: date) -> None:
    """Note that every card that is not counted yet is back; a signed-off day stays as it is.

    The day is taken alone, for its sign-off follows in the same unit.
    """
    if await days.take(unit.conn, site_id, day) is None:
        cards = await card_counts.out(unit.conn, site_id, day)
        rest = [(card.visit_id, card.case_id) for card in cards if card.is_back is None]
        if rest:
            await _note(unit, site_id, rest, is_back=True)


async def _note(
    unit: Unit, site_id: SiteId, cards: Sequence[tuple[VisitId, CaseId]], *, is_back: bool
) -> None:
    by = unit.principal.subject
    await card_counts.count(unit.conn, cards, is_back=is_back, at=unit.now, by=by)
    for visit_id, case_id in cards:
        action = "card.count_back" if is_back else "card.count_missing"
        unit.audit(action, subject=str(case_id), site_id=site_id, visit=str(visit_id))

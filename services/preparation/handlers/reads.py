"""What staff and citizens read; reading about a citizen is audited like a change."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.preparation.domain.progress import Progress, progress
from services.preparation.handlers.selection import CardUnknown, LotUnknown
from services.preparation.store import cards, lots
from services.preparation.store import progress as views
from services.preparation.store.cards import Card, CardFilter
from services.preparation.store.lots import LotRow, LotView
from services.preparation.store.progress import CaseView
from shared.calendar import business_date
from shared.ids import CaseId, LotId
from shared.unit import Unit


async def one_card(unit: Unit, case_id: CaseId) -> Card:
    """A card. Raises ``CardUnknown``."""
    card = await cards.find(unit.conn, case_id)
    if card is None:
        raise CardUnknown
    unit.audit("card.read", subject=str(case_id))
    return card


async def list_cards(
    unit: Unit, wanted: CardFilter, after: UUID | None, limit: int
) -> Sequence[Card]:
    """Cards after a case, audited for each."""
    found = await cards.listed(unit.conn, wanted, after, limit)
    for card in found:
        unit.audit("card.list", subject=str(card.case_id))
    return found


async def list_lots(
    unit: Unit, after: tuple[datetime, str] | None, limit: int
) -> Sequence[LotView]:
    """Lots, the newest first."""
    return await lots.newest(unit.conn, after, limit)


async def one_lot(unit: Unit, lot_id: LotId) -> LotView:
    """A lot. Raises ``LotUnknown``."""
    lot = await lots.find(unit.conn, lot_id)
    if lot is None:
        raise LotUnknown
    return lot


async def rows_of_lot(
    unit: Unit, lot_id: LotId, after: tuple[UUID, int] | None, limit: int
) -> Sequence[LotRow]:
    """The rows of a lot as they were judged. Raises ``LotUnknown``."""
    await one_lot(unit, lot_id)
    return await lots.rows(unit.conn, lot_id, after, limit)


async def own_progress(unit: Unit) -> list[tuple[CaseView, Progress]]:
    """A citizen's own cases, each with where it stands."""
    today = business_date(unit.now)
    found = []
    for view in await views.views(unit.conn, sorted(unit.principal.cases)):
        unit.audit("status.read", subject=str(view.case_id))
        booked, deadline = view.booked_at is not None, view.pickup_deadline
        where = progress(view.stage, booked=booked, deadline=deadline, today=today, held=view.held)
        found.append((view, where))
    return found

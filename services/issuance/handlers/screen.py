"""What a counter's screen shows: the counter, the party at it, and who waits."""

from dataclasses import dataclass

from services.issuance.domain.board import Board
from services.issuance.domain.counter import Counter, CounterState
from services.issuance.domain.ticket import Need
from services.issuance.domain.visit import Visit
from services.issuance.handlers.queue import read_ticket
from services.issuance.handlers.reading import read_visit
from services.issuance.store import counters
from shared.ids import SiteId
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class Screen:
    """The screen of the counter ``name``; ``others`` are those a party can be sent to."""

    site_id: SiteId
    name: str
    counter: Counter | None
    visit: Visit | None
    need: Need | None
    others: tuple[str, ...]
    board: Board


async def read_screen(unit: Unit, site_id: SiteId, name: str, board: Board) -> Screen:
    """The screen of a counter, known or not; looking at its party is audited."""
    counter = await counters.find(unit.conn, site_id, name)
    at_it = counter.visit_id if counter else None
    visit = await read_visit(unit, at_it) if at_it else None
    need = (await read_ticket(unit, at_it)).need if at_it else None
    known = await counters.of_site(unit.conn, site_id)
    others = tuple(
        one.counter for one in known if one.counter != name and one.state is not CounterState.CLOSED
    )
    return Screen(site_id, name, counter, visit, need, others, board)

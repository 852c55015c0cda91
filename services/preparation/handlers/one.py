"""A command about many cards, asked for one card alone: its refusal is the answer, and the caller
may insist on the version it has read.
"""

from collections.abc import Awaitable, Callable

from services.preparation.domain.refusals import ALREADY, CardRefused
from services.preparation.handlers.selection import CardResult, CardUnknown, Selection, locked
from services.preparation.store import cards
from services.preparation.store.cards import Card
from shared.ids import CaseId
from shared.unit import Unit

VersionCheck = Callable[[int], None]
"""Raises where the caller has not seen this version of a card."""

Command = Callable[[Unit, Selection], Awaitable[list[CardResult]]]


async def changed(unit: Unit, case_id: CaseId, check: VersionCheck, command: Command) -> Card:
    """The card after ``command``; ``check`` gets its version before anything is done.

    Raises ``CardUnknown``, ``CardRefused`` and what ``check`` raises.
    """
    selection = Selection((case_id,))
    card = (await locked(unit.conn, selection)).get(case_id)
    if card is None:
        raise CardUnknown
    check(card.version)
    verdict = (await command(unit, selection))[0].verdict
    if verdict.refusal is not None:
        raise CardRefused(verdict.refusal)
    if verdict is ALREADY:
        unit.audit("card.read", subject=str(case_id))
    after = await cards.find(unit.conn, case_id)
    if after is None:
        raise CardUnknown
    return after

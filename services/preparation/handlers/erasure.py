"""A citizen's contact data was erased elsewhere: what this room keeps beyond its purpose goes too.

Birth date, name and address are kept for the notice, not for contact, and go with it by themselves;
a notice that is still to come needs them. The audit entry is this room's confirmation.
"""

from collections.abc import Sequence

from services.preparation.domain.stages import ENDS, Stage
from services.preparation.handlers import addressees, birth_dates
from services.preparation.handlers.selection import Selection, locked
from shared.contracts.reservation import ContactErased
from shared.messaging.envelope import Message
from shared.unit import Unit


async def erased(unit: Unit, messages: Sequence[Message[ContactErased]]) -> None:
    """Destroy what is left of cases whose notice is over, and confirm each."""
    cases = sorted({message.data.case_id for message in messages})
    cards = await locked(unit.conn, Selection(tuple(cases)))
    over = [c for c, card in cards.items() if card.stage in ENDS or card.stage is Stage.ISSUED]
    at = max(message.time for message in messages)
    await birth_dates.destroy_left(unit.conn, over, at)
    await addressees.destroy(unit.conn, over, at)
    for case_id in cases:
        if case_id in cards:
            purpose = "none" if case_id in over else "notice"
            unit.audit("contact.erasure_confirmed", subject=str(case_id), kept_for=purpose)

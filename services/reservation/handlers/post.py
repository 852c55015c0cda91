"""The post's two units: take what waits, and record what became of it. Between them a mail is sent.

No transaction is open while a mail server is spoken to. A process that ends after sending a mail
and before recording it leaves the lease to run out, and that one mail goes again under the same
Message-ID: at least once, and never before the change it tells of has committed.
"""

from collections.abc import Sequence
from datetime import timedelta

from services.reservation.domain.message import CallReason, MessageState, PhoneCall
from services.reservation.domain.rules import Rules
from services.reservation.gateways.letters import Sender
from services.reservation.gateways.mail import Delayed, Outcome, Refused, Unreachable
from services.reservation.gateways.mail import Taken as Handed
from services.reservation.handlers import citizens, writing
from services.reservation.handlers.writing import Prepared
from services.reservation.store import outgoing
from services.reservation.store.outgoing import Ended, Later, Settled, Taken
from services.reservation.tools import Tools
from shared.unit import Unit

BATCH = 20
LEASE = timedelta(minutes=5)
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360))
"""Between tries; the last is repeated."""
UNREACHABLE_WAIT = timedelta(seconds=30)


async def take(unit: Unit, tools: Tools, sender: Sender, rules: Rules) -> list[Prepared]:
    """Take what waits and write the letters; what is no longer true is settled here."""
    taken = await outgoing.take(unit.conn, BATCH, LEASE)
    if not taken:
        return []
    material = await writing.gather(unit, taken, rules)
    ends: list[Settled] = []
    prepared: list[Prepared] = []
    for message in taken:
        if not writing.still_true(message, material, unit.now):
            ends.append(_end(message, MessageState.SUPERSEDED, None))
            continue
        made = await writing.prepared(unit, tools, sender, message, material)
        if isinstance(made, Prepared):
            prepared.append(made)
        else:
            ends.append(_end(message, MessageState.NOT_POSSIBLE, made))
    await _ended(unit, await outgoing.settle(unit.conn, ends, unit.now))
    return prepared


async def record(
    unit: Unit, results: Sequence[tuple[Prepared, Outcome]], tries: int
) -> Sequence[Ended]:
    """Record what the mail server answered; after ``tries`` delays a mail is given up."""
    ends: list[Settled] = []
    waits: list[Later] = []
    for prepared, outcome in results:
        message = prepared.message
        match outcome:
            case Handed():
                ends.append(_end(message, MessageState.SENT, None))
            case Refused(reason):
                ends.append(_end(message, MessageState.BOUNCED, reason))
            case Delayed(reason) if message.tries >= tries:
                ends.append(_end(message, MessageState.NOT_POSSIBLE, reason))
            case Delayed(reason):
                wait = WAITS[min(message.tries, len(WAITS)) - 1]
                waits.append(Later(message.message_id, message.tries, reason, wait, counts=True))
            case Unreachable(reason):
                waits.append(
                    Later(message.message_id, message.tries, reason, UNREACHABLE_WAIT, counts=False)
                )
    await outgoing.later(unit.conn, waits)
    settled = await outgoing.settle(unit.conn, ends, unit.now)
    await _ended(unit, settled)
    return settled


async def came_back(unit: Unit, ended: Ended) -> None:
    """A mail that had been taken came back later: somebody calls."""
    await _ended(unit, [ended])


async def _ended(unit: Unit, ended: Sequence[Ended]) -> None:
    """Whoever waits for news that cannot be mailed is called."""
    reasons = {
        MessageState.BOUNCED: CallReason.BOUNCED,
        MessageState.NOT_POSSIBLE: CallReason.NOT_POSSIBLE,
    }
    calls = [
        PhoneCall(
            case_id=one.case_id,
            ref=f"{one.kind}:{one.message_id}",
            about=one.kind.value,
            reason=reasons[one.state],
            at=unit.now,
            booking_id=one.booking_id,
            site_id=one.site_id,
            facts=one.facts,
        )
        for one in ended
        if one.state in reasons and one.case_id is not None and one.kind.is_called_about
    ]
    await citizens.call(unit, calls)


def _end(message: Taken, state: MessageState, reason: str | None) -> Settled:
    return Settled(message.message_id, message.tries, state, reason)

"""Notices that came back undelivered: whoever can be reached in another way is called.

Preparation finds the right address and sends a second notice. Who has a booking, or left a contact,
need not wait for it; once it goes out, nobody need call any more. Nothing is decided about the
case, and what is booked stands.
"""

from collections.abc import Mapping, Sequence

from services.reservation.domain.message import CallReason, PhoneCall
from services.reservation.handlers import citizens, facts
from services.reservation.handlers.facts import newest
from services.reservation.store import phone_list, returned_notices
from services.reservation.store.returned_notices import Unreached
from shared.contracts.preparation import CardNoticeReturned, CardNotified
from shared.messaging.envelope import Message
from shared.unit import Unit

ABOUT = "notice_returned"


async def notified(unit: Unit, messages: Sequence[Message[CardNotified]]) -> None:
    """Booking opens (``facts.notified``); calls about earlier notices are not needed any more."""
    await facts.notified(unit, messages)
    last = {message.data.case_id: message for message in newest(messages)}
    sent = [(m.data.case_id, m.data.notice_seq, m.time) for m in last.values()]
    await phone_list.sent_again(unit.conn, ABOUT, sent)


async def returned(unit: Unit, messages: Sequence[Message[CardNoticeReturned]]) -> None:
    """Remember which notice came back; call once for it, unless a later one has gone out."""
    last = {message.data.case_id: message for message in newest(messages)}
    told = [(m.data.case_id, m.data.notice_seq, m.time) for m in last.values()]
    unreached = await returned_notices.keep(unit.conn, told)
    await citizens.call(unit, [_call(one, last[one.case_id]) for one in unreached])


def _call(one: Unreached, message: Message[CardNoticeReturned]) -> PhoneCall:
    return PhoneCall(
        case_id=one.case_id,
        ref=f"{ABOUT}:{message.data.notice_seq}",
        about=ABOUT,
        reason=CallReason.NOTICE_RETURNED,
        at=message.time,
        booking_id=one.booking_id,
        site_id=one.site_id,
        facts=_facts(one, message),
    )


def _facts(one: Unreached, message: Message[CardNoticeReturned]) -> Mapping[str, str]:
    seq = {"notice_seq": str(message.data.notice_seq)}
    return seq | ({"starts_at": one.starts_at.isoformat()} if one.starts_at else {})

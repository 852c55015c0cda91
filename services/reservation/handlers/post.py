"""The post's two units: take what waits, and record what became of it. Between them a mail is sent.

No transaction is open while a mail server is spoken to. A process that ends after sending a mail
and before recording it leaves the lease to run out, and that one mail goes again under the same
Message-ID: at least once, and never before the change it tells of has committed.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from uuid import UUID

from services.reservation.domain.link import Link, Purpose
from services.reservation.domain.message import CallReason, Kind, MessageState, PhoneCall
from services.reservation.domain.rules import Rules
from services.reservation.domain.site_rules import SiteRules
from services.reservation.gateways import letters
from services.reservation.gateways.letters import Letter, Seat, Sender
from services.reservation.gateways.mail import Delayed, Outcome, Refused, Unreachable
from services.reservation.gateways.mail import Taken as Handed
from services.reservation.handlers import citizens, contacts, email_sessions, site_rules
from services.reservation.store import contacts as contact_store
from services.reservation.store import messages, sites
from services.reservation.store.contacts import StoredContact
from services.reservation.store.messages import Ended, Later, Now, Settled, Taken
from services.reservation.tools import Tools, contact_tag
from shared.calendar import business_date
from shared.contracts.base import Procedure
from shared.contracts.place import Site
from shared.errors import Language
from shared.ids import BookingId, CaseId, SiteId
from shared.security.vault import Cell, VaultError
from shared.unit import Unit

BATCH = 20
LEASE = timedelta(minutes=5)
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360))
"""Between tries; the last is repeated."""
UNREACHABLE_WAIT = timedelta(seconds=30)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A taken message as a mail."""

    message: Taken
    mail: EmailMessage
    to: str


@dataclass(frozen=True, slots=True)
class _Known:
    """What the letters of one batch are made from."""

    contacts: Mapping[CaseId, StoredContact]
    bookings: Mapping[BookingId, Now]
    sites: Mapping[SiteId, Site]
    rules: Mapping[SiteId, SiteRules]


@dataclass(frozen=True, slots=True)
class _Reader:
    """Whom a letter goes to, and what binds its links."""

    to: str
    language: Language
    tag: bytes | None


async def take(unit: Unit, tools: Tools, sender: Sender, rules: Rules) -> list[Prepared]:
    """Take what waits and write the letters; what is no longer true is settled here."""
    taken = await messages.take(unit.conn, BATCH, LEASE)
    if not taken:
        return []
    known = await _known(unit, taken, rules)
    ends: list[Settled] = []
    prepared: list[Prepared] = []
    for message in taken:
        if not _still_true(message, known, unit.now):
            ends.append(_end(message, MessageState.SUPERSEDED, None))
        elif isinstance(made := await _prepared(unit, tools, sender, message, known), Prepared):
            prepared.append(made)
        else:
            ends.append(_end(message, MessageState.NOT_POSSIBLE, made))
    await _ended(unit, await messages.settle(unit.conn, ends, unit.now))
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
    await messages.later(unit.conn, waits)
    settled = await messages.settle(unit.conn, ends, unit.now)
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
        if one.state in reasons and one.case_id is not None and not one.kind.is_code
    ]
    await citizens.call(unit, calls)


def _end(message: Taken, state: MessageState, reason: str | None) -> Settled:
    return Settled(message.message_id, message.tries, state, reason)


async def _known(unit: Unit, taken: Sequence[Taken], rules: Rules) -> _Known:
    case_ids = [one.case_id for one in taken if one.case_id is not None]
    booking_ids = [one.booking_id for one in taken if one.booking_id is not None]
    named = ("site_id", "to_site_id", "previous_site_id")
    site_ids = {one.facts[name] for one in taken for name in named if name in one.facts}
    stored = [await sites.read(unit.conn, SiteId(site_id)) for site_id in sorted(site_ids)]
    return _Known(
        contacts=await contact_store.of_cases(unit.conn, case_ids),
        bookings=await messages.bookings_now(unit.conn, booking_ids),
        sites={one.site.site_id: one.site for one in stored if one is not None},
        rules=await site_rules.at_all(unit, sorted(SiteId(one) for one in site_ids), rules),
    )


def _still_true(message: Taken, known: _Known, now: datetime) -> bool:
    """Nobody is told of a seat they no longer have, nor of a visit that is over."""
    facts = message.facts
    for name in ("starts_at", "answer_by", "expires_at"):
        if name in facts and datetime.fromisoformat(facts[name]) <= now:
            return False
    if not message.kind.tells_of_a_seat or message.booking_id is None:
        return True
    booking = known.bookings.get(message.booking_id)
    return booking is not None and booking.active and booking.version == facts["version"]


async def _prepared(
    unit: Unit, tools: Tools, sender: Sender, message: Taken, known: _Known
) -> Prepared | str:
    """The mail, or why there is none. One message that cannot be made never stops the others."""
    try:
        reader = await _reader(unit, tools, message, known)
        if reader is None:
            return "no_contact"
        letter = _letter(tools, message, known, reader, unit.now)
        return Prepared(message, letters.mail(letter, sender, datetime.now(UTC)), reader.to)
    except (VaultError, LookupError, ValueError) as error:
        # Neither its text nor a traceback: a library's error may quote the address.
        reason = type(error).__name__
        log.error("message %s cannot be written: %s", message.message_id, reason)
        return reason


async def _reader(unit: Unit, tools: Tools, message: Taken, known: _Known) -> _Reader | None:
    if message.request_id is not None:
        found = await contact_store.requests(unit.conn, [message.request_id])
        if message.request_id not in found:
            return None
        sealed, language = found[message.request_id]
        to = await _opened(unit, tools, email_sessions.login_cell(message.request_id), sealed)
        return _Reader(to, language, None) if to else None
    contact = known.contacts.get(message.case_id) if message.case_id else None
    if contact is None or contact.sealed_email is None:
        return None
    if message.kind is Kind.ADDRESS_CHECK:
        # The code is of one address; once another has taken its place it goes nowhere.
        if str(contact.contact_id) != message.facts["ref"]:
            return None
    elif contact.verified_at is None:
        return None
    to = await _opened(unit, tools, contacts.email_cell(contact.contact_id), contact.sealed_email)
    return _Reader(to, contact.language, contact_tag(contact.contact_id)) if to else None


async def _opened(unit: Unit, tools: Tools, cell: Cell, sealed: bytes) -> str | None:
    return (await tools.vault.open(unit.conn, {cell: sealed}))[cell]


def _letter(tools: Tools, message: Taken, known: _Known, reader: _Reader, now: datetime) -> Letter:
    facts = message.facts
    seat = _seat(known, facts, "site_id", "starts_at")
    before = _seat(known, facts, "previous_site_id", "previous_starts_at")
    if message.kind is Kind.ALTERNATIVE:
        seat, before = _seat(known, facts, "to_site_id", "to_starts_at"), seat
    return Letter(
        message_id=message.message_id,
        kind=message.kind,
        language=reader.language,
        to=reader.to,
        written_at=message.created_at,
        seat=seat,
        minutes=facts.get("minutes", 0),
        procedure=Procedure(facts["procedure"]) if "procedure" in facts else None,
        before=before,
        reason=facts.get("reason"),
        until=_until(facts) or _changeable(message, known, now),
        code=_code(tools, message),
        links=_links(tools, message, reader),
        booking_id=message.booking_id,
        version=facts.get("version", 0),
    )


def _seat(known: _Known, facts: Mapping[str, str], site: str, at: str) -> Seat | None:
    if site not in facts or at not in facts:
        return None
    return Seat(datetime.fromisoformat(facts[at]), known.sites[SiteId(facts[site])])


def _until(facts: Mapping[str, str]) -> datetime | None:
    for name in ("answer_by", "expires_at"):
        if name in facts:
            return datetime.fromisoformat(facts[name])
    return None


def _changeable(message: Taken, known: _Known, now: datetime) -> datetime | None:
    """Until when the visit can be changed, by the rules of its site; none once that is over."""
    if not message.kind.tells_of_a_seat:
        return None
    own = known.rules[SiteId(message.facts["site_id"])].of(Procedure(message.facts["procedure"]))
    day = business_date(datetime.fromisoformat(message.facts["starts_at"]))
    until = own.change_deadline(day)
    return until if until > now else None


def _code(tools: Tools, message: Taken) -> str | None:
    match message.kind:
        case Kind.ADDRESS_CHECK | Kind.LOGIN_CODE:
            login = message.kind is Kind.LOGIN_CODE
            purpose = email_sessions.CODE_PURPOSE if login else contacts.CODE_PURPOSE
            return tools.code(purpose, UUID(message.facts["ref"]))
        case _:
            return None


def _links(tools: Tools, message: Taken, reader: _Reader) -> dict[Purpose, str]:
    if message.case_id is None or reader.tag is None:
        return {}
    made = {}
    for purpose in letters.purposes(message.kind):
        named = message.facts.get("offer_id") if purpose is Purpose.OFFER else None
        ref = UUID(named) if named else message.booking_id
        if ref is not None:
            made[purpose] = tools.link(Link(purpose, message.case_id, ref, reader.tag))
    return made

"""How a message becomes a letter: who reads it, in which language, and what is true by now."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from uuid import UUID

from services.reservation.domain.link import Link, Purpose
from services.reservation.domain.message import Kind
from services.reservation.domain.rules import Rules
from services.reservation.domain.site_rules import SiteRules
from services.reservation.gateways import letters
from services.reservation.gateways.letters import Letter, Seat, Sender
from services.reservation.handlers import contacts, email_sessions, site_rules
from services.reservation.store import contacts as contact_store
from services.reservation.store import outgoing, sites
from services.reservation.store.contacts import StoredContact
from services.reservation.store.outgoing import Now, Taken
from services.reservation.tools import Tools, contact_tag
from shared.calendar import business_date
from shared.contracts.base import Procedure
from shared.contracts.place import Site
from shared.errors import Language
from shared.ids import BookingId, CaseId, SiteId
from shared.security.vault import Cell, VaultError
from shared.unit import Unit

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A taken message as a mail."""

    message: Taken
    mail: EmailMessage
    to: str


@dataclass(frozen=True, slots=True)
class Material:
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


async def gather(unit: Unit, taken: Sequence[Taken], rules: Rules) -> Material:
    """What the letters of ``taken`` are made from, read once for all of them."""
    case_ids = [one.case_id for one in taken if one.case_id is not None]
    booking_ids = [one.booking_id for one in taken if one.booking_id is not None]
    named = ("site_id", "to_site_id", "previous_site_id")
    site_ids = {one.facts[name] for one in taken for name in named if name in one.facts}
    stored = [await sites.read(unit.conn, SiteId(site_id)) for site_id in sorted(site_ids)]
    return Material(
        contacts=await contact_store.of_cases(unit.conn, case_ids),
        bookings=await outgoing.bookings_now(unit.conn, booking_ids),
        sites={one.site.site_id: one.site for one in stored if one is not None},
        rules=await site_rules.at_all(unit, sorted(SiteId(one) for one in site_ids), rules),
    )


def still_true(message: Taken, material: Material, now: datetime) -> bool:
    """Nobody is told of a seat they no longer have, nor of a visit that is over."""
    facts = message.facts
    ends = ("told_until",) if "told_until" in facts else ("starts_at", "answer_by", "expires_at")
    for name in ends:
        if name in facts and datetime.fromisoformat(facts[name]) <= now:
            return False
    of_a_booking = message.kind.tells_of_a_seat or message.kind is Kind.ALTERNATIVE
    if not of_a_booking or message.booking_id is None:
        return True
    booking = material.bookings.get(message.booking_id)
    return booking is not None and booking.active and booking.version == facts["version"]


async def prepared(
    unit: Unit, tools: Tools, sender: Sender, message: Taken, material: Material
) -> Prepared | str:
    """The mail, or why there is none. One message that cannot be made never stops the others."""
    try:
        reader = await _reader(unit, tools, message, material)
        if reader is None:
            return "no_contact"
        letter = _letter(tools, message, material, reader, unit.now)
        return Prepared(message, letters.mail(letter, sender, datetime.now(UTC)), reader.to)
    except (VaultError, LookupError, ValueError) as error:
        # Neither its text nor a traceback: a library's error may quote the address.
        reason = type(error).__name__
        log.error("message %s cannot be written: %s", message.message_id, reason)
        return reason


async def _reader(unit: Unit, tools: Tools, message: Taken, material: Material) -> _Reader | None:
    if message.request_id is not None:
        found = await contact_store.requests(unit.conn, [message.request_id])
        if message.request_id not in found:
            return None
        sealed, language = found[message.request_id]
        to = await _opened(unit, tools, email_sessions.login_cell(message.request_id), sealed)
        return _Reader(to, language, None) if to else None
    contact = material.contacts.get(message.case_id) if message.case_id else None
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


def _letter(
    tools: Tools, message: Taken, material: Material, reader: _Reader, now: datetime
) -> Letter:
    facts = message.facts
    seat = _seat(material, facts, "site_id", "starts_at")
    before = _seat(material, facts, "previous_site_id", "previous_starts_at")
    if message.kind is Kind.ALTERNATIVE:
        seat, before = _seat(material, facts, "to_site_id", "to_starts_at"), seat
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
        until=_until(facts) or _changeable(message, material, now),
        code=_code(tools, message),
        links=_links(tools, message, reader),
        booking_id=message.booking_id,
        version=facts.get("version", 0),
    )


def _seat(material: Material, facts: Mapping[str, str], site: str, at: str) -> Seat | None:
    if site not in facts or at not in facts:
        return None
    return Seat(datetime.fromisoformat(facts[at]), material.sites[SiteId(facts[site])])


def _until(facts: Mapping[str, str]) -> datetime | None:
    for name in ("answer_by", "expires_at"):
        if name in facts:
            return datetime.fromisoformat(facts[name])
    return None


def _changeable(message: Taken, material: Material, now: datetime) -> datetime | None:
    """Until when the visit can be changed, by the rules of its site; none once that is over."""
    if not message.kind.tells_of_a_seat:
        return None
    own = material.rules[SiteId(message.facts["site_id"])].of(Procedure(message.facts["procedure"]))
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

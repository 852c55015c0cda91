"""A message as the mail a citizen gets: plain text in their language, and the visit as iCalendar.

Pure: everything it says is in ``Letter``. No name stands in it, because this room knows none; its
Message-ID is the message's own id, so that a mail sent twice can be recognized.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from uuid import UUID

from services.reservation.domain.link import Purpose
from services.reservation.domain.message import Kind
from services.reservation.gateways import words
from services.reservation.gateways.invitations import Entry, ics
from shared.calendar import TOKYO
from shared.contracts.base import Procedure
from shared.contracts.place import Site
from shared.errors import Language, Text
from shared.ids import BookingId


@dataclass(frozen=True, slots=True)
class Seat:
    """When and where."""

    starts_at: datetime
    site: Site


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes: the city's desk."""

    address: str
    name: Text
    link_url: str
    """Where the links lead; the token follows as the fragment, which reaches no server's log."""

    @property
    def domain(self) -> str:
        """What makes identifiers the city's own."""
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Letter:
    """Everything one mail says."""

    message_id: UUID
    kind: Kind
    language: Language
    to: str
    written_at: datetime
    seat: Seat | None = None
    minutes: int = 0
    procedure: Procedure | None = None
    before: Seat | None = None
    reason: str | None = None
    until: datetime | None = None
    code: str | None = None
    links: Mapping[Purpose, str] | None = None
    """Tokens by purpose."""
    booking_id: BookingId | None = None
    version: int = 0
    """Of the booking; the calendar's SEQUENCE."""


def mail(letter: Letter, sender: Sender, sent_at: datetime) -> EmailMessage:
    """The mail, complete."""
    made = EmailMessage(policy=SMTP)
    made["From"] = Address(sender.name.to(letter.language), addr_spec=sender.address)
    made["To"] = letter.to
    made["Subject"] = _filled(words.OPENINGS[letter.kind][0], letter)
    made["Date"] = format_datetime(sent_at)
    made["Message-ID"] = f"<{letter.message_id}@{sender.domain}>"
    made["Auto-Submitted"] = "auto-generated"
    made["X-Madoguchi-Kind"] = letter.kind.value
    made.set_content("\n".join(_lines(letter, sender)) + "\n", cte="base64")
    if (entry := _entry(letter)) is not None:
        method = "CANCEL" if entry.cancelled else "PUBLISH"
        made.add_attachment(
            ics(entry, sender.domain),
            maintype="text",
            subtype="calendar",
            filename="visit.ics",
            params={"method": method, "charset": "utf-8"},
        )
    # Last, because setting and attaching content moves such headers into a part.
    made["Content-Language"] = letter.language
    return made


def local(at: datetime, language: Language) -> str:
    """A time as people say it, in Tokyo."""
    there = at.astimezone(TOKYO)
    if language == "ja":
        day = words.WEEKDAYS[there.weekday()]
        return f"{there.year}年{there.month}月{there.day}日（{day}）{there:%H:%M}"
    return f"{there:%a}, {there.day} {there:%b %Y}, {there:%H:%M}"


def _lines(letter: Letter, sender: Sender) -> Iterator[str]:
    language = letter.language
    yield words.OPENINGS[letter.kind][1].to(language)
    yield ""
    yield from _body(letter)
    for purpose, token in (letter.links or {}).items():
        yield ""
        yield words.LINKS[purpose].to(language)
        yield f"{sender.link_url}#{token}"
    yield ""
    yield (words.CODE_LASTS if letter.kind.is_code else words.AUTOMATIC).to(language)
    yield sender.name.to(language)


def _body(letter: Letter) -> Iterator[str]:
    language = letter.language
    if letter.code is not None:
        yield letter.code
    if letter.seat is not None:
        yield words.WHEN.to(language).format(when=local(letter.seat.starts_at, language))
        yield words.WHERE.to(language).format(where=_place(letter.seat, language))
    if letter.procedure is not None:
        what = words.PROCEDURES[letter.procedure].to(language)
        yield words.WHAT.to(language).format(what=what)
    if letter.before is not None:
        yield words.BEFORE.to(language).format(
            when=local(letter.before.starts_at, language), where=_place(letter.before, language)
        )
    if letter.reason is not None and letter.reason in words.REASONS:
        yield words.REASONS[letter.reason].to(language)
    if letter.until is not None:
        text = words.CHANGEABLE if letter.kind.tells_of_a_seat else words.UNTIL
        yield text.to(language).format(until=local(letter.until, language))
    if letter.kind is Kind.ALTERNATIVE:
        yield words.SILENCE.to(language)


def _place(seat: Seat, language: Language) -> str:
    name = seat.site.name
    return name.ja if language == "ja" else name.en


def _filled(text: Text, letter: Letter) -> str:
    seat = letter.before if letter.kind is Kind.ALTERNATIVE else letter.seat
    when = local(seat.starts_at, letter.language) if seat else ""
    return text.to(letter.language).format(when=when)


def _entry(letter: Letter) -> Entry | None:
    in_calendar = letter.kind.tells_of_a_seat or letter.kind is Kind.CANCELLED
    if not in_calendar or letter.seat is None or letter.booking_id is None:
        return None
    procedure = letter.procedure or Procedure.CARD_ISSUANCE
    return Entry(
        booking_id=letter.booking_id,
        version=letter.version,
        starts_at=letter.seat.starts_at,
        minutes=letter.minutes,
        title=words.PROCEDURES[procedure].to(letter.language),
        place=_place(letter.seat, letter.language),
        latitude=letter.seat.site.latitude,
        longitude=letter.seat.site.longitude,
        written_at=letter.written_at,
        cancelled=letter.kind is Kind.CANCELLED,
    )


def purposes(kind: Kind) -> Sequence[Purpose]:
    """The links a letter carries."""
    match kind:
        case Kind.CONFIRMED | Kind.MOVED | Kind.REMINDER | Kind.SUSPENDED:
            return (Purpose.VIEW, Purpose.MOVE, Purpose.CANCEL)
        case Kind.ALTERNATIVE:
            return (Purpose.ANSWER,)
        case Kind.OFFERED:
            return (Purpose.OFFER,)
        case _:
            return ()

"""What callers may send. Every field is listed; anything else is refused and not repeated."""

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from services.issuance.domain.code import LONGEST, read_code
from services.issuance.domain.identity import Document, DocumentClass, DocumentType
from services.issuance.domain.ticket import Need
from shared.contracts.base import BusinessDate, Certificate, SiteRef
from shared.contracts.issuance import DeferReason
from shared.errors import RejectedValueError, Text
from shared.ids import BookingId, CaseId
from shared.security.blind_index import NoticeNumberError, normal_notice_number

CounterName = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,8}$")]
EXAMPLE_ID = "0197c000-0000-7000-8000-000000000002"


class Body(BaseModel):
    """A request body without room for anything else."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Nothing(Body):
    """No field at all: ``{}`` or no body."""


class CheckIn(Body):
    """The booking, the notice number, or a code that was scanned: one of the three."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"site_id": "kawasaki-ward-office", "booking_id": EXAMPLE_ID},
                {"site_id": "kawasaki-ward-office", "notice_number": "A1B-234567"},
                {"site_id": "kawasaki-ward-office", "code": EXAMPLE_ID, "need": "wheelchair"},
            ]
        }
    )

    site_id: SiteRef
    """The site the party is at."""

    need: Need | None = None
    """Why the party is served sooner, if it is."""

    booking_id: BookingId | None = None
    """The booking of one of the party's cases."""

    notice_number: Annotated[str | None, Field(max_length=20, repr=False)] = None
    """The number on the notice, as printed or typed: ``A1B-234567``."""

    code: Annotated[str | None, Field(max_length=LONGEST, repr=False)] = None
    """What a QR code holds, or what was typed: a booking code or a notice number."""

    @field_validator("notice_number")
    @classmethod
    def _has_its_form(cls, number: str | None) -> str | None:
        return None if number is None else notice_number_of(number)

    @field_validator("code")
    @classmethod
    def _can_be_read(cls, code: str | None) -> str | None:
        return None if code is None else str(read_code(code))

    @model_validator(mode="after")
    def _names_one(self) -> "CheckIn":
        if [self.booking_id, self.notice_number, self.code].count(None) != 2:
            raise RejectedValueError(
                Text(
                    "Give either booking_id, notice_number or code.",
                    "booking_id・notice_number・code のいずれか一つを指定してください。",
                ),
                Text("Send exactly one of them.", "一つだけを送信してください。"),
            )
        return self

    @property
    def named(self) -> BookingId | str:
        """The booking, or the notice number."""
        if self.code is not None:
            return read_code(self.code)
        return self.booking_id or self.notice_number or ""


def notice_number_of(number: str) -> str:
    """The normal form of a notice number. Raises ``RejectedValueError``."""
    try:
        return normal_notice_number(number)
    except NoticeNumberError:
        raise RejectedValueError(
            Text(
                "A notice number is three letters or digits, then six digits.",
                "交付通知書の番号は英数字3文字と数字6桁です。",
            ),
            Text("Read it again from the notice.", "交付通知書の番号を確認してください。"),
        ) from None


class CallTo(Body):
    """The counter the party is called to."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"counter": "3"}]})

    counter: CounterName
    """As its sign says."""


class ShownDocument(Body):
    """A document that was seen; never its number."""

    document_class: Annotated[DocumentClass, Field(alias="class")]
    """A or B."""

    type: DocumentType
    """What it is."""

    def to_domain(self) -> Document:
        """As the domain knows it."""
        return Document(self.document_class, self.type)


class Identity(Body):
    """The documents shown: one of class A or two different ones of class B."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"documents": [{"class": "A", "type": "drivers_licence"}]},
                {
                    "documents": [
                        {"class": "B", "type": "health_insurance"},
                        {"class": "B", "type": "pension_book"},
                    ]
                },
            ]
        }
    )

    documents: Annotated[tuple[ShownDocument, ...], Field(min_length=1, max_length=8)]
    """All that were shown."""


class PinSet(Body):
    """The citizen has set the PIN at the terminal; the PIN itself has no place here."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"confirmed": True}]})

    confirmed: Literal[True]
    """Always true."""


class Renewal(Body):
    """Which certificates were written."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"certificates": ["signing", "user_authentication"]}]}
    )

    certificates: Annotated[tuple[Certificate, ...], Field(min_length=1, max_length=2)]
    """One or both."""

    @field_validator("certificates")
    @classmethod
    def _each_once(cls, certificates: tuple[Certificate, ...]) -> tuple[Certificate, ...]:
        return tuple(sorted(set(certificates)))


class Deferral(Body):
    """Why the citizen must come again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "documents_missing"}]})

    reason: DeferReason
    """What is missing."""


class CardCount(Body):
    """Where the cards are that were at a counter."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"back": [EXAMPLE_ID]}]})

    date: BusinessDate | None = None
    """The date in Japan; today where none is named."""

    back: Annotated[tuple[CaseId, ...], Field(max_length=500)] = ()
    """Cases whose cards lie on their shelf again."""

    missing: Annotated[tuple[CaseId, ...], Field(max_length=500)] = ()
    """Cases whose cards cannot be found."""


class SignOff(Body):
    """The day to close; today where none is named."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"date": "2026-07-14"}, {}]})

    date: BusinessDate | None = None
    """The date in Japan."""

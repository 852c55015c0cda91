"""Who came: how a row that begins a visit names its party."""

from typing import Annotated

from pydantic import Field, field_validator

from services.issuance.api.bodies import Body, notice_number_of
from services.issuance.domain.ticket import Need
from shared.contracts.base import SiteRef, WardRef
from shared.errors import RejectedValueError, Text
from shared.ids import BookingId, CaseId, VisitId


class Who(Body):
    """Who came: one of ``booking_id``, ``notice_number``, ``case_id`` and ``ward``."""

    site_id: SiteRef
    """The site the party is at."""

    visit_id: VisitId | None = None
    """An id of your own for the visit (UUIDv7), by which later rows may name it."""

    booking_id: BookingId | None = None
    """The booking of one of the party's cases."""

    notice_number: Annotated[str | None, Field(max_length=20, repr=False)] = None
    """A card that lies here: the number on its notice."""

    case_id: CaseId | None = None
    """A card that lies here, by its case; beside ``ward``, an id of your own for the new case."""

    ward: WardRef | None = None
    """A certificate renewal without a booking: the ward of residence."""

    need: Need | None = None
    """Why the party is served sooner, if it is."""

    @field_validator("notice_number")
    @classmethod
    def _has_its_form(cls, number: str | None) -> str | None:
        return None if number is None else notice_number_of(number)

    @property
    def names(self) -> int:
        """How many ways of naming somebody were used."""
        named = [self.booking_id, self.notice_number, self.ward]
        return 3 - named.count(None) + (self.case_id is not None and self.ward is None)


def one_of() -> RejectedValueError:
    return RejectedValueError(
        Text(
            "Give one of booking_id, notice_number, case_id and ward.",
            "booking_id・notice_number・case_id・ward のいずれか一つを指定してください。",
        ),
        Text("Send exactly one of them.", "一つだけを送信してください。"),
    )

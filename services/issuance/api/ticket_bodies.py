"""What callers send about tickets and counters."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from services.issuance.api.bodies import Body, CounterName, notice_number_of
from services.issuance.domain.ticket import Need, Purpose
from shared.contracts.base import SiteRef, WardRef
from shared.errors import RejectedValueError, Text

_SITE = "kawasaki-ward-office"


class WalkIn(Body):
    """Somebody who comes without a booking, and what for."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"site_id": _SITE, "purpose": "question"},
                {"site_id": _SITE, "purpose": "certificate_renewal", "ward": "141313"},
                {"site_id": _SITE, "purpose": "card_issuance", "notice_number": "A1B-234567"},
            ]
        }
    )

    site_id: SiteRef
    """The site the party is at."""

    purpose: Purpose
    """What it came for."""

    notice_number: Annotated[str | None, Field(max_length=20, repr=False)] = None
    """For a card that lies here: the number on its notice."""

    ward: WardRef | None = None
    """For a certificate renewal: the ward of residence."""

    need: Need | None = None
    """Why the party is served sooner, if it is."""

    @field_validator("notice_number")
    @classmethod
    def _has_its_form(cls, number: str | None) -> str | None:
        return None if number is None else notice_number_of(number)

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        card = self.purpose is Purpose.CARD_ISSUANCE
        renewal = self.purpose is Purpose.CERTIFICATE_RENEWAL
        if (self.notice_number is not None) != card or (self.ward is not None) != renewal:
            raise RejectedValueError(
                Text(
                    "A card needs notice_number, a renewal needs ward, and a question neither.",
                    "カード交付には notice_number、証明書更新には ward が必要です（質問は不要）。",
                ),
                Text(
                    "Send exactly the field that the purpose needs.",
                    "用件に必要な項目だけを送信してください。",
                ),
            )
        return self


class SendOn(Body):
    """Where a party goes next; to any counter where none is named."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"counter": "4"}, {}]})

    counter: CounterName | None = None
    """The counter it waits for."""


class OpenFor(Body):
    """What a counter does from now on; as before where nothing is named."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"purposes": ["card_issuance", "question"]}, {}]}
    )

    purposes: Annotated[tuple[Purpose, ...] | None, Field(min_length=1, max_length=3)] = None
    """All of it."""

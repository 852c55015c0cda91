"""Certificate renewals: one at a time per verified contact."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.reservation.api.citizen_desk import PER_SESSION, CitizenDeskDep
from services.reservation.api.desk import DeskDep
from services.reservation.api.fields import Day, Phone, Speech
from services.reservation.api.times import LocalInstant
from services.reservation.domain.renewal import Renewal, renewable_from
from services.reservation.handlers import renewals
from services.reservation.handlers.renewals import Wish
from shared.contracts.base import WardRef
from shared.http.call import CallDep, OnceDep
from shared.http.language import negotiate
from shared.ids import CaseId, WardCode
from shared.unit import Unit

router = APIRouter(prefix="/v1/renewals", tags=["renewals"], dependencies=[PER_SESSION])


class RenewalBody(BaseModel):
    """Whose certificates end when."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"ward": "141313", "certificate_expires_on": "2026-05-20"}]
        },
    )

    ward: Annotated[WardRef, Field(description="Ward of residence.")]
    certificate_expires_on: Day = Field(description="Printed on the card, or told by its letter.")
    phone: Phone | None = Field(None, description="Staff alone: who called.")
    language: Speech | None = Field(None, description="Staff alone: what the caller speaks.")


class RenewalView(BaseModel):
    """A renewal."""

    case_id: CaseId = Field(description="Book it like any other case.")
    ward: WardCode
    certificate_expires_on: date
    renewable_from: date
    opened_at: LocalInstant
    ended_at: LocalInstant | None

    @classmethod
    def of(cls, renewal: Renewal) -> "RenewalView":
        """The renewal as it is shown."""
        return cls(
            case_id=renewal.case_id,
            ward=renewal.ward,
            certificate_expires_on=renewal.certificate_expires_on,
            renewable_from=renewable_from(renewal.certificate_expires_on),
            opened_at=renewal.opened_at,
            ended_at=renewal.ended_at,
        )


@router.post("", summary="Open a certificate renewal", status_code=201, response_model=RenewalView)
async def open_renewal(
    body: RenewalBody, call: OnceDep, desk: DeskDep, citizens: CitizenDeskDep, request: Request
) -> Response:
    """Needs a login by e-mail; staff open it for who calls, by the telephone number.

    409 `renewal-active` where the contact has one, 422 `not-renewable-yet` more than three months
    before the certificates end. The citizen's token covers the case already.
    """
    language = body.language or negotiate(request.headers.get("accept-language"))
    wish = Wish(body.ward, body.certificate_expires_on, body.phone, language)

    async def command(unit: Unit) -> RenewalView:
        return RenewalView.of(await renewals.open_(unit, citizens.tools, wish, desk.rules))

    return await call.once(body, command, location="/v1/renewals/{case_id}")


@router.get("/{case_id}", summary="One renewal")
async def read_renewal(case_id: CaseId, call: CallDep) -> RenewalView:
    """The renewal; reading it is audited."""
    async with call.unit() as unit:
        return RenewalView.of(await renewals.read(unit, case_id))


@router.post("/{case_id}:withdraw", summary="Withdraw a renewal")
async def withdraw_renewal(case_id: CaseId, call: CallDep, desk: DeskDep) -> RenewalView:
    """Ends it and cancels what is booked for it; then another may be opened."""
    async with call.unit() as unit:
        return RenewalView.of(await renewals.withdraw(unit, case_id, desk.rules))

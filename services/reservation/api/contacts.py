"""How a citizen is reached about a case."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.reservation.api.citizen_desk import PER_SESSION, CitizenDeskDep, spend
from services.reservation.api.desk import DeskDep
from services.reservation.api.fields import Code, Email, Phone, Speech
from services.reservation.domain.contact import Contact, mailbox
from services.reservation.domain.fair_use import CODE_TRIES
from services.reservation.handlers import contacts, fair_use, renewals
from services.reservation.handlers.contacts import Wish
from shared.http.call import CallDep
from shared.http.language import negotiate
from shared.ids import CaseId

router = APIRouter(prefix="/v1/contacts", tags=["contacts"], dependencies=[PER_SESSION])


class ContactBody(BaseModel):
    """The whole contact."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"email": "name@example.jp", "phone": "044-200-0000"}]},
    )

    email: Email | None = None
    phone: Phone | None = None
    language: Speech | None = Field(None, description="Of the mails; else by Accept-Language.")


class VerifyBody(BaseModel):
    """The code of the mail."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"code": "01234567"}]}
    )

    code: Code


class ContactView(BaseModel):
    """A contact. Mails go out once the address is verified."""

    email: str | None
    phone: str | None
    language: Speech
    verified: bool = Field(description="Whether the address was shown to be the citizen's.")

    @classmethod
    def of(cls, contact: Contact) -> "ContactView":
        """The contact as it is shown."""
        return cls(
            email=contact.email,
            phone=contact.phone,
            language=contact.language,
            verified=contact.verified_at is not None,
        )


@router.put("/{case_id}", summary="Keep a contact")
async def put_contact(
    *,
    case_id: CaseId,
    body: ContactBody,
    call: CallDep,
    citizens: CitizenDeskDep,
    request: Request,
    response: Response,
) -> ContactView:
    """Replaces the contact of the case. A new address is sent a code; until it is typed, no other
    mail goes there. Sent again until then, it is sent another code, and the former one ends. Links
    in mails to the former address end.
    """
    response.headers["Cache-Control"] = "no-store"
    if body.email is not None:
        async with call.unit() as unit:
            await contacts.require(unit, case_id)
        key = citizens.tools.address_keys(mailbox(body.email))[0]
        address_key = None if call.principal.is_staff else citizens.address_key(request)
        await spend(call, fair_use.code(citizens.fair_use, key, address_key))
    language = body.language or negotiate(request.headers.get("accept-language"))
    wish = Wish(body.email, body.phone, language)
    async with call.unit() as unit:
        return ContactView.of(await contacts.put(unit, citizens.tools, case_id, wish))


@router.get("/{case_id}", summary="The contact of a case")
async def read_contact(
    case_id: CaseId, call: CallDep, citizens: CitizenDeskDep, response: Response
) -> ContactView:
    """The contact; reading it is audited."""
    response.headers["Cache-Control"] = "no-store"
    async with call.unit() as unit:
        return ContactView.of(await contacts.read(unit, citizens.tools, case_id))


@router.post("/{case_id}:verify", summary="Verify an e-mail address")
async def verify_contact(
    case_id: CaseId,
    body: VerifyBody,
    call: CallDep,
    citizens: CitizenDeskDep,
    response: Response,
) -> ContactView:
    """Takes the code of the mail, five tries; what is booked is then confirmed there."""
    response.headers["Cache-Control"] = "no-store"
    async with call.unit() as unit:
        contact_id = await contacts.awaiting(unit, case_id)
    limits = fair_use.typed(contact_id, CODE_TRIES)
    await spend(call, limits)
    async with call.unit() as unit:
        verified = await contacts.verify(unit, citizens.tools, case_id, body.code)
        await fair_use.forgive(unit, limits)
    return ContactView.of(verified)


@router.delete("/{case_id}", summary="Erase a contact", status_code=204)
async def erase_contact(case_id: CaseId, call: CallDep, desk: DeskDep) -> None:
    """Destroys the key of the contact: nothing of it can be read any more, backups included.

    A certificate renewal opened with this contact ends with it. Erasing again changes nothing.
    """
    async with call.unit() as unit:
        await renewals.erase_contact(unit, case_id, desk.rules)

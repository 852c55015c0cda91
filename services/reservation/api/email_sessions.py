"""Login by e-mail, for renewals that no notice invites to."""

from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.reservation.api.citizen_desk import CitizenDeskDep, spend
from services.reservation.api.desk import DeskDep
from services.reservation.api.fields import Code, Email, Speech
from services.reservation.api.sessions import Session, SessionCase
from services.reservation.domain.contact import mailbox
from services.reservation.domain.fair_use import CODE_TRIES
from services.reservation.handlers import email_sessions, fair_use, sessions
from services.reservation.handlers.renewals import CONTACT
from shared.http.call import CallDep
from shared.http.language import negotiate
from shared.ids import CaseId
from shared.security.citizen_tokens import LIFETIME

router = APIRouter(prefix="/v1", tags=["sessions"])


class CodeWish(BaseModel):
    """Where the code goes."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"email": "name@example.jp"}]}
    )

    email: Email
    language: Speech | None = Field(None, description="Of the mails; else by Accept-Language.")


class CodeSent(BaseModel):
    """Under which id to type the code. The same whether the address is known or not."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"request_id": "0195f2c0-7b7c-7d0e-8a3c-5d2e4f6a7b8c", "expires_in": 900}]
        }
    )

    request_id: UUID
    expires_in: int = Field(description="Seconds until the code ends.")


class EmailLogin(BaseModel):
    """The code of the mail."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"request_id": "0195f2c0-7b7c-7d0e-8a3c-5d2e4f6a7b8c", "code": "01234567"}]
        },
    )

    request_id: UUID
    code: Code


@router.post("/sessions:request", summary="Ask for a login code by e-mail", status_code=202)
async def request_code(
    wish: CodeWish, call: CallDep, citizens: CitizenDeskDep, request: Request, response: Response
) -> CodeSent:
    """Mails a code of eight digits, so many per address and hour; then 429 `too-many-tries`."""
    response.headers["Cache-Control"] = "no-store"
    language = wish.language or negotiate(request.headers.get("accept-language"))
    mailbox_key = citizens.tools.address_keys(mailbox(wish.email))[0]
    await spend(call, fair_use.code(citizens.fair_use, mailbox_key, citizens.address_key(request)))
    async with call.unit() as unit:
        request_id = await email_sessions.request(unit, citizens.tools, wish.email, language)
    lasts = int(email_sessions.LASTS.total_seconds())
    return CodeSent(request_id=request_id, expires_in=lasts)


@router.post("/sessions:confirm", summary="Log in with the code", status_code=201)
async def confirm_code(
    *,
    login: EmailLogin,
    call: CallDep,
    desk: DeskDep,
    citizens: CitizenDeskDep,
    request: Request,
    response: Response,
) -> Session:
    """Opens a session for the address: its renewal, or the one to open with `POST /v1/renewals`.

    A wrong code, an old one and an unknown request are answered alike; five tries per code.
    """
    response.headers["Cache-Control"] = "no-store"
    limits = [
        *fair_use.typed(login.request_id, CODE_TRIES),
        fair_use.login(citizens.fair_use, "", citizens.address_key(request))[1],
    ]
    await spend(call, limits)
    async with call.unit() as unit:
        found = await email_sessions.confirm(unit, citizens.tools, login.request_id, login.code)
        await fair_use.forgive(unit, limits)
        cases = await sessions.own(unit, found.cases, desk.rules)
    ids: list[CaseId] = [*found.cases, *([found.next_case] if found.next_case else [])]
    token = desk.tokens.issue(f"{CONTACT}{found.contact_id}", ids)
    left = token.expires_at - datetime.now(UTC)
    return Session(
        access_token=token.token,
        expires_in=min(round(left.total_seconds()), int(LIFETIME.total_seconds())),
        cases=[SessionCase.of(case) for case in cases],
    )

"""The log of mails to citizens, and the list of those who have to be called."""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from services.reservation.api import exports
from services.reservation.api.citizen_desk import CitizenDeskDep
from services.reservation.api.times import LocalInstant
from services.reservation.domain.message import CallReason, Kind, MessageState
from services.reservation.handlers import message_log, phone_list
from services.reservation.handlers.phone_list import Call
from services.reservation.store.messages import Logged
from shared.contracts.base import SiteRef
from shared.http.call import CallDep
from shared.http.paging import Page, PageDep, PageRequest
from shared.http.tables import TableDep, TableRequest
from shared.ids import BookingId, CaseId, SiteId

router = APIRouter(prefix="/v1", tags=["messages"])


class Outcome(StrEnum):
    """How a call ended."""

    REACHED = "reached"
    NOT_REACHED = "not_reached"
    LETTER_SENT = "letter_sent"
    NOT_NEEDED = "not_needed"


class MessageView(BaseModel):
    """One message: references and outcome, neither address nor text."""

    message_id: UUID
    kind: Kind
    case_id: CaseId | None
    booking_id: BookingId | None
    site_id: SiteId | None
    state: MessageState
    reason: str | None = Field(description="Reply code of the mail server, or a word of ours.")
    tries: int
    created_at: LocalInstant
    settled_at: LocalInstant | None

    @classmethod
    def of(cls, logged: Logged) -> "MessageView":
        """The message as it is shown."""
        return cls.model_validate(logged, from_attributes=True)


class CallView(BaseModel):
    """Somebody to call."""

    entry_id: UUID
    case_id: CaseId
    booking_id: BookingId | None
    site_id: SiteId | None
    about: str = Field(
        description="The kind of message that did not arrive, `card_not_there`, `notice_returned`,"
        " `ward_changed` or `not_signed_off`."
    )
    reason: CallReason
    phone: str | None = Field(description="Null where none is kept: write a letter.")
    email: str | None
    language: str | None
    visit_at: LocalInstant | None = Field(description="The visit that the message was about.")
    answer_by: LocalInstant | None = Field(description="Until when an answer is awaited.")
    added_at: LocalInstant

    @classmethod
    def of(cls, call: Call) -> "CallView":
        """The call as it is shown."""
        entry = call.entry
        return cls(
            entry_id=entry.entry_id,
            case_id=entry.case_id,
            booking_id=entry.booking_id,
            site_id=entry.site_id,
            about=entry.about,
            reason=CallReason(entry.reason),
            phone=call.phone,
            email=call.email,
            language=entry.language,
            visit_at=entry.visit_at,
            answer_by=entry.answer_by,
            added_at=entry.added_at,
        )


class CallDone(BaseModel):
    """How it went."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"outcome": "reached"}]}
    )

    outcome: Outcome


class Bounce(BaseModel):
    """Why a mail came back."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"code": "5.1.1"}]})

    code: Annotated[str, Field(pattern=r"^[245]\.\d{1,3}\.\d{1,3}$")] = Field(
        description="Enhanced status code of the bounce (RFC 3463)."
    )


@router.get(
    "/messages",
    summary="Log of messages",
    response_model=Page[MessageView],
    responses=exports.FILES,
)
async def list_messages(
    *,
    call: CallDep,
    page: PageDep,
    wanted: TableDep,
    site_id: SiteRef | None = None,
    state: MessageState | None = None,
    case_id: CaseId | None = None,
) -> Page[MessageView] | Response:
    """What citizens were told about bookings at a site, the oldest first."""
    page = _whole(page, wanted)
    async with call.unit() as unit:
        rows = await message_log.page(
            unit,
            site_id=site_id,
            state=state,
            case_id=case_id,
            after=page.after(tuple[datetime, UUID]),
            limit=page.fetch,
        )
    shown = page.page(rows, key=lambda row: (row.created_at, row.message_id), item=MessageView.of)
    if wanted.format == "json":
        return shown
    return await wanted.answer(exports.table("messages", exports.MESSAGES, shown.items))


@router.post("/messages/{message_id}:bounced", summary="A mail came back")
async def message_bounced(message_id: UUID, body: Bounce, call: CallDep) -> MessageView:
    """For the city's mail system, which gets the bounces: the citizen goes onto the phone list.

    The message id is the left part of the mail's Message-ID.
    """
    async with call.unit() as unit:
        return MessageView.of(await message_log.bounced(unit, message_id, body.code))


@router.get(
    "/phone-list",
    summary="Whom to call",
    response_model=Page[CallView],
    responses=exports.FILES,
)
async def list_calls(
    *,
    call: CallDep,
    page: PageDep,
    wanted: TableDep,
    citizens: CitizenDeskDep,
    response: Response,
    site_id: Annotated[SiteRef | None, Query(description="Whose bookings.")] = None,
) -> Page[CallView] | Response:
    """Open calls, the oldest first. Reading it is audited, entry by entry."""
    page = _whole(page, wanted)
    async with call.unit() as unit:
        rows = await phone_list.page(
            unit, citizens.tools, site_id, page.after(tuple[datetime, UUID]), page.fetch
        )
    shown = page.page(
        rows, key=lambda row: (row.entry.added_at, row.entry.entry_id), item=CallView.of
    )
    if wanted.format != "json":
        response = await wanted.answer(exports.table("phone-list", exports.CALLS, shown.items))
    response.headers["Cache-Control"] = "no-store"
    return shown if wanted.format == "json" else response


@router.post("/phone-list/{entry_id}:done", summary="A call is made", status_code=204)
async def call_done(entry_id: UUID, body: CallDone, call: CallDep) -> None:
    """Takes it off the list and keeps how it went."""
    async with call.unit() as unit:
        await phone_list.close(unit, entry_id, body.outcome.value)


def _whole(page: PageRequest, wanted: TableRequest) -> PageRequest:
    """A file is not read page by page."""
    return page if wanted.format == "json" else replace(page, limit=exports.LONGEST)

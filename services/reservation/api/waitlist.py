"""The waiting list: a freed seat is kept for one party at a time, then passes on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from services.reservation.api import exports
from services.reservation.api.bookings import PartyView
from services.reservation.api.citizen_desk import PER_SESSION
from services.reservation.api.desk import DeskDep
from services.reservation.api.fields import Day
from services.reservation.api.times import LocalInstant
from services.reservation.domain.waitlist import Entry, EntryId, EntryState, Offer, OfferState
from services.reservation.handlers import free_now, site_rules, waitlist
from services.reservation.handlers.free_now import FreeNow
from services.reservation.handlers.waitlist import Wish
from shared.contracts.base import BusinessDate, Procedure, SiteRef
from shared.errors import BadRequest, FieldError, Text
from shared.http.call import CallDep, OnceDep
from shared.http.paging import Page, PageDep, PageRequest
from shared.http.tables import Column, TableDep, TableRequest
from shared.ids import CaseId, OfferId, SiteId
from shared.unit import Unit

router = APIRouter(prefix="/v1/waitlist", tags=["waiting list"], dependencies=[PER_SESSION])

COLUMNS = (
    Column("waitlist_id", Text("Place", "番号")),
    Column("procedure", Text("Procedure", "手続")),
    Column("party", Text("Cases", "件数")),
    Column("first_day", Text("From", "開始日")),
    Column("last_day", Text("Until", "終了日")),
    Column("offers", Text("Offers", "案内回数")),
    Column("state", Text("State", "状態")),
    Column("joined_at", Text("Waiting since", "登録日時")),
)


class SiteMissing(BadRequest):
    """Staff ask site by site."""

    slug = "site-missing"
    title = Text("Say which site", "窓口を指定してください")

    def __init__(self) -> None:
        message = Text("Missing.", "指定されていません。")
        remedy = Text("Send one of your sites.", "担当の窓口を指定してください。")
        super().__init__(errors=(FieldError("site_id", message, remedy),))


class WishBody(BaseModel):
    """What a party waits for."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "case_ids": ["0195f2c0-7b7c-7d0e-8a3c-5d2e4f6a7b8c"],
                    "site_ids": ["kawasaki-ward-office"],
                    "first_day": "2026-04-08",
                    "last_day": "2026-04-24",
                }
            ]
        },
    )

    case_ids: Annotated[tuple[CaseId, ...], Field(min_length=1, max_length=20)]
    site_ids: Annotated[tuple[SiteRef, ...], Field(min_length=1, max_length=20)] = Field(
        description="Any of these would do; each has to serve the cases."
    )
    first_day: Day
    last_day: Day


class OfferView(BaseModel):
    """A seat that is, or was, kept for the party."""

    offer_id: OfferId
    site_id: SiteId
    starts_at: LocalInstant
    expires_at: LocalInstant = Field(description="Answer before, or it passes to the next.")
    state: OfferState

    @classmethod
    def of(cls, offer: Offer) -> "OfferView":
        """The offer as it is shown."""
        return cls.model_validate(offer, from_attributes=True)


class EntryView(BaseModel):
    """A party's place on the list."""

    waitlist_id: EntryId
    case_ids: list[CaseId]
    site_ids: list[SiteId]
    procedure: Procedure
    party: int = Field(description="How many cases come together.")
    first_day: BusinessDate
    last_day: BusinessDate
    offers: int = Field(description="Who has had fewer offers comes first.")
    state: EntryState
    joined_at: LocalInstant
    offer: OfferView | None = Field(description="The last offer.")

    @classmethod
    def of(cls, entry: Entry) -> "EntryView":
        """The place as it is shown."""
        return cls(
            waitlist_id=entry.entry_id,
            case_ids=list(entry.case_ids),
            site_ids=list(entry.site_ids),
            procedure=entry.procedure,
            party=len(entry.case_ids),
            first_day=entry.first_day,
            last_day=entry.last_day,
            offers=entry.offers,
            state=entry.state,
            joined_at=entry.made_at,
            offer=OfferView.of(entry.offer) if entry.offer else None,
        )


class FreeNowView(BaseModel):
    """A seat that is free at this moment."""

    site_id: SiteId
    starts_at: LocalInstant


class JoinedView(EntryView):
    """A new place, and where waiting is not needed."""

    free_now: list[FreeNowView] = Field(
        description="The earliest seat at each site that the party could book now instead, with"
        " POST /v1/bookings; nothing is kept. Empty where all is taken."
    )

    @classmethod
    def joined(cls, entry: Entry, free: Sequence[FreeNow]) -> "JoinedView":
        """The place as it is shown to who has just joined."""
        views = [FreeNowView.model_validate(one, from_attributes=True) for one in free]
        return cls(**dict(EntryView.of(entry)), free_now=views)


@router.post(
    "",
    summary="Join the waiting list",
    status_code=201,
    response_model=JoinedView,
    responses={201: {"headers": {"Location": {"schema": {"type": "string"}}}}},
)
async def join(body: WishBody, call: OnceDep, desk: DeskDep) -> Response:
    """One place per case. Who has a booking is offered earlier times only.

    Offers go out by mail and are seen here; staff join on behalf. `free_now` says where a fitting
    seat can be booked at once: nobody need wait who finds one there.
    """

    async def command(unit: Unit) -> JoinedView:
        wish = Wish(body.case_ids, body.site_ids, body.first_day, body.last_day)
        entry = await waitlist.join(unit, wish, desk.rules)
        return JoinedView.joined(entry, await free_now.find(unit, entry, desk.rules))

    return await call.once(body, command, location="/v1/waitlist/{waitlist_id}")


@router.get("", summary="Who waits", response_model=Page[EntryView], responses=exports.FILES)
async def list_entries(
    call: CallDep,
    page: PageDep,
    wanted: TableDep,
    site_id: Annotated[SiteRef | None, Query(description="Staff: one of their sites.")] = None,
) -> Page[EntryView] | Response:
    """Citizens see the places of their own cases; staff who waits for their site, audited."""
    if not call.principal.is_staff:
        async with call.unit() as unit:
            own = await waitlist.own(unit)
        return Page(items=[EntryView.of(entry) for entry in own], next_cursor=None)
    if site_id is None:
        raise SiteMissing
    if wanted.format != "json":
        return await _file(call, page, wanted, site_id)
    async with call.unit() as unit:
        rows = await waitlist.at_site(unit, site_id, _after(page), page.fetch)
    return page.page(rows, key=lambda one: (one.made_at, one.entry_id), item=EntryView.of)


@router.get("/{waitlist_id}", summary="One place")
async def read_entry(waitlist_id: EntryId, call: CallDep) -> EntryView:
    """The place and its last offer; reading it is audited."""
    async with call.unit() as unit:
        return EntryView.of(await waitlist.find(unit, waitlist_id))


@router.post("/{waitlist_id}:withdraw", summary="Leave the waiting list")
async def withdraw(waitlist_id: EntryId, call: CallDep, desk: DeskDep) -> EntryView:
    """A seat that is kept passes on. Leaving twice changes nothing."""
    async with call.unit() as unit:
        return EntryView.of(await waitlist.withdraw(unit, waitlist_id, desk.rules))


@router.post("/{waitlist_id}:accept", summary="Take the seat that is offered")
async def accept(waitlist_id: EntryId, call: CallDep, desk: DeskDep) -> PartyView:
    """Books it, or moves what the party has booked there; accepting again gives the same.

    409 `offer-ended` where its time is over: then the party waits on.
    """
    async with call.unit() as unit:
        made = await waitlist.accept(unit, waitlist_id, desk.rules)
        own = await site_rules.of_bookings(unit, made, desk.rules)
    return PartyView.of(made, own)


@router.post("/{waitlist_id}:decline", summary="Let the offered seat pass on")
async def decline(waitlist_id: EntryId, call: CallDep, desk: DeskDep) -> EntryView:
    """The party waits for another; the same time at the same site is not offered again."""
    async with call.unit() as unit:
        return EntryView.of(await waitlist.decline(unit, waitlist_id, desk.rules))


async def _file(
    call: CallDep, page: PageRequest, wanted: TableRequest, site_id: SiteId
) -> Response:
    async with call.unit() as unit:
        rows = await waitlist.at_site(unit, site_id, _after(page), exports.LONGEST)
    items = [EntryView.of(entry) for entry in rows]
    return await wanted.answer(exports.table("waitlist", COLUMNS, items))


def _after(page: PageRequest) -> tuple[datetime, UUID] | None:
    return page.after(tuple[datetime, UUID])

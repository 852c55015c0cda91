"""What the way of cards looks like in JSON."""

from datetime import date

from pydantic import BaseModel, Field

from services.reporting.domain.lead_times import Span
from shared.contracts.base import Procedure
from shared.ids import CaseId, SiteId, WardCode


class BacklogLine(BaseModel):
    """The four official totals of a day, and what waits between them."""

    business_date: date
    ward: str = Field(description="Ward of residence; unknown, or sum for the city.")
    applied: int
    shipped: int
    preset: int
    issued: int
    waiting_for_shipment: int
    waiting_for_preset: int
    waiting_for_issuance: int
    ended: int


class LeadTimeLine(BaseModel):
    """How long card cases took from stage to stage."""

    span: Span
    title: str
    ward: str = Field(description="Ward of residence, or sum for all.")
    cases: int
    p50: int = Field(description="Business days that half of the cases did not exceed.")
    p90: int
    p50_days: int = Field(description="The same in calendar days.")
    p90_days: int


class PickupLine(BaseModel):
    """Cards of a ward that wait for their holders."""

    business_date: date
    ward: str = Field(description="Ward of residence; unknown, or sum for the city.")
    to_collect: int = Field(description="Notified and not collected.")
    not_booked: int = Field(description="Of these, never booked.")
    notice_returned: int
    past_deadline: int = Field(description="Of these, after the pickup deadline.")
    disposal_due: int
    card_expires: int = Field(description="Ready cards that expire within the days asked for.")
    old_card_expires: int = Field(description="Shipped cards that replace one that expires so.")
    expired: int = Field(description="Ready cards whose own validity has ended.")


class StandingLine(BaseModel):
    """A case behind a figure of what waits."""

    case_id: CaseId
    ward: WardCode | None
    site_id: SiteId | None = Field(description="Where the card lies, by its notice.")
    since: date | None = Field(description="Day of the application, or of first sight.")
    deadline: date | None
    expires_on: date | None = Field(description="Of the card, or of the one it replaces.")


class HabitLine(BaseModel):
    """How citizens came, at a site or from a ward."""

    part: str = Field(description="The site, or the ward of residence.")
    procedure: Procedure
    made: int = Field(description="Bookings made.")
    moved: int
    moved_by_citizen: int
    cancelled: int
    cancelled_by_citizen: int
    missed: int
    completed: int = Field(description="Procedures completed.")
    out_of_reservation: int = Field(description="Of these, without a booking.")
    change_share: float | None = Field(description="Moves per booking made.")
    cancel_share: float | None = Field(description="Cancellations per booking made.")
    out_of_reservation_share: float | None


class FirstFreeLine(BaseModel):
    """What somebody who looked at the end of a day found; today, by what is free now."""

    business_date: date
    part: str = Field(description="The site, or the ward of residence.")
    procedure: Procedure
    first_free: date | None = Field(description="None where nothing was free in 60 days.")
    days: int | None

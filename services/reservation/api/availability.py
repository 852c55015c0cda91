"""Free seats, for everybody."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from services.reservation.api.desk import DeskDep
from services.reservation.api.times import LocalInstant
from services.reservation.handlers import availability
from services.reservation.handlers.availability import Day, Question, SiteDays
from shared.contracts.base import Procedure, SiteRef, WardRef
from shared.contracts.place import SiteName
from shared.errors import FieldError, Text, Unprocessable
from shared.http.call import CallDep
from shared.ids import SiteId

router = APIRouter(prefix="/v1", tags=["availability"])

LONGEST_DAYS = 62


class RangeRefused(Unprocessable):
    """The days asked for are the wrong way round, or too many."""

    slug = "range-refused"
    title = Text("These days cannot be asked for", "この期間は指定できません")

    def __init__(self) -> None:
        message = Text(
            f"Must lie 0 to {LONGEST_DAYS - 1} days after from.",
            f"from から{LONGEST_DAYS - 1}日以内の日付が必要です。",
        )
        remedy = Text("Ask for fewer days at once.", "期間を短くして指定してください。")
        super().__init__(errors=[FieldError("to", message, remedy)])


class StartView(BaseModel):
    """A time at which a visit may begin."""

    starts_at: LocalInstant
    free: int = Field(description="How many cases could begin then.")


class DayView(BaseModel):
    """One day on which something is free."""

    date: date
    free: int = Field(description="Seats of the day, each as long as the procedure takes.")
    starts: list[StartView] = Field(description="Empty where `starts=false` was asked.")

    @classmethod
    def of(cls, day: Day, *, with_starts: bool) -> "DayView":
        """The day as it is shown."""
        shown = day.starts if with_starts else []
        starts = [StartView(starts_at=start.starts_at, free=start.free) for start in shown]
        return cls(date=day.day, free=day.free, starts=starts)


class SiteAvailability(BaseModel):
    """The days of one site that accepts the ward and procedure."""

    site_id: SiteId
    name: SiteName
    version: int = Field(description="Version of the site that this was computed from.")
    days: list[DayView]

    @classmethod
    def of(cls, found: SiteDays, *, with_starts: bool) -> "SiteAvailability":
        """The site as it is shown."""
        return cls(
            site_id=found.site.site_id,
            name=found.site.name,
            version=found.version,
            days=[DayView.of(day, with_starts=with_starts) for day in found.days],
        )


class Availability(BaseModel):
    """Sites that accept the ward and procedure, and what is free there."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "sites": [
                        {
                            "site_id": "kawasaki-ward-office",
                            "name": {"ja": "川崎区役所", "en": "Kawasaki Ward Office"},
                            "version": 2,
                            "days": [
                                {
                                    "date": "2026-04-08",
                                    "free": 98,
                                    "starts": [
                                        {"starts_at": "2026-04-08T09:00:00+09:00", "free": 4}
                                    ],
                                }
                            ],
                        }
                    ]
                }
            ]
        }
    )

    sites: list[SiteAvailability]


@router.get("/availability", summary="Free seats by site and day")
async def read_availability(
    *,
    call: CallDep,
    desk: DeskDep,
    procedure: Procedure,
    ward: Annotated[WardRef, Query(description="Ward of residence.", examples=["141313"])],
    first: Annotated[date, Query(alias="from", description="First day.")],
    last: Annotated[date, Query(alias="to", description="Last day; at most 61 days later.")],
    party: Annotated[int, Query(ge=1, le=20, description="Cases that come together.")] = 1,
    site_id: Annotated[SiteRef | None, Query(description="Only this site.")] = None,
    starts: Annotated[bool, Query(description="Whether to list times, or days alone.")] = True,
) -> Availability:
    """Only sites that accept the ward and procedure, and only days open for booking.

    From the next business day to the horizon. A card that lies elsewhere needs some days more;
    the citizen's session tells the first day at the site where it lies. Booking checks again.
    """
    if not 0 <= (last - first).days < LONGEST_DAYS:
        raise RangeRefused
    question = Question(procedure, ward, first, last, party, site_id)
    async with call.unit() as unit:
        found = await availability.find(unit, question, desk.rules)
    return Availability(sites=[SiteAvailability.of(site, with_starts=starts) for site in found])

"""The days ahead as the city and the national system count them."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from services.reservation.api.availability import LONGEST_DAYS, RangeRefused
from services.reservation.api.desk import DeskDep
from services.reservation.api.exports import FILES, table
from services.reservation.api.times import LocalInstant
from services.reservation.domain.national_system import stops_at
from services.reservation.domain.opening import national_system_rests
from services.reservation.domain.rules import Rules
from shared.contracts.base import BusinessDate, Procedure
from shared.contracts.place import Weekday
from shared.errors import Text
from shared.http.tables import Column, TableDep

router = APIRouter(prefix="/v1", tags=["calendar"])

_EXAMPLE: dict[str, JsonValue] = {
    "days": [
        {
            "date": "2026-04-19",
            "weekday": "sunday",
            "business_day": False,
            "holiday": False,
            "opening_saturday": False,
            "card_issuance": True,
            "certificate_renewal": False,
            "national_system_stops_at": "2026-04-19T20:00:00+09:00",
        }
    ]
}


class CalendarDay(BaseModel):
    """One day."""

    date: date
    weekday: Weekday
    business_day: bool
    holiday: bool = Field(description="A holiday by law.")
    opening_saturday: bool = Field(description="A Saturday on which ward offices open.")
    card_issuance: bool = Field(description="Whether the national system hands over cards.")
    certificate_renewal: bool = Field(description="Whether it does certificate work.")
    national_system_stops_at: LocalInstant

    @classmethod
    def of(cls, day: BusinessDate, rules: Rules) -> "CalendarDay":
        """``day`` under the rules of the city."""
        calendar = rules.calendar
        return cls(
            date=day,
            weekday=Weekday.of(day),
            business_day=calendar.is_business_day(day),
            holiday=calendar.is_holiday(day),
            opening_saturday=calendar.is_opening_saturday(day),
            card_issuance=not national_system_rests(Procedure.CARD_ISSUANCE, day),
            certificate_renewal=not national_system_rests(Procedure.CERTIFICATE_RENEWAL, day),
            national_system_stops_at=stops_at(day, rules),
        )


class Calendar(BaseModel):
    """The days asked for, in order."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    days: list[CalendarDay]


COLUMNS = (
    Column("date", Text("Date", "日付")),
    Column("weekday", Text("Weekday", "曜日")),
    Column("business_day", Text("Business day", "開庁日")),
    Column("holiday", Text("Holiday", "祝日")),
    Column("opening_saturday", Text("Opening Saturday", "土曜開庁日")),
    Column("card_issuance", Text("Card issuance", "カード交付")),
    Column("certificate_renewal", Text("Certificate renewal", "電子証明書更新")),
    Column("national_system_stops_at", Text("National system stops", "システム停止時刻")),
)


@router.get(
    "/calendar",
    summary="Business days and the national system",
    response_model=Calendar,
    responses=FILES,
)
async def read_calendar(
    *,
    desk: DeskDep,
    wanted: TableDep,
    first: Annotated[date, Query(alias="from", description="First day.")],
    last: Annotated[date, Query(alias="to", description="Last day; at most 61 days later.")],
) -> Response:
    """What every site shares; its own hours are at the site, stops out of turn at
    `/v1/suspensions`.
    """
    if not 0 <= (last - first).days < LONGEST_DAYS:
        raise RangeRefused
    days = [
        CalendarDay.of(first + timedelta(days=number), desk.rules)
        for number in range((last - first).days + 1)
    ]
    if wanted.format != "json":
        return await wanted.answer(table("calendar", COLUMNS, days))
    return Response(Calendar(days=days).model_dump_json(), media_type="application/json")

"""Who calls or stands at the counter: staff find the case, and what is booked for it."""

from datetime import date
from typing import Annotated, Self

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.reservation.api.citizen_desk import CitizenDeskDep, spend
from services.reservation.api.desk import DeskDep
from services.reservation.api.sessions import NoticeNumber, SessionCase
from services.reservation.handlers import fair_use, sessions
from shared.errors import RejectedValueError, Text
from shared.http.call import CallDep
from shared.ids import CaseId

router = APIRouter(prefix="/v1", tags=["cases"])


class CaseWish(BaseModel):
    """What the citizen reads out: the notice and the birth date; or a case seen elsewhere."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"notice_number": "7K2-481516", "birth_date": "1990-02-03"}]
        },
    )

    notice_number: NoticeNumber | None = None
    birth_date: Annotated[date | None, Field(description="With the notice number.")] = None
    case_id: Annotated[CaseId | None, Field(description="Instead of both.")] = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        notice = (self.notice_number is not None, self.birth_date is not None)
        if notice != ((self.case_id is None),) * 2:
            raise RejectedValueError(
                Text("Name the case in one way.", "案件を1つの方法で指定してください。"),
                Text(
                    "Send notice_number and birth_date, or case_id alone.",
                    "notice_number と birth_date、または case_id だけを送信してください。",
                ),
            )
        return self


class FoundCases(BaseModel):
    """The cases of the notice, with the active booking of each."""

    cases: list[SessionCase]


@router.post("/cases:find", summary="Find the case of who calls")
async def find_cases(
    wish: CaseWish, call: CallDep, desk: DeskDep, citizens: CitizenDeskDep, response: Response
) -> FoundCases:
    """For booking, moving and cancelling on behalf. Audited; tries are limited per notice number.

    404 `no-such-case` where number and birth date do not belong together.
    """
    response.headers["Cache-Control"] = "no-store"
    if wish.notice_number is None or wish.birth_date is None:
        ids = [wish.case_id] if wish.case_id else []
        async with call.unit() as unit:
            found = await sessions.found(unit, await sessions.own(unit, ids, desk.rules))
        return FoundCases(cases=[SessionCase.of(case) for case in found])
    number_key = desk.index.number_key(wish.notice_number).value
    limits = fair_use.login(citizens.fair_use, number_key, None)
    await spend(call, limits)
    keys = desk.index.login_keys(wish.notice_number, wish.birth_date)
    async with call.unit() as unit:
        by_notice = [(key.key_id, key.value) for key in keys]
        found = await sessions.found(unit, await sessions.behind(unit, by_notice, desk.rules))
        await fair_use.forgive(unit, limits)
    return FoundCases(cases=[SessionCase.of(case) for case in found])

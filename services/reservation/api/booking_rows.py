"""The rows of ``POST /v1/bookings:batch``, and what became of each."""

from typing import Annotated, Any, Literal, TypeAlias

import pydantic_core
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from services.reservation.api.fields import Day, Moment, Phone, Speech
from services.reservation.domain.hold import HoldId
from shared.contracts.base import SiteRef, WardRef
from shared.errors import Language, Problem
from shared.http.groups import Answered
from shared.http.problems import ProblemDocument, document
from shared.ids import BookingId, CaseId

MOST_ROWS = 2000
_CASE = "0195f2c0-7b7c-7d0e-8a3c-5d2e4f6a7b8c"
_BOOKING = "0195f2c0-7b7c-7d0e-8a3c-5d2e4f6a7b8d"
_SEAT = {"site_id": "kawasaki-ward-office", "starts_at": "2026-04-08T09:00:00+09:00"}
_ROWS: list[JsonValue] = [
    {"verb": "book", "case_ids": [_CASE], **_SEAT},
    {
        "verb": "renew",
        "ward": "141313",
        "certificate_expires_on": "2026-05-20",
        "phone": "044-200-0000",
        **_SEAT,
    },
    {"verb": "cancel", "booking_id": _BOOKING},
]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BookRow(_Row):
    """As POST /v1/bookings."""

    verb: Literal["book"]
    case_ids: Annotated[tuple[CaseId, ...], Field(min_length=1, max_length=20)]
    site_id: SiteRef
    starts_at: Moment


class RenewRow(_Row):
    """As POST /v1/renewals on behalf, and booked at once: both are done, or neither.

    The answer names the new case. A telephone has one renewal at a time; without one, nobody can
    be called.
    """

    verb: Literal["renew"]
    ward: Annotated[WardRef, Field(description="Ward of residence.")]
    certificate_expires_on: Day
    phone: Phone | None = Field(None, description="Who called, where a number was left.")
    language: Speech | None = Field(None, description="What the caller speaks.")
    site_id: SiteRef
    starts_at: Moment


class ConfirmRow(_Row):
    """As POST /v1/holds/{hold_id}:confirm."""

    verb: Literal["confirm"]
    hold_id: HoldId


class MoveRow(_Row):
    """As POST /v1/bookings/{booking_id}:move."""

    verb: Literal["move"]
    booking_id: BookingId
    site_id: SiteRef
    starts_at: Moment
    together: bool = True


class CancelRow(_Row):
    """As POST /v1/bookings/{booking_id}:cancel."""

    verb: Literal["cancel"]
    booking_id: BookingId


Seat: TypeAlias = BookRow | RenewRow
"""Asks for a seat."""
Change: TypeAlias = ConfirmRow | MoveRow | CancelRow
"""Is about a seat that the caller has."""
Row = Annotated[Seat | Change, Field(discriminator="verb")]


class Batch(BaseModel):
    """What is to be done, in this order."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"rows": _ROWS}]})

    rows: Annotated[tuple[Row, ...], Field(min_length=1, max_length=MOST_ROWS)]


class RowResult(BaseModel):
    """What became of one row: a body, or the problem it was refused for."""

    row: int = Field(description="Its place in rows, from 0.")
    status: int = Field(description="As the single request would have answered.")
    replayed: bool = Field(description="Whether it was done when the batch was sent before.")
    booking_id: BookingId | None = Field(description="What was booked; of a party, its first.")
    case_id: CaseId | None = Field(description="Its case; of `renew`, the new one.")
    code: str | None = Field(description="Why it was refused: the last part of problem.type.")
    field: str | None = Field(description="The field it was refused for, where it is one.")
    remedy: str | None = Field(description="What the caller can do.")
    body: JsonValue = Field(description="The answer of the single request.")
    problem: ProblemDocument | None


class BatchResult(BaseModel):
    """A result for every row, in their order."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "done": 1,
                    "refused": 1,
                    "results": [
                        {
                            "row": 0,
                            "status": 201,
                            "replayed": False,
                            "booking_id": _BOOKING,
                            "case_id": _CASE,
                            "code": None,
                            "field": None,
                            "remedy": None,
                            "body": {
                                "party_id": "0195f2c0-7b7c-7d0e-8a3c-5d2e4f6a7b8e",
                                **_SEAT,
                                "bookings": [
                                    {
                                        "booking_id": _BOOKING,
                                        "case_id": _CASE,
                                        "party_id": "0195f2c0-7b7c-7d0e-8a3c-5d2e4f6a7b8e",
                                        **_SEAT,
                                        "ends_at": "2026-04-08T09:20:00+09:00",
                                        "minutes": 20,
                                        "procedure": "card_issuance",
                                        "state": "active",
                                        "reason": None,
                                        "changeable_until": "2026-04-07T17:00:00+09:00",
                                        "version": 1,
                                    }
                                ],
                            },
                            "problem": None,
                        },
                        {
                            "row": 1,
                            "status": 409,
                            "replayed": False,
                            "booking_id": None,
                            "case_id": None,
                            "code": "slot-taken",
                            "field": None,
                            "remedy": "Read GET /v1/availability again and choose another time.",
                            "body": None,
                            "problem": {
                                "type": "urn:madoguchi:problem:slot-taken",
                                "title": "No seat is left at this time",
                                "status": 409,
                                "detail": "No seat is left at this time",
                                "remedy": "Read GET /v1/availability again and choose another "
                                "time.",
                                "instance": None,
                                "errors": None,
                            },
                        },
                    ],
                }
            ]
        }
    )

    done: int = Field(description="Rows that were done, now or before.")
    refused: int
    results: list[RowResult]


def written(ends: list[Answered | Problem], language: Language) -> bytes:
    """The ends of all rows as the JSON of a ``BatchResult``.

    Written at once: building and checking a model of each row would cost more than booking it.
    """
    results = [_result(number, end, language) for number, end in enumerate(ends)]
    refused = sum(isinstance(end, Problem) for end in ends)
    return pydantic_core.to_json(
        {"done": len(ends) - refused, "refused": refused, "results": results}
    )


def _result(number: int, end: Answered | Problem, language: Language) -> dict[str, Any]:
    if isinstance(end, Problem):
        return _refused(number, end, language)
    body = pydantic_core.from_json(end.answer.body)
    first = body["bookings"][0] if "bookings" in body else body
    return {
        "row": number,
        "status": end.answer.status,
        "replayed": end.replayed,
        "booking_id": first["booking_id"],
        "case_id": first["case_id"],
        "code": None,
        "field": None,
        "remedy": None,
        "body": body,
        "problem": None,
    }


def _refused(number: int, problem: Problem, language: Language) -> dict[str, Any]:
    told = ProblemDocument(**document(problem, language))
    return {
        "row": number,
        "status": problem.status,
        "replayed": False,
        "booking_id": None,
        "case_id": None,
        "code": problem.slug,
        "field": told.errors[0].field if told.errors else None,
        "remedy": told.errors[0].remedy if told.errors else told.remedy,
        "body": None,
        "problem": told,
    }

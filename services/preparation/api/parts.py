"""What the routes of this room share: tools, language, selections and results."""

from collections.abc import Sequence
from typing import Annotated, Self

from fastapi import Depends
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from starlette.requests import Request
from starlette.responses import Response

from services.preparation.domain.refusals import Outcome
from services.preparation.handlers.selection import CardResult, Selection
from services.preparation.tools import Tools
from shared.contracts.base import LotRef
from shared.errors import Language, RejectedValueError, Text
from shared.http.language import negotiate
from shared.ids import CaseId

CardReference = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{3,63}$"),
    Field(description="What is printed on the card's sleeve and scanned from it."),
]

MOST_CASES = 10_000
CASE = "0197a3f2-6f3c-7b54-9a41-2f6d1c0b8e11"
"""A case id for examples."""

ShelfName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z0-9](?:[A-Z0-9-]{0,18}[A-Z0-9])?$"),
    Field(description="Shelf of the site; positions on it are numbered as cards come."),
]


def _tools(request: Request) -> Tools:
    tools: Tools = request.app.state.tools
    return tools


def _language(request: Request) -> Language:
    return negotiate(request.headers.get("accept-language"))


ToolsDep = Annotated[Tools, Depends(_tools)]
LanguageDep = Annotated[Language, Depends(_language)]


class Which(BaseModel):
    """The cards a command is about: ``case_ids`` or ``lot_id``, not both."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"case_ids": [CASE]}, {"lot_id": "L2026-0412"}]},
    )

    case_ids: Annotated[list[CaseId], Field(min_length=1, max_length=MOST_CASES)] | None = None
    lot_id: LotRef | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.case_ids is None) == (self.lot_id is None):
            raise RejectedValueError(
                Text("Name either case_ids or lot_id.", "case_ids か lot_id が必要です。"),
                Text("Send exactly one of the two.", "どちらか一方だけを送信してください。"),
            )
        return self

    @property
    def selection(self) -> Selection:
        """The selection that is meant."""
        return Selection(tuple(self.case_ids or ()), self.lot_id)


class CaseResult(BaseModel):
    """What became of one card; ``code``, ``message`` and ``remedy`` where it was refused."""

    case_id: CaseId | None = Field(description="None for a scan that is no card of ours.")
    card_reference: str | None = Field(None, description="The scan, where cards were scanned.")
    outcome: Outcome
    code: str | None = Field(None, examples=["stage_missing"])
    message: str | None = None
    remedy: str | None = None


class Results(BaseModel):
    """One result per card, and how many of each."""

    done: int
    already: int = Field(description="Had been there before; nothing was changed.")
    refused: int
    results: list[CaseResult]


def case_results(found: Sequence[CardResult], language: Language) -> list[CaseResult]:
    """The results in words of ``language``."""
    return [_case_result(result, language) for result in found]


def counted(results: Sequence[CaseResult]) -> Results:
    """The results with their counts."""
    outcomes = [result.outcome for result in results]
    return Results(
        done=outcomes.count(Outcome.DONE),
        already=outcomes.count(Outcome.ALREADY),
        refused=outcomes.count(Outcome.REFUSED),
        results=list(results),
    )


def as_json(body: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """``body`` written once; the framework would validate thousands of results again."""
    return Response(body.model_dump_json().encode(), status, headers, media_type="application/json")


def _case_result(result: CardResult, language: Language) -> CaseResult:
    refusal = result.verdict.refusal
    return CaseResult(
        case_id=result.case_id,
        card_reference=result.card_reference,
        outcome=result.verdict.outcome,
        code=refusal.code if refusal else None,
        message=refusal.message.to(language) if refusal else None,
        remedy=refusal.remedy.to(language) if refusal else None,
    )

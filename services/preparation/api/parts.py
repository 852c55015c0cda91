"""What the routes of this room share: tools, language, selections and results."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import pydantic_core
from fastapi import Depends, Header, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from starlette.requests import Request
from starlette.responses import Response

from services.preparation.domain.refusals import Outcome
from services.preparation.handlers.one import VersionCheck
from services.preparation.handlers.selection import CardResult, Selection
from services.preparation.tools import Tools
from shared.contracts.base import LotRef
from shared.errors import Json, Language, RejectedValueError, Text
from shared.http.etag import require_match
from shared.http.language import negotiate
from shared.ids import CaseId

CardReference = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{3,63}$"),
    Field(description="What is printed on the card's sleeve and scanned from it."),
]
IfMatchVersion = Annotated[
    str | None, Header(alias="If-Match", description="ETag of the version you decided on.")
]

MOST_CASES = 10_000
CASE = "0197a3f2-6f3c-7b54-9a41-2f6d1c0b8e11"
"""A case id for examples."""

ShelfName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z0-9](?:[A-Z0-9-]{0,18}[A-Z0-9])?$"),
    Field(description="Shelf of the site; positions on it are numbered as cards come."),
]


async def _tools(request: Request) -> Tools:
    tools: Tools = request.app.state.tools
    return tools


async def _language(request: Request) -> Language:
    return negotiate(request.headers.get("accept-language"))


ToolsDep = Annotated[Tools, Depends(_tools)]
LanguageDep = Annotated[Language, Depends(_language)]


class Which(BaseModel):
    """The cards a command is about: ``case_ids``, ``lot_id`` or scanned ``card_references``."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"case_ids": [CASE]}, {"lot_id": "L2026-0412"}]},
    )

    case_ids: Annotated[list[CaseId], Field(min_length=1, max_length=MOST_CASES)] | None = None
    lot_id: LotRef | None = None
    card_references: (
        Annotated[list[CardReference], Field(min_length=1, max_length=MOST_CASES)] | None
    ) = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        named = (self.case_ids, self.lot_id, self.card_references)
        if sum(one is not None for one in named) != 1:
            raise RejectedValueError(
                Text(
                    "Name either case_ids, lot_id or card_references.",
                    "case_ids・lot_id・card_references のいずれかが必要です。",
                ),
                Text("Send exactly one of the three.", "いずれか1つだけを送信してください。"),
            )
        return self

    @property
    def selection(self) -> Selection:
        """The selection that is meant."""
        return Selection(tuple(self.case_ids or ()), self.lot_id, tuple(self.card_references or ()))


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


@dataclass(frozen=True, slots=True)
class Telling:
    """How the results of a command about many are told: in which words, and which of them."""

    language: Language
    only_refused: bool = False

    def answer(self, found: Sequence[CardResult]) -> Response:
        """The results and their counts, written at once: there may be tens of thousands."""
        return Response(pydantic_core.to_json(self.members(found)), media_type="application/json")

    def members(self, found: Sequence[CardResult]) -> dict[str, Any]:
        """The members of ``Results``."""
        outcomes = [result.verdict.outcome for result in found]
        return {
            "done": outcomes.count(Outcome.DONE),
            "already": outcomes.count(Outcome.ALREADY),
            "refused": outcomes.count(Outcome.REFUSED),
            "results": self.told(found),
        }

    def as_problem(self, found: Sequence[CardResult]) -> list[Json]:
        """The results as a problem document bears them, where nothing was done."""
        told: list[Json] = pydantic_core.to_jsonable_python(self.told(found))
        return told

    def told(self, found: Sequence[CardResult]) -> list[dict[str, Any]]:
        """The results that are told, each with the members of ``CaseResult``."""
        return [
            _case_result(result, self.language)
            for result in found
            if not self.only_refused or result.verdict.outcome is Outcome.REFUSED
        ]


async def _telling(
    language: LanguageDep,
    results: Annotated[
        Literal["all", "refused"],
        Query(description="refused: list only those; the counts are of all."),
    ] = "all",
) -> Telling:
    return Telling(language, results == "refused")


TellingDep = Annotated[Telling, Depends(_telling)]


def as_json(body: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """``body`` written once; the framework would validate thousands of results again."""
    return Response(body.model_dump_json().encode(), status, headers, media_type="application/json")


def version_check(if_match: str | None) -> VersionCheck:
    """Raises for a version that the caller has not read; without the header, for none."""

    def check(version: int) -> None:
        if if_match is not None:
            require_match(if_match, version)

    return check


def _case_result(result: CardResult, language: Language) -> dict[str, Any]:
    refusal = result.verdict.refusal
    return {
        "case_id": result.case_id,
        "card_reference": result.card_reference,
        "outcome": result.verdict.outcome,
        "code": refusal.code if refusal else None,
        "message": refusal.message.to(language) if refusal else None,
        "remedy": refusal.remedy.to(language) if refusal else None,
    }

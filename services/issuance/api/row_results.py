"""What is answered to a request of many rows: a result for each, in their order."""

from collections.abc import Sequence

import pydantic_core
from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, Field, JsonValue

from shared.errors import Language, Problem
from shared.http.groups import Answered
from shared.http.language import negotiate
from shared.http.problems import ProblemDocument, document


class RowResult(BaseModel):
    """What became of one row: a body, or the problem it was refused for."""

    row: int = Field(description="Its place in rows, from 0.")
    status: int = Field(description="As the single request would have answered.")
    replayed: bool = Field(description="Whether it was done when the batch was sent before.")
    body: JsonValue = Field(description="The answer of the single request, or its short form.")
    problem: ProblemDocument | None


class BatchResult(BaseModel):
    """A result for every row, in their order."""

    done: int = Field(description="Rows that were done, now or before.")
    refused: int
    results: list[RowResult]


def answer(ends: Sequence[Answered | Problem], request: Request) -> Response:
    """The answer with what became of each row, as ``BatchResult`` describes it."""
    language = negotiate(request.headers.get("accept-language"))
    results = [_result(number, end, language) for number, end in enumerate(ends)]
    refused = sum(isinstance(end, Problem) for end in ends)
    found = {"done": len(ends) - refused, "refused": refused, "results": results}
    return Response(pydantic_core.to_json(found), media_type="application/json")


def _result(number: int, end: Answered | Problem, language: Language) -> dict[str, object]:
    if isinstance(end, Problem):
        return {
            "row": number,
            "status": end.status,
            "replayed": False,
            "body": None,
            "problem": ProblemDocument(**document(end, language)),
        }
    return {
        "row": number,
        "status": end.answer.status,
        "replayed": end.replayed,
        "body": pydantic_core.from_json(end.answer.body or b"null"),
        "problem": None,
    }

"""What became of the rows of a file: each row is named by its line, each error by its field."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from shared.csv_file import Form
from shared.errors import FieldError, Language, Problem
from shared.http.validation import field_errors


class RowError(BaseModel):
    """Why a row was refused, and what to do about it."""

    field: str | None = Field(description="The column; null where it is not one of them.")
    message: str
    remedy: str


class Refusal(BaseModel):
    """Why a row was refused."""

    code: str = Field(description="The last part of the problem's type.", examples=["slot-taken"])
    errors: list[RowError]


def of_problem(problem: Problem, language: Language) -> Refusal:
    """A problem as the refusal of a row."""
    errors = _errors(problem.errors, language) or [
        RowError(
            field=None,
            message=problem.title.to(language),
            remedy=problem.remedy.to(language),
        )
    ]
    return Refusal(code=problem.slug, errors=errors)


def of_fields(errors: Sequence[FieldError], language: Language) -> Refusal:
    """Cells that cannot be read."""
    return Refusal(code="invalid-row", errors=_errors(errors, language))


def of_validation(error: ValidationError, language: Language) -> Refusal:
    """Cells that do not fit their columns."""
    found = error.errors(include_url=False, include_input=False)
    return of_fields(field_errors(found), language)


def upload(example: str, *forms: Form) -> dict[str, Any]:
    """How a route that takes a CSV file describes its body."""
    columns = "; ".join(", ".join((*form.needed, *form.optional)) for form in forms)
    return {
        "requestBody": {
            "required": True,
            "description": f"UTF-8 (with or without BOM) or cp932. Columns: {columns}.",
            "content": {"text/csv": {"schema": {"type": "string"}, "example": example}},
        }
    }


def _errors(errors: Sequence[FieldError], language: Language) -> list[RowError]:
    return [
        RowError(
            field=one.field,
            message=one.message.to(language),
            remedy=one.remedy.to(language),
        )
        for one in errors
    ]

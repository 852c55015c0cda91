"""What an error says in a log: its text, unless that quotes the values it is about.

PostgreSQL names the value that it could not read (SQLSTATE class 22) and the row that broke a rule
(DETAIL); its driver quotes the argument that it could not write; pydantic the input it refused.
"""

import asyncpg
from pydantic import ValidationError

_DATA_EXCEPTION = "22"


def said(error: BaseException) -> str:
    """The text of ``error`` without values."""
    if isinstance(error, ValidationError):
        return _rules(error)
    if isinstance(error, asyncpg.PostgresError) and _quotes(error):
        return f"SQLSTATE {error.sqlstate}"
    return str(error).split("\nDETAIL:", 1)[0]


def _quotes(error: asyncpg.PostgresError) -> bool:
    """The driver's own refusals of arguments are of the class too."""
    return (error.sqlstate or "").startswith(_DATA_EXCEPTION)


def _rules(error: ValidationError) -> str:
    broken = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'body'}: {one['type']}" for one in broken)

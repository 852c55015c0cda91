"""Instants as this API shows them: RFC 3339 in the city's own time."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field, PlainSerializer

from shared.calendar import TOKYO


def local(at: datetime) -> str:
    """``at`` with the offset of Tokyo."""
    return at.astimezone(TOKYO).isoformat()


LocalInstant = Annotated[
    AwareDatetime,
    PlainSerializer(local, return_type=str),
    Field(examples=["2026-04-08T09:00:00+09:00"]),
]

"""Rows of ``visits:batch`` as callers write them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from shared.ids import new_id
from tests.issuance.support import LICENCE, OFFICE, TEN, Clerk, ok

BOTH = ["signing", "user_authentication"]


def served(start: int = -60, **changes: Any) -> dict[str, Any]:
    """A whole visit for a card: it comes ``start`` minutes from ten, is called and served."""
    came = TEN + timedelta(minutes=start)
    row: dict[str, Any] = {
        "verb": "serve",
        "site_id": OFFICE,
        "checked_in_at": came.isoformat(),
        "called_at": (came + timedelta(minutes=5)).isoformat(),
        "identified_at": (came + timedelta(minutes=9)).isoformat(),
        "pin_set_at": (came + timedelta(minutes=15)).isoformat(),
        "ended_at": (came + timedelta(minutes=20)).isoformat(),
        "counter": "3",
        "pin_set": True,
        **LICENCE,
    }
    return {name: _plain(value) for name, value in (row | changes).items() if value is not None}


def renewed(start: int = -60, **changes: Any) -> dict[str, Any]:
    """A whole visit of a walk-in who renews certificates."""
    named = {"ward": "141313", "certificates": BOTH, "identified_at": None, "documents": None}
    return served(start, **{**named, **changes})


def row(verb: str, minute: int, **fields: Any) -> dict[str, Any]:
    """A single command, ``minute`` minutes from ten."""
    at = (TEN + timedelta(minutes=minute)).isoformat()
    return {"verb": verb, "occurred_at": at, **{n: _plain(v) for n, v in fields.items()}}


async def send(clerk: Clerk, *rows: dict[str, Any], key: str | None = None) -> httpx.Response:
    """The batch, under a key of its own unless one is given."""
    return await clerk.post("/v1/visits:batch", {"rows": rows}, key or str(new_id()))


async def results(clerk: Clerk, *rows: dict[str, Any], key: str | None = None) -> list[Any]:
    """What became of each row: its body, or the last part of its problem's type."""
    answer = ok(await send(clerk, *rows, key=key))
    assert answer["done"] + answer["refused"] == len(rows) == len(answer["results"])
    return [slug(one["problem"]) if one["problem"] else one["body"] for one in answer["results"]]


def slug(problem: dict[str, Any]) -> str:
    """The stable name of a problem."""
    return str(problem["type"]).rpartition(":")[2]


def _plain(value: object) -> object:
    return str(value) if isinstance(value, UUID) else value

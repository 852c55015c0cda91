"""Rows of one request that are handled together: one unit, and an answer for each of them.

Each row has its effect once under the key of the request and its number; effect and answer commit
together, and a row that is refused leaves nothing.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import pydantic_core

from shared.errors import Problem
from shared.http import idempotency
from shared.http.call import Call
from shared.http.groups import Answered
from shared.http.idempotency import Answer, Claim
from shared.unit import Unit

R = TypeVar("R")


async def together(
    call: Call,
    rows: Claim,
    numbers: Sequence[int],
    command: Callable[[Unit, Sequence[int]], Awaitable[Sequence[R | Problem]]],
    *,
    status: int = 200,
) -> list[Answered | Problem]:
    """What became of these numbered rows, in their order; ``rows`` is what ``call.rows`` gave.

    ``command`` gets the numbers that were not done before, and answers or refuses each in its
    order; what it refuses may be tried again. Raises what it raises, and then none of these rows
    is done.
    """
    claims = [rows.row(number) for number in numbers]
    async with call.unit() as unit:
        stored = await idempotency.recall_all(unit.conn, claims)
        fresh = [n for n, found in zip(numbers, stored, strict=True) if found is None]
        results = iter(await command(unit, fresh) if fresh else ())
        ends = [_end(found or next(results), status) for found in stored]
        made = [
            (claim, end.answer)
            for claim, end in zip(claims, ends, strict=True)
            if isinstance(end, Answered) and not end.replayed
        ]
        if made:
            unit.last(idempotency.remembered(made))
    return ends


def _end(found: object, status: int) -> Answered | Problem:
    if isinstance(found, Problem):
        return found
    if isinstance(found, Answer):
        return Answered(found, replayed=True)
    return Answered(Answer(status, pydantic_core.to_json(found)), replayed=False)

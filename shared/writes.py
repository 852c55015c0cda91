"""Small writes of a transaction in one statement: asking costs about as much as a small write.

None of them sees what another writes, so only writes that do not build on each other go together.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from shared.db import Connection

_PARAMETER = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True)
class Write:
    """A write that others may go with.

    ``parts`` are the members of a WITH clause, under names of their own among all that go
    together; their parameters count from ``$1`` and stand for ``values``. ``finally_`` is a
    column that is selected once they have run.
    """

    parts: str
    values: tuple[object, ...]
    finally_: str = ""


async def write(conn: Connection, writes: Sequence[Write]) -> None:
    """Do all of them in one round trip, or nothing where there are none."""
    if writes:
        statement = _statement(tuple((one.parts, len(one.values), one.finally_) for one in writes))
        await conn.execute(statement, *(value for one in writes for value in one.values))


@lru_cache(maxsize=256)
def _statement(writes: tuple[tuple[str, int, str], ...]) -> str:
    parts, before = [], 0
    for part, count, _ in writes:
        parts.append(_counted_from(before, part))
        before += count
    columns = ", ".join(column for _, _, column in writes if column)
    return f"WITH {', '.join(parts)} SELECT {columns}"


def _counted_from(before: int, part: str) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + before}", part)

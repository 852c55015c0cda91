"""Cases in visits: each moment is the earliest that was told, only a call the latest too
(see ``store.cases``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.contracts.base import Procedure
from shared.contracts.issuance import Arrival
from shared.db import Connection
from shared.ids import CaseId, SiteId, VisitId

Key = tuple[VisitId, CaseId, SiteId, datetime]
"""The first fields of what is told of a case in a visit."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to a case of a visit at ``at``."""

    visit_id: VisitId
    case_id: CaseId
    site_id: SiteId
    at: datetime


@dataclass(frozen=True, slots=True)
class CheckIn(Moment):
    """The citizen is here."""

    procedure: Procedure
    arrival: Arrival


@dataclass(frozen=True, slots=True)
class Called(Moment):
    """The citizen was called to a counter; ``sequence`` orders calls of the same time."""

    counter: str
    sequence: int


_CHECK_IN = """
INSERT INTO visit_fact AS known (visit_id, case_id, site_id, checked_in_at, procedure, arrival)
SELECT DISTINCT ON (visit_id, case_id)
       visit_id, case_id, min(site_id) OVER (PARTITION BY visit_id, case_id), at, procedure, arrival
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::text[], $6::text[])
     AS told (visit_id, case_id, site_id, at, procedure, arrival)
ORDER BY visit_id, case_id, at, procedure, arrival
ON CONFLICT (visit_id, case_id) DO UPDATE SET
    site_id = least(known.site_id, excluded.site_id),
    checked_in_at = least(known.checked_in_at, excluded.checked_in_at),
    procedure = CASE
        WHEN (known.checked_in_at, known.procedure, known.arrival)
           < (excluded.checked_in_at, excluded.procedure, excluded.arrival)
        THEN known.procedure ELSE excluded.procedure END,
    arrival = CASE
        WHEN (known.checked_in_at, known.procedure, known.arrival)
           < (excluded.checked_in_at, excluded.procedure, excluded.arrival)
        THEN known.arrival ELSE excluded.arrival END
"""

_CALL = """
INSERT INTO visit_fact AS known (
    visit_id, case_id, site_id, last_called_at, counter, last_called_seq, first_called_at
)
SELECT DISTINCT ON (visit_id, case_id)
       visit_id, case_id, min(site_id) OVER (PARTITION BY visit_id, case_id), at, counter,
       sequence, min(at) OVER (PARTITION BY visit_id, case_id)
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::text[], $6::bigint[])
     AS told (visit_id, case_id, site_id, at, counter, sequence)
ORDER BY visit_id, case_id, at DESC, sequence DESC
ON CONFLICT (visit_id, case_id) DO UPDATE SET
    site_id = least(known.site_id, excluded.site_id),
    first_called_at = least(known.first_called_at, excluded.first_called_at),
    last_called_at = greatest(known.last_called_at, excluded.last_called_at),
    last_called_seq = CASE
        WHEN (known.last_called_at, known.last_called_seq)
           > (excluded.last_called_at, excluded.last_called_seq)
        THEN known.last_called_seq ELSE excluded.last_called_seq END,
    counter = CASE
        WHEN (known.last_called_at, known.last_called_seq)
           > (excluded.last_called_at, excluded.last_called_seq)
        THEN known.counter ELSE excluded.counter END
"""

_END = """
INSERT INTO visit_fact AS known (visit_id, case_id, site_id, {column})
SELECT visit_id, case_id, min(site_id), min(at)
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[])
     AS told (visit_id, case_id, site_id, at)
GROUP BY visit_id, case_id
ORDER BY visit_id, case_id
ON CONFLICT (visit_id, case_id) DO UPDATE SET
    site_id = least(known.site_id, excluded.site_id),
    {column} = least(known.{column}, excluded.{column})
"""
_COMPLETE, _DEFER, _ABANDON = (
    _END.format(column=f"{end}_at") for end in ("completed", "deferred", "abandoned")
)


async def check_in(conn: Connection, facts: Sequence[CheckIn]) -> None:
    """Citizens that came, what for, and whether they were expected."""
    procedures, arrivals = [f.procedure for f in facts], [f.arrival for f in facts]
    await conn.execute(_CHECK_IN, *_columns(facts), procedures, arrivals)


async def call(conn: Connection, facts: Sequence[Called]) -> None:
    """Citizens that were called; of several calls the first and the last are kept."""
    counters, sequences = [f.counter for f in facts], [f.sequence for f in facts]
    await conn.execute(_CALL, *_columns(facts), counters, sequences)


async def complete(conn: Connection, facts: Sequence[Moment]) -> None:
    """Cases that were served."""
    await conn.execute(_COMPLETE, *_columns(facts))


async def defer(conn: Connection, facts: Sequence[Moment]) -> None:
    """Cases whose citizen has to come again."""
    await conn.execute(_DEFER, *_columns(facts))


async def abandon(conn: Connection, facts: Sequence[Moment]) -> None:
    """Cases that ended with nothing done."""
    await conn.execute(_ABANDON, *_columns(facts))


def _columns(facts: Iterable[Moment]) -> tuple[list[object], ...]:
    rows = [(f.visit_id, f.case_id, f.site_id, f.at) for f in facts]
    return tuple(list(column) for column in zip(*rows, strict=True))

"""Versions of the checklist: written once, never changed."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from services.issuance.domain.checklist import Checklist, Requirement, Rule, Step, Steps
from services.issuance.domain.identity import Accepted, DocumentClass, DocumentType
from shared.contracts.base import CaseKind, Procedure
from shared.db import Connection, Row
from shared.ids import CaseId, VisitId


async def publish(
    conn: Connection,
    valid_from: date,
    documents: Mapping[DocumentClass, Iterable[DocumentType]],
    steps: Steps,
    *,
    at: datetime,
    by: str,
) -> int:
    """Write a version under the next number, which nobody else can take meanwhile."""
    await conn.execute("LOCK TABLE checklist IN SHARE ROW EXCLUSIVE MODE")
    version: int = await conn.fetchval(
        _PUBLISH,
        valid_from,
        list(documents.get(DocumentClass.A, ())),
        list(documents.get(DocumentClass.B, ())),
        at,
        by,
    )
    await _add_steps(conn, version, steps)
    return version


async def newest(conn: Connection) -> int:
    """The version that was published last."""
    version: int = await conn.fetchval("SELECT max(version) FROM checklist")
    return version


async def copy(conn: Connection, published: Checklist) -> bool:
    """Write a version as it was published elsewhere; False where its number is here already."""
    is_new = await conn.fetchval(
        _COPY,
        published.version,
        published.valid_from,
        list(published.documents.get(DocumentClass.A, ())),
        list(published.documents.get(DocumentClass.B, ())),
        published.published_at,
        published.published_by,
    )
    if is_new:
        await _add_steps(conn, published.version, published.steps)
    return bool(is_new)


async def find(conn: Connection, version: int) -> Checklist | None:
    """One version."""
    found = await _read(conn, await conn.fetch(_FIND, version))
    return found[0] if found else None


async def page(conn: Connection, after: int, limit: int) -> list[Checklist]:
    """Up to ``limit`` versions after this one, in the order of publishing."""
    return await _read(conn, await conn.fetch(_PAGE, after, limit))


async def in_force(conn: Connection, day: date) -> int:
    """The version by which cases go that are checked in on ``day``."""
    version: int = await conn.fetchval(_IN_FORCE, day)
    return version


async def accepted(conn: Connection, visit_id: VisitId, case_id: CaseId) -> Accepted:
    """The documents that the case's version accepts; none for a case that there is not."""
    row = await conn.fetchrow(_ACCEPTED, visit_id, case_id)
    return _classes(row) if row else {}


async def _add_steps(conn: Connection, version: int, steps: Steps) -> None:
    await conn.executemany(
        _ADD_STEP,
        [
            (version, procedure, kind, position, one.step, one.rule, list(one.accepts))
            for (procedure, kind), found in steps.items()
            for position, one in enumerate(found, start=1)
        ],
    )


def _classes(row: Row) -> dict[DocumentType, DocumentClass]:
    return {
        **{DocumentType(one): DocumentClass.A for one in row["class_a"]},
        **{DocumentType(one): DocumentClass.B for one in row["class_b"]},
    }


async def _read(conn: Connection, rows: list[Row]) -> list[Checklist]:
    steps = await conn.fetch(_STEPS, [row["version"] for row in rows])
    return [
        Checklist(
            version=row["version"],
            valid_from=row["valid_from"],
            documents={
                DocumentClass.A: tuple(DocumentType(one) for one in row["class_a"]),
                DocumentClass.B: tuple(DocumentType(one) for one in row["class_b"]),
            },
            steps=_steps(step for step in steps if step["version"] == row["version"]),
            published_at=row["published_at"],
            published_by=row["published_by"],
        )
        for row in rows
    ]


def _steps(rows: Iterable[Row]) -> Steps:
    found: dict[tuple[Procedure, CaseKind], tuple[Requirement, ...]] = {}
    for row in rows:
        key = (Procedure(row["procedure"]), CaseKind(row["kind"]))
        one = Requirement(Step(row["step"]), Rule(row["rule"]), tuple(row["accepts"]))
        found[key] = (*found.get(key, ()), one)
    return found


_PUBLISH = """
INSERT INTO checklist (version, valid_from, class_a, class_b, published_at, published_by)
SELECT coalesce(max(version), 0) + 1, $1, $2, $3, $4, $5 FROM checklist RETURNING version
"""
_COPY = """
INSERT INTO checklist (version, valid_from, class_a, class_b, published_at, published_by)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING true
"""
_ADD_STEP = """
INSERT INTO checklist_step (version, procedure, kind, position, step, rule, accepts)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_FIND = "SELECT * FROM checklist WHERE version = $1"
_PAGE = "SELECT * FROM checklist WHERE version > $1 ORDER BY version LIMIT $2"
_IN_FORCE = """
SELECT version FROM checklist WHERE valid_from <= $1
ORDER BY valid_from DESC, version DESC LIMIT 1
"""
_ACCEPTED = """
SELECT k.class_a, k.class_b FROM visit_case c JOIN checklist k ON k.version = c.checklist_version
WHERE c.visit_id = $1 AND c.case_id = $2
"""
_STEPS = """
SELECT * FROM checklist_step WHERE version = ANY ($1::int[])
ORDER BY version, procedure, kind, position
"""

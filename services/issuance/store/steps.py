"""What was noted of a case's steps in a visit, and the checklist that the case goes by."""

import json
from datetime import datetime

from services.issuance.domain.checklist import (
    CaseChecklist,
    Requirement,
    Rule,
    Step,
    StepDone,
)
from shared.db import Connection, Row
from shared.ids import CaseId, VisitId


async def note(
    conn: Connection, visit_id: VisitId, case_id: CaseId, step: Step, done: StepDone
) -> None:
    """Note a step; noting it again replaces what was noted."""
    await conn.execute(
        _NOTE,
        visit_id,
        case_id,
        step,
        done.result,
        list(done.documents),
        list(done.papers),
        done.at,
    )
    await touch(conn, visit_id)


async def forget(conn: Connection, visit_id: VisitId, case_id: CaseId, step: Step) -> None:
    """It was no proxy after all: the step counts as never begun."""
    await conn.execute(_FORGET, visit_id, case_id, step)
    await touch(conn, visit_id)


def checklist_of(row: Row) -> CaseChecklist:
    """The checklist of a row that was read with ``COLUMNS``."""
    wanted = json.loads(row["requirements"] or "[]")
    done = json.loads(row["steps"] or "[]")
    return CaseChecklist(
        version=row["checklist_version"],
        requirements=tuple(
            Requirement(Step(step), Rule(rule), tuple(accepts)) for step, rule, accepts in wanted
        ),
        done={
            Step(step): StepDone(
                result, tuple(documents), tuple(papers), datetime.fromisoformat(at)
            )
            for step, result, documents, papers, at in done
        },
        replaces_card=bool(row["replaces_card"]),
        is_clear=row["is_clear"] is not False,
    )


async def touch(conn: Connection, visit_id: VisitId) -> None:
    """Count a change of the visit."""
    await conn.execute("UPDATE visit SET version = version + 1 WHERE visit_id = $1", visit_id)


COLUMNS = """
f.old_card_expires_on IS NOT NULL AS replaces_card,
NOT (coalesce(f.held, false) OR f.ended IS NOT NULL) AS is_clear,
(SELECT json_agg(json_build_array(s.step, s.rule, s.accepts) ORDER BY s.position)
 FROM checklist_step s
 WHERE s.version = c.checklist_version AND s.procedure = c.procedure
       AND s.kind = coalesce(f.kind, 'renewal')) AS requirements,
(SELECT json_agg(json_build_array(d.step, d.result, d.documents, d.papers, d.done_at))
 FROM case_step d WHERE d.visit_id = c.visit_id AND d.case_id = c.case_id) AS steps
"""
"""What a reading of ``visit_case c LEFT JOIN case_file f`` adds for ``checklist_of``."""

_NOTE = """
INSERT INTO case_step (visit_id, case_id, step, result, documents, papers, done_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (visit_id, case_id, step) DO UPDATE SET
    result = excluded.result, documents = excluded.documents, papers = excluded.papers,
    done_at = excluded.done_at
"""
_FORGET = "DELETE FROM case_step WHERE visit_id = $1 AND case_id = $2 AND step = $3"

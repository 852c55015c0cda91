"""What to do next, per operator; and the next cards for who asks, shared with nobody."""

from collections.abc import Sequence
from datetime import timedelta

from services.preparation.domain.worklist import Desktop, Rank, Work
from services.preparation.store import assignments, worklists
from services.preparation.store.worklists import WorkFilter
from shared.errors import Forbidden, Text
from shared.ids import CaseId
from shared.security.principal import Role
from shared.unit import Unit

_SEES_ALL = frozenset({Role.SUPERVISOR, Role.AUDITOR})


async def listed(unit: Unit, wanted: WorkFilter, after: Rank | None, limit: int) -> Sequence[Work]:
    """An operator's list, audited for each card.

    Raises ``Forbidden`` where somebody else's is asked for without being a supervisor or auditor.
    """
    _may_see(unit, wanted.operator)
    found = await worklists.listed(unit.conn, wanted, unit.now, after, limit)
    for work in found:
        unit.audit("card.list", subject=str(work.case_id))
    return found


async def take_next(unit: Unit, wanted: WorkFilter, count: int, minutes: int) -> list[CaseId]:
    """Assign the next ``count`` cards that nobody has to who asks, the most urgent first.

    Whoever asks at the same time gets others.
    """
    until = unit.now + timedelta(minutes=minutes)
    taken: list[CaseId] = []
    # Somebody may have taken what was found free after we looked; a second look sees that.
    while free := await worklists.lock_next(unit.conn, wanted, unit.now, count - len(taken)):
        got = await assignments.take(unit.conn, free, wanted.operator, unit.now, until)
        taken += [case_id for case_id in free if case_id in got]
    for case_id in taken:
        unit.audit("card.assigned", subject=str(case_id), minutes=minutes)
    return taken


async def desktops(unit: Unit) -> Sequence[Desktop]:
    """What each operator has in hand."""
    return await worklists.desktops(unit.conn, unit.now)


def _may_see(unit: Unit, operator: str) -> None:
    if operator != unit.principal.subject and not _SEES_ALL & unit.principal.roles:
        raise Forbidden(
            Text(
                "Only a supervisor sees the list of another operator.",
                "他の担当者の一覧は責任者だけが見られます。",
            )
        )

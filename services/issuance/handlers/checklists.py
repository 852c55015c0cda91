"""Versions of the checklist: read by whoever serves, published by whoever decides how."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.issuance.domain.checklist import Checklist, ChecklistUnknown, Steps, check
from services.issuance.domain.identity import DocumentClass, DocumentType
from services.issuance.store import checklists
from shared.calendar import business_date
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version to publish."""

    valid_from: date
    documents: Mapping[DocumentClass, Iterable[DocumentType]]
    steps: Steps


async def publish(unit: Unit, new: NewVersion) -> Checklist:
    """Publish a version; cases checked in from its date on go by it.

    Raises ``ChecklistUnsound``.
    """
    check(new.valid_from, business_date(unit.now), new.steps)
    version = await checklists.publish(
        unit.conn,
        new.valid_from,
        new.documents,
        new.steps,
        at=unit.now,
        by=unit.principal.subject,
    )
    unit.audit("checklist.publish", subject=str(version), valid_from=new.valid_from.isoformat())
    return await read(unit, version)


async def read(unit: Unit, version: int) -> Checklist:
    """One version. Raises ``ChecklistUnknown``."""
    found = await checklists.find(unit.conn, version)
    if found is None:
        raise ChecklistUnknown
    return found


async def page(unit: Unit, after: int, limit: int) -> tuple[Sequence[Checklist], int]:
    """Up to ``limit`` versions after this one, and the version that is in force today."""
    rows = await checklists.page(unit.conn, after, limit)
    return rows, await checklists.in_force(unit.conn, business_date(unit.now))

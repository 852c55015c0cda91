"""Birth dates are sealed under a key of their own per case, until the notice is made.

The key is destroyed then, not only the column: no backup of this room's tables opens it later.
It is not the key of the citizen's other data, which live on.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime

from services.preparation.store import imports, notices
from shared.db import Connection
from shared.ids import CaseId
from shared.security import vault as vaults
from shared.security.vault import Cell, Vault

_COLUMN = "sealed_birth_date.sealed"


async def seal(conn: Connection, vault: Vault, births: Mapping[CaseId, date]) -> None:
    """Keep birth dates, sealed."""
    texts = {_cell(case_id): born.isoformat() for case_id, born in births.items()}
    sealed = await vault.seal(conn, texts)
    await imports.keep_birth_dates(conn, dict(zip(births, sealed.values(), strict=True)))


async def opened(
    conn: Connection, vault: Vault, case_ids: Collection[CaseId]
) -> dict[CaseId, date]:
    """The birth dates of those cases that still have one."""
    sealed = await notices.birth_dates(conn, case_ids)
    cells = {_cell(case_id): case_id for case_id in sealed}
    texts = await vault.open(conn, {cell: sealed[case_id] for cell, case_id in cells.items()})
    return {cells[cell]: date.fromisoformat(text) for cell, text in texts.items() if text}


async def destroy(conn: Connection, case_ids: Collection[CaseId], at: datetime) -> None:
    """Forget birth dates and destroy their keys."""
    await notices.drop_birth_dates(conn, case_ids)
    await vaults.erase(conn, [_subject(case_id) for case_id in case_ids], at=at)


async def destroy_left(conn: Connection, case_ids: Collection[CaseId], at: datetime) -> None:
    """Forget those that are still kept; where nothing is left nothing is written."""
    left = await notices.birth_dates(conn, case_ids)
    if left:
        await destroy(conn, list(left), at)


def _cell(case_id: CaseId) -> Cell:
    return Cell(_subject(case_id), _COLUMN)


def _subject(case_id: CaseId) -> str:
    return f"birth-date:{case_id}"

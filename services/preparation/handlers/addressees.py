"""Names and addresses are sealed under a key of their own per case, until the notice is printed.

The key is destroyed then, not only the column: no backup of this room's tables opens it later.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.preparation.store import addressees
from shared.db import Connection
from shared.ids import CaseId
from shared.security import vault as vaults
from shared.security.vault import Cell, Vault

_COLUMN = "sealed_addressee.sealed"


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom a notice is sent to, in the exact characters of the registry."""

    name: str = field(repr=False)
    address: str = field(repr=False)


async def seal(conn: Connection, vault: Vault, wanted: Mapping[CaseId, Addressee]) -> None:
    """Keep names and addresses, sealed."""
    cells = {_cell(case_id): case_id for case_id in wanted}
    texts = {
        cell: json.dumps([wanted[case_id].name, wanted[case_id].address], ensure_ascii=False)
        for cell, case_id in cells.items()
    }
    sealed = await vault.seal(conn, texts)
    await addressees.keep(conn, {cells[cell]: data for cell, data in sealed.items()})


async def opened(
    conn: Connection, vault: Vault, case_ids: Collection[CaseId]
) -> dict[CaseId, Addressee]:
    """The names and addresses of those cases that still have them."""
    sealed = await addressees.sealed(conn, case_ids)
    cells = {_cell(case_id): case_id for case_id in sealed}
    texts = await vault.open(conn, {cell: sealed[case_id] for cell, case_id in cells.items()})
    return {cells[cell]: Addressee(*json.loads(text)) for cell, text in texts.items() if text}


async def destroy(conn: Connection, case_ids: Collection[CaseId], at: datetime) -> None:
    """Forget names and addresses and destroy their keys."""
    await addressees.drop(conn, case_ids)
    await vaults.erase(conn, [_subject(case_id) for case_id in case_ids], at=at)


async def destroy_left(conn: Connection, case_ids: Collection[CaseId], at: datetime) -> None:
    """Forget those that are still kept; where nothing is left nothing is written."""
    left = await addressees.sealed(conn, case_ids)
    if left:
        await destroy(conn, list(left), at)


def _cell(case_id: CaseId) -> Cell:
    return Cell(_subject(case_id), _COLUMN)


def _subject(case_id: CaseId) -> str:
    return f"addressee:{case_id}"

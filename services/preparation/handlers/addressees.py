"""Names and addresses are sealed under a key of their own, until the notice is printed.

The key is destroyed then, not only the column: no backup of this room's tables opens it later. So
what corrects a name or address later is sealed under the change of the registry that told it.
"""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from services.preparation.domain.addressee import Addressee
from services.preparation.store import addressees
from shared.db import Connection
from shared.ids import CaseId
from shared.security import vault as vaults
from shared.security.vault import Cell, Vault

_COLUMN = "sealed_addressee.sealed"
S = TypeVar("S", bound=UUID)


async def seal(conn: Connection, vault: Vault, wanted: Mapping[CaseId, Addressee]) -> None:
    """Keep names and addresses as they came with the cards, sealed."""
    sealed = await sealed_under(conn, vault, wanted)
    await addressees.keep(conn, {case_id: (case_id, data) for case_id, data in sealed.items()})


async def sealed_under(
    conn: Connection, vault: Vault, wanted: Mapping[S, Addressee]
) -> dict[S, bytes]:
    """Names and addresses, each sealed under a key of its own: that of a case or of a change."""
    cells = {_cell(under): under for under in wanted}
    sealed = await vault.seal(conn, {cell: _text(wanted[cells[cell]]) for cell in cells})
    return {cells[cell]: data for cell, data in sealed.items()}


async def keep(conn: Connection, sealed: Mapping[CaseId, tuple[UUID, bytes]]) -> None:
    """Keep what was sealed, with what it was sealed under, of cases that have nothing."""
    if sealed:
        await addressees.keep(conn, sealed)


async def opened(
    conn: Connection, vault: Vault, case_ids: Collection[CaseId]
) -> dict[CaseId, Addressee]:
    """The names and addresses of those cases that still have them."""
    kept = await addressees.sealed(conn, case_ids)
    cells = {_cell(under): (case_id, data) for case_id, (under, data) in kept.items()}
    texts = await vault.open(conn, {cell: data for cell, (_, data) in cells.items()})
    return {cells[cell][0]: Addressee(*json.loads(text)) for cell, text in texts.items() if text}


async def destroy(conn: Connection, case_ids: Collection[CaseId], at: datetime) -> None:
    """Forget names and addresses and destroy their keys; where none is kept nothing is written."""
    await destroy_keys(conn, await addressees.drop(conn, case_ids), at)


async def destroy_keys(conn: Connection, under: Collection[UUID], at: datetime) -> None:
    """Destroy the keys of cases or changes: whatever was sealed under them is unreadable."""
    if under:
        await vaults.erase(conn, [_subject(one) for one in under], at=at)


def _text(whom: Addressee) -> str:
    return json.dumps([whom.name, whom.address], ensure_ascii=False)


def _cell(under: UUID) -> Cell:
    return Cell(_subject(under), _COLUMN)


def _subject(under: UUID) -> str:
    return f"addressee:{under}"

"""Take in a long file slice by slice, each in a unit of its own, while the others' work goes on.

The file is judged when it comes; its slices lie sealed until they are done, and a crash leaves
them due. So the import needs one slice of memory, holds back no relay, and shows how far it is.
"""

import asyncio
from base64 import b64decode, b64encode
from uuid import UUID

from services.preparation.domain.lot_file import LOT, Form
from services.preparation.domain.slices import Sliced, cut, unpack
from services.preparation.handlers import manifests
from services.preparation.handlers.imports import take_rows
from services.preparation.store import imports
from services.preparation.store.imports import Import, RowFilter, RowResult
from services.preparation.tools import Tools
from shared.due import DueWork
from shared.errors import NotFound, Text
from shared.ids import new_id
from shared.security import vault as vaults
from shared.security.vault import Cell
from shared.unit import Unit


class ImportUnknown(NotFound):
    """No import has this id."""

    slug = "import-unknown"
    title = Text("There is no such import", "この取込はありません")
    remedy = Text("GET /v1/imports lists them.", "GET /v1/imports で確認してください。")


async def read(tools: Tools, body: bytes, form: Form = LOT) -> Sliced:
    """Judge and cut a file, off the loop, before any transaction.

    Raises ``FileUnreadable``, ``WrongColumns`` and ``TooManyRows``.
    """
    return await asyncio.to_thread(cut, body, tools.settings.max_background_rows, form)


async def accept(unit: Unit, tools: Tools, file: Sliced) -> tuple[Import, bool]:
    """Keep a file to be taken in; whether it is new. A file that is known changes nothing."""
    import_id = new_id()
    fresh = await imports.begin(unit.conn, import_id, file.digest, unit.now, file.row_count)
    if fresh:
        texts = {
            _cell(import_id, number): b64encode(data).decode()
            for number, data in enumerate(file.slices)
        }
        sealed = await tools.vault.seal(unit.conn, texts)
        await imports.put_slices(unit.conn, import_id, dict(enumerate(sealed.values())))
        unit.audit("lot_file.accept", subject=str(import_id), rows=file.row_count)
    kept = await imports.find(unit.conn, file.digest)
    if kept is None:
        raise LookupError("an import that was kept is gone")
    return kept, fresh


def work(tools: Tools) -> DueWork:
    """Due: take in the next slice of any file."""

    async def take_slice(unit: Unit) -> int:
        found = await imports.take_slice(unit.conn)
        if found is None:
            return 0
        import_id, number, sealed = found
        cell = _cell(import_id, number)
        text = (await tools.vault.open(unit.conn, {cell: sealed}))[cell]
        rows = await asyncio.to_thread(unpack, b64decode(text or ""))
        # Written before the import is counted up, so that slices wait for each other only there.
        part = unit.part(unit.principal, unit.traceparent)
        results = await take_rows(part, tools, import_id, rows)
        await part.flush()
        await imports.drop_slice(unit.conn, import_id, number)
        if await imports.count_done(unit.conn, import_id, results, unit.now):
            await _finish(unit, import_id)
        return 1

    return take_slice


async def _finish(unit: Unit, import_id: UUID) -> None:
    """After the last slice, which sees what the others have written: they have committed."""
    await manifests.compare(unit, await imports.lots_of(unit.conn, import_id))
    await vaults.erase(unit.conn, [_subject(import_id)], at=unit.now)


async def find(unit: Unit, import_id: UUID) -> Import:
    """One import. Raises ``ImportUnknown``."""
    found = await imports.by_id(unit.conn, import_id)
    if found is None:
        raise ImportUnknown
    return found


async def rows(
    unit: Unit, import_id: UUID, line: int, limit: int, only: RowFilter
) -> list[RowResult]:
    """What became of the rows after a line. Raises ``ImportUnknown``."""
    await find(unit, import_id)
    return await imports.rows_after(unit.conn, import_id, line, limit, only)


async def listed(unit: Unit, before: UUID | None, limit: int) -> list[Import]:
    """Imports, the newest first."""
    return await imports.newest(unit.conn, before, limit)


def _cell(import_id: UUID, number: int) -> Cell:
    return Cell(_subject(import_id), f"lot_slice.sealed.{number}")


def _subject(import_id: UUID) -> str:
    return f"lot-import:{import_id}"

"""Take in a long file slice by slice, each in a unit of its own, while the others' work goes on.

The file is judged when it comes; its slices lie sealed until they are done, and a crash leaves
them due. So the import needs one slice of memory, holds back no relay, and shows how far it is.
"""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import Sequence
from uuid import UUID

from services.preparation.domain.lot_file import LOT, Form
from services.preparation.domain.lot_rows import CardRow, RefusedRow
from services.preparation.domain.slices import Sliced, cut, unpack
from services.preparation.handlers import manifests
from services.preparation.handlers.imports import take_rows, tried
from services.preparation.store import import_jobs, imports, slices
from services.preparation.store.import_jobs import Import, ImportMode
from services.preparation.store.imports import RowFilter, RowResult
from services.preparation.store.slices import Slice
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


async def accept(
    unit: Unit, tools: Tools, file: Sliced, mode: ImportMode = ImportMode.PARTIAL
) -> tuple[Import, bool]:
    """Keep a file to be taken in, or tried; whether it is new. A known file changes nothing."""
    import_id = new_id()
    count = file.row_count
    fresh = await import_jobs.begin(unit.conn, import_id, file.digest, unit.now, count, mode=mode)
    if fresh:
        texts = {
            _cell(import_id, number): b64encode(data).decode()
            for number, data in enumerate(file.slices)
        }
        sealed = await tools.vault.seal(unit.conn, texts)
        await slices.put(unit.conn, import_id, dict(enumerate(sealed.values())))
        unit.audit("lot_file.accept", subject=str(import_id), rows=count, mode=mode)
        return await find(unit, import_id), True
    kept = await import_jobs.find(unit.conn, file.digest)
    if kept is None:
        raise LookupError("an import that was kept is gone")
    return kept, False


def work(tools: Tools) -> DueWork:
    """Due: take in, try or judge the next slice of any file."""

    async def take_slice(unit: Unit) -> int:
        found = await slices.take(unit.conn)
        if found is None:
            return 0
        cell = _cell(found.import_id, found.number)
        text = (await tools.vault.open(unit.conn, {cell: found.sealed}))[cell]
        rows = await asyncio.to_thread(unpack, b64decode(text or ""))
        if found.to_judge:
            await _judge(unit, tools, found, rows)
        else:
            await _take(unit, tools, found, rows)
        return 1

    return take_slice


async def _take(unit: Unit, tools: Tools, one: Slice, rows: Sequence[CardRow | RefusedRow]) -> None:
    if one.mode is ImportMode.DRY_RUN:
        results = await tried(unit, tools, rows)
        await _record_trial(unit, one, results)
    else:
        # Written before the import is counted up, so that slices wait for each other only there.
        part = unit.part(unit.principal, unit.traceparent)
        results = await take_rows(part, tools, one.import_id, rows)
        await part.flush()
    await slices.drop(unit.conn, one.import_id, one.number)
    if await import_jobs.count_done(unit.conn, one.import_id, results, unit.now):
        await _finish(unit, one)


async def _judge(
    unit: Unit, tools: Tools, one: Slice, rows: Sequence[CardRow | RefusedRow]
) -> None:
    """Claim the cards of a file that is wanted whole, and say what is in the way of others."""
    cards = [row for row in rows if isinstance(row, CardRow)]
    await slices.claim(unit.conn, one.import_id, cards)
    results = await tried(unit, tools, rows, one.import_id)
    await _record_trial(unit, one, [result for result in results if result.fault])
    rejected = sum(result.fault is not None for result in results)
    good = await slices.judged(unit.conn, one.import_id, one.number, len(rows), rejected)
    if good is False:
        await slices.refuse(unit.conn, one.import_id, unit.now)
        await vaults.erase(unit.conn, [_subject(one.import_id)], at=unit.now)


async def _record_trial(unit: Unit, one: Slice, results: Sequence[RowResult]) -> None:
    told = [result for result in results if result.fault or result.oddities]
    await imports.record_rows(unit.conn, one.import_id, told, trial=True)


async def _finish(unit: Unit, one: Slice) -> None:
    """After the last slice, which sees what the others have written: they have committed."""
    if one.mode is not ImportMode.DRY_RUN:
        await manifests.compare(unit, await imports.lots_of(unit.conn, one.import_id))
    await slices.release(unit.conn, one.import_id)
    await vaults.erase(unit.conn, [_subject(one.import_id)], at=unit.now)


async def find(unit: Unit, import_id: UUID) -> Import:
    """One import. Raises ``ImportUnknown``."""
    found = await import_jobs.by_id(unit.conn, import_id)
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
    return await import_jobs.newest(unit.conn, before, limit)


def _cell(import_id: UUID, number: int) -> Cell:
    return Cell(_subject(import_id), f"lot_slice.sealed.{number}")


def _subject(import_id: UUID) -> str:
    return f"lot-import:{import_id}"

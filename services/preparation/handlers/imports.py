"""Take in a lot file: every row becomes a card or a reason, and the same file changes nothing."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.preparation.domain.lot_file import TooManyRows
from services.preparation.domain.lot_rows import CardRow, LotFile, RefusedRow, read_file
from services.preparation.domain.row_faults import RowCode, RowFault
from services.preparation.handlers.birth_dates import seal
from services.preparation.store import imports
from services.preparation.store.imports import RowResult
from services.preparation.tools import Tools
from shared.contracts.base import CaseOpened, Procedure
from shared.contracts.preparation import CardApplied, CardReceived, CardShipped
from shared.ids import CaseId, new_id
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of a file. Without ``import_id`` it was only tried (dry run).

    ``fresh`` is false where the file had been imported before: then this is the first result.
    """

    digest: bytes
    rows: list[RowResult]
    import_id: UUID | None = None
    imported_at: datetime | None = None
    fresh: bool = True


async def read(tools: Tools, body: bytes) -> LotFile:
    """Read and judge a file, off the loop, before any transaction.

    Raises ``FileUnreadable``, ``WrongColumns`` and ``TooManyRows``.
    """
    file = await asyncio.to_thread(read_file, body)
    if len(file.rows) > tools.settings.max_import_rows:
        raise TooManyRows(tools.settings.max_import_rows)
    return file


async def import_file(unit: Unit, tools: Tools, file: LotFile) -> ImportResult:
    """Open a case for every good row and tell of it; or, for a known file, the first result."""
    import_id = new_id()
    if not await imports.begin(unit.conn, import_id, file.digest, unit.now, len(file.rows)):
        return await rehearse(unit, file)
    await imports.open_lots(unit.conn, list(file.lots), unit.now)
    wanted = {CaseId(new_id()): row for row in file.cards}
    added = await imports.add_cards(unit.conn, wanted, unit.now)
    cards = {case_id: row for case_id, row in wanted.items() if case_id in added}
    births = {case_id: row.birth_date for case_id, row in cards.items()}
    await seal(unit.conn, tools.vault, births)
    results = await _results(unit, file, {row.line: case_id for case_id, row in cards.items()})
    await imports.record_rows(unit.conn, import_id, results)
    _tell(unit, import_id, file, cards)
    return ImportResult(file.digest, results, import_id, unit.now)


async def rehearse(unit: Unit, file: LotFile) -> ImportResult:
    """What ``import_file`` would answer now, the first result of a known file included.

    Nothing is written.
    """
    return await _first_result(unit, file) or ImportResult(
        file.digest, await _results(unit, file, {})
    )


async def _first_result(unit: Unit, file: LotFile) -> ImportResult | None:
    first = await imports.find(unit.conn, file.digest)
    if first is None:
        return None
    rows = await imports.rows_of(unit.conn, first.import_id)
    return ImportResult(first.digest, rows, first.import_id, first.imported_at, fresh=False)


async def _results(unit: Unit, file: LotFile, written: Mapping[int, CaseId]) -> list[RowResult]:
    """One result per row, in the file's order; ``written`` are the cases opened, by line."""
    left = [row for row in file.cards if row.line not in written]
    known = await imports.known_references(unit.conn, [row.card_reference for row in left])
    places = await imports.known_places(unit.conn, [(row.lot_id, row.row) for row in left])

    def fault(row: CardRow) -> RowFault | None:
        if row.line in written:
            return None
        if row.card_reference in known:
            return RowFault(RowCode.DUPLICATE_CARD, "card_reference")
        if (row.lot_id, row.row) in places:
            return RowFault(RowCode.DUPLICATE_ROW, "row")
        return None

    def result(row: CardRow | RefusedRow) -> RowResult:
        if isinstance(row, RefusedRow):
            return imports.refusal(row)
        return RowResult(row.line, row.lot_id, row.row, written.get(row.line), fault(row))

    return [result(row) for row in file.rows]


def _tell(unit: Unit, import_id: UUID, file: LotFile, cards: dict[CaseId, CardRow]) -> None:
    for lot_id in sorted(file.lots):
        unit.audit("lot.import", subject=lot_id, import_id=str(import_id))
    for case_id, row in cards.items():
        unit.audit("card.received", subject=str(case_id), import_id=str(import_id))
        _tell_card(unit, case_id, row)


def _tell_card(unit: Unit, case_id: CaseId, row: CardRow) -> None:
    unit.emit(
        CaseOpened(case_id=case_id, procedure=Procedure.CARD_ISSUANCE, kind=row.kind, ward=row.ward)
    )
    unit.emit(CardApplied(case_id=case_id, applied_on=row.applied_on))
    unit.emit(CardShipped(case_id=case_id, lot_id=row.lot_id, shipped_on=row.shipped_on))
    unit.emit(CardReceived(case_id=case_id, lot_id=row.lot_id, card_expires_on=row.card_expires_on))

"""Take in a lot file: every row becomes a card or a reason, and the same file changes nothing."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.preparation.domain.addressee import Addressee
from services.preparation.domain.lot_file import LOT, Form
from services.preparation.domain.lot_rows import CardRow, LotFile, RefusedRow, read_file
from services.preparation.domain.oddities import oddities
from services.preparation.domain.row_faults import RowCode, RowFault
from services.preparation.domain.stages import WAY
from services.preparation.handlers import addressees, manifests, opening_stock
from services.preparation.handlers.birth_dates import seal
from services.preparation.handlers.stages import TOLD
from services.preparation.store import import_jobs, imports
from services.preparation.store.imports import RowResult
from services.preparation.tools import Tools
from shared.contracts.base import CaseOpened, Procedure
from shared.contracts.preparation import CardApplied, CardReceived, CardShipped
from shared.errors import Text, Unprocessable
from shared.ids import CaseId, LotId, new_id
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


class RowsRefused(Unprocessable):
    """All or nothing was asked for, and not all of the rows can be taken."""

    slug = "lot-rows-refused"
    title = Text("Nothing was imported", "取り込みませんでした")
    remedy = Text(
        "Correct the rows named in `results` and send the file again, or import what is good.",
        "results の行を修正して再送するか、良い行だけを取り込んでください。",
    )

    def __init__(self, rows: Sequence[RowResult]) -> None:
        self.rows = [row for row in rows if row.fault is not None]
        super().__init__(
            Text(
                f"{len(self.rows)} of {len(rows)} rows cannot be taken.",
                f"{len(rows)}行のうち{len(self.rows)}行を取り込めません。",
            )
        )


async def read(tools: Tools, body: bytes, form: Form = LOT) -> LotFile:
    """Read and judge a file, off the loop, before any transaction.

    Raises ``FileUnreadable``, ``WrongColumns`` and ``TooManyRows``.
    """
    return await asyncio.to_thread(read_file, body, form, tools.settings.max_import_rows)


async def import_file(
    unit: Unit, tools: Tools, file: LotFile, *, whole: bool = False
) -> ImportResult:
    """Open a case for every good row and tell of it; or, for a known file, the first result.

    Raises ``RowsRefused`` where the file is wanted ``whole`` and a row is not good.
    """
    import_id = new_id()
    if not await import_jobs.begin(unit.conn, import_id, file.digest, unit.now, len(file.rows)):
        return await rehearse(unit, tools, file)
    results = await take_rows(unit, tools, import_id, file.rows)
    if whole and any(result.fault is not None for result in results):
        raise RowsRefused(results)
    await manifests.compare(unit, file.lots)
    await import_jobs.count_done(unit.conn, import_id, results, unit.now)
    return ImportResult(file.digest, results, import_id, unit.now)


async def take_rows(
    unit: Unit, tools: Tools, import_id: UUID, rows: Sequence[CardRow | RefusedRow]
) -> list[RowResult]:
    """Open a case for every good row of a file and keep what became of each.

    The counts of its lots are the caller's to compare, once all rows are written.
    """
    rows = await opening_stock.sifted(unit.conn, tools, rows)
    lots = {row.lot_id for row in rows if row.lot_id is not None}
    await imports.open_lots(unit.conn, list(lots), unit.now)
    wanted = {CaseId(new_id()): row for row in rows if isinstance(row, CardRow)}
    added = await imports.add_cards(unit.conn, import_id, wanted, unit.now)
    cards = {case_id: row for case_id, row in wanted.items() if case_id in added}
    await seal(unit.conn, tools.vault, {c: row.birth_date for c, row in cards.items()})
    people = {c: Addressee(r.name, r.address) for c, r in cards.items() if r.name or r.address}
    await addressees.seal(unit.conn, tools.vault, people)
    written = {row.line: case_id for case_id, row in cards.items()}
    results = await _results(unit, tools, rows, written, import_id)
    await imports.record_rows(unit.conn, import_id, results)
    _tell(unit, import_id, lots, cards)
    await opening_stock.lay(unit, cards)
    await opening_stock.keep_notices(unit, tools, cards)
    return results


async def rehearse(unit: Unit, tools: Tools, file: LotFile) -> ImportResult:
    """What ``import_file`` would answer now, the first result of a known file included.

    Nothing is written.
    """
    first = await _first_result(unit, file)
    if first is not None:
        return first
    return ImportResult(file.digest, await tried(unit, tools, file.rows))


async def tried(
    unit: Unit,
    tools: Tools,
    rows: Sequence[CardRow | RefusedRow],
    import_id: UUID | None = None,
) -> list[RowResult]:
    """What would become of rows now; what ``import_id`` has claimed is in nobody's way."""
    sifted = await opening_stock.sifted(unit.conn, tools, rows)
    return await _results(unit, tools, sifted, {}, import_id)


async def _first_result(unit: Unit, file: LotFile) -> ImportResult | None:
    first = await import_jobs.find(unit.conn, file.digest)
    if first is None:
        return None
    rows = await imports.rows_of(unit.conn, first.import_id)
    return ImportResult(first.digest, rows, first.import_id, first.imported_at, fresh=False)


async def _results(
    unit: Unit,
    tools: Tools,
    rows: Sequence[CardRow | RefusedRow],
    written: Mapping[int, CaseId],
    import_id: UUID | None,
) -> list[RowResult]:
    """One result per row, in the file's order; ``written`` are the cases opened, by line."""
    left = [row for row in rows if isinstance(row, CardRow) and row.line not in written]
    known, places = await _known(unit, left, import_id) if left else (set(), set())
    starts_on = tools.settings.next_generation_from

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
        found = fault(row)
        odd = () if found else oddities(row, starts_on)
        return RowResult(row.line, row.lot_id, row.row, written.get(row.line), found, odd)

    return [result(row) for row in rows]


async def _known(
    unit: Unit, rows: Sequence[CardRow], import_id: UUID | None
) -> tuple[set[str], set[tuple[LotId, int]]]:
    references = [row.card_reference for row in rows]
    places = [(row.lot_id, row.row) for row in rows]
    return (
        await imports.known_references(unit.conn, references, import_id),
        await imports.known_places(unit.conn, places, import_id),
    )


def _tell(
    unit: Unit, import_id: UUID, lots: Collection[LotId], cards: Mapping[CaseId, CardRow]
) -> None:
    for lot_id in sorted(lots):
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
    unit.emit(
        CardReceived(
            case_id=case_id,
            lot_id=row.lot_id,
            card_expires_on=row.card_expires_on,
            old_card_expires_on=row.old_card_expires_on,
        )
    )
    for stage in WAY[1 : imports.begun(row.stage).rank + 1]:
        unit.emit(TOLD[stage](case_id=case_id))

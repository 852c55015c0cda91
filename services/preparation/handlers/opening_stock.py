"""Cards that were here before this system: laid on their shelves, and as notified as they are.

The numbers of old postcards come once, are hashed like any other and dropped, so that who holds
one can log in. Nobody here can print such a number again, so the birth date is kept for the one
that a second notice gets; it goes with that notice, or with the end of the case.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from services.preparation.domain.lot_rows import CardRow, RefusedRow
from services.preparation.domain.refusals import DONE
from services.preparation.domain.row_faults import RowCode, RowFault
from services.preparation.domain.second_notices import LAST
from services.preparation.domain.stages import Stage
from services.preparation.handlers import birth_dates, numbering, stages
from services.preparation.handlers.selection import Selection, locked
from services.preparation.store import notices, printing
from services.preparation.store import stages as steps
from services.preparation.store.notices import Batch, Notice
from services.preparation.tools import Tools
from shared.db import Connection
from shared.errors import Conflict, Text
from shared.ids import CaseId, SiteId, new_id
from shared.unit import Unit

Row = CardRow | RefusedRow


class ShelfTooSmall(Conflict):
    """The shelf that opening stock names does not take all of its cards."""

    slug = "opening-stock-shelf-full"
    title = Text("A shelf does not take its cards", "保管棚に入りきりません")
    remedy = Text(
        "Raise the capacity of the shelf (PUT /v1/shelves) and send the file again.",
        "棚の容量を増やし（PUT /v1/shelves）、ファイルを再送してください。",
    )

    def __init__(self, site_id: SiteId, shelf: str) -> None:
        super().__init__(extras={"site_id": site_id, "shelf": shelf})


class NumberTaken(Conflict):
    """Another file brought one of the notice numbers at the same time."""

    slug = "opening-stock-number-taken"
    title = Text("A notice number was taken meanwhile", "通知書番号が同時に登録されました")
    remedy = Text(
        "Send the file again: the row will be named.",
        "ファイルを再送してください。該当する行が示されます。",
    )


async def sifted(conn: Connection, tools: Tools, rows: Sequence[Row]) -> Sequence[Row]:
    """The rows, those refused whose notice number another case has."""
    told = {row.line: row for row in rows if isinstance(row, CardRow) and row.notice_number}
    if not told:
        return rows
    keys = {
        key.value: line
        for line, row in told.items()
        for key in tools.index.number_keys(row.notice_number or "")
    }
    taken = {keys[key] for key in await notices.taken(conn, list(keys))}
    fault = RowFault(RowCode.DUPLICATE_NUMBER, "notice_number")
    return [
        RefusedRow(row.line, fault, row.lot_id, row.row) if row.line in taken else row
        for row in rows
    ]


async def lay(unit: Unit, cards: Mapping[CaseId, CardRow]) -> None:
    """Lay the cards that have a shelf, shelf by shelf, in the order of the file.

    Raises ``ShelfTooSmall`` and ``SiteUnknown``.
    """
    places: dict[tuple[SiteId, str], list[CaseId]] = defaultdict(list)
    for case_id, row in cards.items():
        if row.site_id is not None and row.shelf is not None:
            places[row.site_id, row.shelf].append(case_id)
    for (site_id, shelf), case_ids in sorted(places.items()):
        unit.principal.require_site(site_id)
        found = await stages.shelve(unit, Selection(tuple(case_ids)), site_id, shelf)
        if any(result.verdict is not DONE for result in found):
            raise ShelfTooSmall(site_id, shelf)


async def keep_notices(unit: Unit, tools: Tools, rows: Mapping[CaseId, CardRow]) -> None:
    """Let the notified cards be notified: by notices that were printed before. Raises
    ``NumberTaken``.
    """
    told = {case_id: row for case_id, row in rows.items() if row.stage is Stage.NOTIFIED}
    for seq in sorted({row.notice_seq for row in told.values()}):
        await _keep(unit, tools, {c: r for c, r in told.items() if r.notice_seq == seq}, seq)


async def _keep(unit: Unit, tools: Tools, told: Mapping[CaseId, CardRow], notice_seq: int) -> None:
    batch = Batch(new_id(), unit.now, len(told), notice_seq)
    await notices.open_batch(unit.conn, batch)
    cases = list(told)
    await steps.advance(unit.conn, cases, frm=Stage.SHELVED, to=Stage.NOTIFIED, at=unit.now)
    made = [_notice(tools, case_id, row) for case_id, row in told.items()]
    if len(await notices.add(unit.conn, batch.batch_id, made)) < len(made):
        raise NumberTaken
    await printing.mark(unit.conn, batch.batch_id, cases, unit.now, unit.principal.subject)
    if notice_seq >= LAST:
        await birth_dates.destroy(unit.conn, cases, unit.now)
    cards = await locked(unit.conn, Selection(tuple(cases)))
    numbering.tell(unit, batch, cards, made)


def _notice(tools: Tools, case_id: CaseId, row: CardRow) -> Notice:
    if row.notice_number is None or row.pickup_deadline is None or row.site_id is None:
        raise RuntimeError("a notified card came without its notice")
    key = tools.index.number_key(row.notice_number)
    return Notice(
        case_id=case_id,
        notice_seq=row.notice_seq,
        secret_id=None,
        attempt=0,
        number_key=key.value,
        login_key=tools.index.login_key(row.notice_number, row.birth_date).value,
        key_id=key.key_id,
        # Whatever the postcard says, nobody is handed a card that has expired.
        pickup_deadline=min(row.pickup_deadline, row.card_expires_on),
        site_id=row.site_id,
    )

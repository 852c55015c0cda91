"""Print notices: the numbers derived again, whom they go to, and what the printer has done.

What is not to be printed is never in the file; names and addresses of what was printed go.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.preparation.domain.addressee import Addressee
from services.preparation.domain.notices import NoticeNumber, SecretRetired, derive_number
from services.preparation.domain.printing import NothingToPrint, PrintCountDiffers
from services.preparation.handlers import addressees
from services.preparation.handlers.notices import find_batch
from services.preparation.store import printing
from services.preparation.store.notices import Batch
from services.preparation.store.printing import LineKey, PrintLine
from services.preparation.tools import Tools
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class Printed:
    """One line of the print file; without an addressee where that is no longer kept."""

    card_reference: str
    notice_number: NoticeNumber
    pickup_deadline: date
    addressee: Addressee | None


@dataclass(frozen=True, slots=True)
class PrintFile:
    """What is printed, and how many notices are left out of what was asked for."""

    lines: Sequence[Printed]
    left_out: int


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """How the notices of a batch add up: to print, printed and left out are all of them.

    ``address_missing`` of those to print go without a name and address.
    """

    to_print: int
    printed: int
    left_out: int
    address_missing: int

    @classmethod
    def of(cls, lines: Sequence[PrintLine]) -> "BatchCounts":
        """The counts of a batch."""
        waiting = [line for line in lines if _is_waiting(line)]
        printed = sum(line.printed_at is not None for line in lines)
        missing = sum(not line.addressed for line in waiting)
        return cls(len(waiting), printed, len(lines) - len(waiting) - printed, missing)


async def print_file(
    unit: Unit, tools: Tools, batch_id: UUID, *, only_unprinted: bool = False
) -> PrintFile:
    """The lines to print, with the numbers derived again; audited for each case.

    Raises ``BatchUnknown``, ``NothingToPrint`` and ``SecretRetired``.
    """
    await find_batch(unit, batch_id)
    lines = await printing.lines(unit.conn, batch_id)
    candidates = [line for line in lines if not (only_unprinted and line.printed_at)]
    wanted = [line for line in candidates if line.left_out is None]
    if not wanted:
        raise NothingToPrint
    known = await addressees.opened(unit.conn, tools.vault, [line.case_id for line in wanted])
    for line in wanted:
        unit.audit("notice.print", subject=str(line.case_id), batch_id=str(batch_id))
    printed = [
        Printed(
            line.card_reference,
            _number(tools, line),
            line.pickup_deadline,
            known.get(line.case_id),
        )
        for line in wanted
    ]
    return PrintFile(printed, len(candidates) - len(wanted))


async def batch_lines(
    unit: Unit, batch_id: UUID, after: LineKey | None, limit: int
) -> Sequence[PrintLine]:
    """The notices of a batch after one, printed or left out; audited for each.

    Raises ``BatchUnknown``.
    """
    await find_batch(unit, batch_id)
    found = await printing.lines(unit.conn, batch_id, after, limit)
    for line in found:
        unit.audit("card.list", subject=str(line.case_id), batch_id=str(batch_id))
    return found


async def batch_counts(unit: Unit, batch_id: UUID) -> tuple[Batch, BatchCounts]:
    """A batch and how it adds up. Raises ``BatchUnknown``."""
    batch = await find_batch(unit, batch_id)
    return batch, BatchCounts.of(await printing.lines(unit.conn, batch_id))


async def acknowledge(unit: Unit, batch_id: UUID, counted: int | None) -> tuple[Batch, BatchCounts]:
    """Say that a batch is printed: the names and addresses of what was printed are destroyed.

    What is left out stays unprinted and may be printed once its card goes on. ``counted`` is the
    printer's count of what was not printed before. Raises ``BatchUnknown`` and
    ``PrintCountDiffers``.
    """
    await find_batch(unit, batch_id)
    await printing.lock(unit.conn, batch_id)
    lines = await printing.lines(unit.conn, batch_id)
    waiting = [line.case_id for line in lines if _is_waiting(line)]
    if waiting:
        counts = BatchCounts.of(lines)
        if counted is not None and counted != len(waiting):
            raise PrintCountDiffers(len(waiting), counts.left_out)
        await printing.mark(unit.conn, batch_id, waiting, unit.now, unit.principal.subject)
        await addressees.destroy(unit.conn, waiting, unit.now)
        unit.audit("notice.printed", subject=str(batch_id), notices=len(waiting))
    return await batch_counts(unit, batch_id)


def _is_waiting(line: PrintLine) -> bool:
    return line.left_out is None and line.printed_at is None


def _number(tools: Tools, line: PrintLine) -> NoticeNumber:
    secret_id = line.secret_id or ""
    if secret_id not in tools.secrets:
        raise SecretRetired(secret_id)
    return derive_number(tools.secrets[secret_id], line.case_id, line.number_seq, line.attempt)

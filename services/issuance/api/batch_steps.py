"""Rows of a batch that are single commands: each is worked by the handler of its own door."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import assert_never

from services.issuance.api import renewal_rows
from services.issuance.api.desk import Desk
from services.issuance.api.renewal_rows import RenewalRow
from services.issuance.api.step_rows import (
    CallRow,
    CheckInRow,
    CounterRow,
    CountRow,
    DeferRow,
    DoneRow,
    IdentityRow,
    IssueRow,
    LeaveRow,
    OldCardRow,
    PinSetRow,
    ProxyRow,
    ReceiptRow,
    RenewRow,
    SignOffRow,
    StepRow,
    UnreadRow,
)
from services.issuance.domain.conflict import EntryNotUnderstood
from services.issuance.domain.visit import Visit
from services.issuance.handlers import (
    afterwards,
    count_cards,
    counter,
    counters,
    hand_over,
    queue,
    steps,
)
from services.issuance.handlers.as_told import check_in_as_told
from services.issuance.handlers.check_in import (
    check_in_booking,
    check_in_case,
    check_in_notice,
    check_in_question,
    check_in_renewal,
)
from services.issuance.handlers.satellites import is_decided
from services.issuance.handlers.sign_off import sign_off
from shared.unit import Unit

_Command = Callable[[Unit], Awaitable[Visit]]
_StepOfVisit = CallRow | LeaveRow | DoneRow
_StepOfCase = (
    IdentityRow | ProxyRow | OldCardRow | ReceiptRow | PinSetRow | IssueRow | RenewRow | DeferRow
)


async def work(unit: Unit, row: StepRow, desk: Desk) -> Visit | None:
    """Do what ``row`` says, at its moment; the visit, none for what is about a day.

    Raises what its single door raises.
    """
    if isinstance(row, UnreadRow):
        raise EntryNotUnderstood
    if isinstance(row, CheckInRow):
        unit.principal.require_site(row.site_id)
        come = partial(_come, row=row, desk=desk)
        return await afterwards.check_in(unit, row.visit_id, row.occurred_at, come)
    if isinstance(row, CountRow | SignOffRow | CounterRow):
        await afterwards.act(unit, row.occurred_at, partial(_of_day, row=row, desk=desk))
        return None
    command = _command(row, desk)
    return await afterwards.step(unit, row.visit_id, row.occurred_at, command)


async def _of_day(unit: Unit, row: CountRow | SignOffRow | CounterRow, desk: Desk) -> None:
    unit.principal.require_site(row.site_id)
    if isinstance(row, CounterRow):
        await counters.was_told(unit, row.site_id, row.counter, row.state)
    elif isinstance(row, CountRow):
        await count_cards.count(unit, row.site_id, row.date, back=row.back, missing=row.missing)
    else:
        await sign_off(unit, row.site_id, row.date, desk.grace, desk.learning)


async def _come(unit: Unit, row: CheckInRow, desk: Desk) -> Visit:
    site_id, need, own = row.site_id, row.need, row.visit_id
    if is_decided(unit) and row.party and row.ward is None:
        party = {one.case_id: one.booking_id for one in row.party}
        return await check_in_as_told(unit, site_id, party, desk.grace, need=need, visit_id=own)
    if row.booking_id is not None:
        return await check_in_booking(unit, site_id, row.booking_id, desk.grace, need, visit_id=own)
    if row.notice_number is not None:
        keys = desk.index.number_keys(row.notice_number)
        return await check_in_notice(
            unit, site_id, keys, desk.grace, soon_days=desk.soon_days, need=need, visit_id=own
        )
    if row.ward is not None:
        return await check_in_renewal(
            unit, site_id, row.ward, need, visit_id=own, case_id=row.case_id
        )
    if row.case_id is not None:
        return await check_in_case(
            unit,
            site_id,
            row.case_id,
            desk.grace,
            soon_days=desk.soon_days,
            need=need,
            visit_id=own,
        )
    return await check_in_question(unit, site_id, need, visit_id=own)


def _command(row: _StepOfVisit | _StepOfCase | RenewalRow, desk: Desk) -> _Command:
    visit_id = row.visit_id
    if isinstance(row, RenewalRow):
        return partial(renewal_rows.work, row=row, switch_from=desk.switch_from)
    match row:
        case CallRow():
            return lambda unit: counter.call(unit, visit_id, row.counter)
        case LeaveRow():
            return lambda unit: queue.leave(unit, visit_id)
        case DoneRow():
            return lambda unit: queue.done(unit, visit_id)
        case _:
            return partial(_step_of_case, row=row)


async def _step_of_case(unit: Unit, row: _StepOfCase) -> Visit:
    visit_id, case_id = row.visit_id, row.case_id
    done: Awaitable[Visit]
    match row:
        case IdentityRow():
            shown = [document.to_domain() for document in row.documents]
            done = counter.verify_identity(unit, visit_id, case_id, shown)
        case ProxyRow():
            done = steps.note_proxy(unit, visit_id, case_id, row.to_domain())
        case OldCardRow():
            done = steps.note_old_card(unit, visit_id, case_id, row.result)
        case ReceiptRow():
            done = steps.note_receipt(unit, visit_id, case_id)
        case PinSetRow():
            done = counter.confirm_pin(unit, visit_id, case_id)
        case IssueRow():
            done = hand_over.issue(unit, visit_id, case_id)
        case RenewRow():
            written = tuple(sorted(set(row.certificates)))
            done = hand_over.renew(unit, visit_id, case_id, written)
        case DeferRow():
            done = counter.defer(unit, visit_id, case_id, row.reason)
        case _:
            assert_never(row)
    return await done

"""What the buttons of the counter screen do: the same commands as the API's, by the same rules."""

import re
from collections.abc import Mapping

from services.issuance.api.desk_actions import DESK_ACTIONS, Action, require_up
from services.issuance.api.pressed import Pressed
from services.issuance.domain.counter import CounterState
from services.issuance.domain.identity import DocumentType
from services.issuance.domain.ticket import Purpose
from services.issuance.handlers import (
    counter,
    counters,
    hand_over,
    national_system,
    queue,
    steps,
)
from shared.contracts.base import Certificate
from shared.contracts.issuance import DeferReason
from shared.errors import NotFound
from shared.unit import Unit

COUNTER_NAME = re.compile(r"[0-9A-Za-z-]{1,8}")


async def press(unit: Unit, action: str, pressed: Pressed) -> None:
    """Do what the button says. Raises ``NotFound`` for another, and what its command raises."""
    if action not in _ACTIONS:
        raise NotFound
    await _ACTIONS[action](unit, pressed)


def _counter_name(value: str) -> str:
    if value and not COUNTER_NAME.fullmatch(value):
        raise ValueError("no name of a counter")
    return value


async def _open(unit: Unit, pressed: Pressed) -> None:
    purposes = pressed.all("purpose", Purpose)
    await counters.open_counter(unit, pressed.site_id, pressed.counter, purposes or None)


async def _pause(unit: Unit, pressed: Pressed) -> None:
    await counters.become(unit, pressed.site_id, pressed.counter, CounterState.PAUSED)


async def _close(unit: Unit, pressed: Pressed) -> None:
    await counters.become(unit, pressed.site_id, pressed.counter, CounterState.CLOSED)


async def _next(unit: Unit, pressed: Pressed) -> None:
    desk = pressed.desk
    now = await national_system.read(unit.conn, pressed.site_id, unit.now, desk.national)
    await queue.call_next(unit, pressed.site_id, pressed.counter, desk.queue, now.purposes)


async def _recall(unit: Unit, pressed: Pressed) -> None:
    await queue.recall(unit, pressed.visit_id)


async def _skip(unit: Unit, pressed: Pressed) -> None:
    await queue.skip(unit, pressed.visit_id, pressed.desk.queue)


async def _leave(unit: Unit, pressed: Pressed) -> None:
    await queue.leave(unit, pressed.visit_id)


async def _done(unit: Unit, pressed: Pressed) -> None:
    await queue.done(unit, pressed.visit_id)


async def _transfer(unit: Unit, pressed: Pressed) -> None:
    await queue.transfer(unit, pressed.visit_id, pressed.one("to", _counter_name) or None)


async def _identity(unit: Unit, pressed: Pressed) -> None:
    types = pressed.all("document", DocumentType)
    shown = await steps.as_accepted(unit, pressed.visit_id, pressed.case_id, types)
    await counter.verify_identity(unit, pressed.visit_id, pressed.case_id, shown)


async def _pin_set(unit: Unit, pressed: Pressed) -> None:
    await require_up(unit, pressed)
    await counter.confirm_pin(unit, pressed.visit_id, pressed.case_id)


async def _issue(unit: Unit, pressed: Pressed) -> None:
    await require_up(unit, pressed)
    await hand_over.issue(unit, pressed.visit_id, pressed.case_id)


async def _renew(unit: Unit, pressed: Pressed) -> None:
    await require_up(unit, pressed)
    await hand_over.renew(unit, pressed.visit_id, pressed.case_id, tuple(Certificate))


async def _defer(unit: Unit, pressed: Pressed) -> None:
    reason = pressed.one("reason", DeferReason)
    await counter.defer(unit, pressed.visit_id, pressed.case_id, reason)


_ACTIONS: Mapping[str, Action] = {
    "open": _open,
    "pause": _pause,
    "close": _close,
    "next": _next,
    "recall": _recall,
    "skip": _skip,
    "leave": _leave,
    "done": _done,
    "transfer": _transfer,
    "identity": _identity,
    "pin-set": _pin_set,
    "issue": _issue,
    "renew": _renew,
    "defer": _defer,
    **DESK_ACTIONS,
}

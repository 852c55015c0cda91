"""What the buttons of the counter screen do: the same commands as the API's, by the same rules."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from starlette.datastructures import FormData

from services.issuance.api.bodies import CounterName
from services.issuance.api.desk import Desk
from services.issuance.domain.counter import CounterState
from services.issuance.domain.identity import Document, DocumentType, class_of
from services.issuance.domain.national_system import Then
from services.issuance.domain.ticket import Purpose
from services.issuance.handlers import counter, counters, hand_over, national_system, queue
from shared.contracts.base import Certificate
from shared.contracts.issuance import DeferReason
from shared.errors import FieldError, NotFound, Text, Unprocessable
from shared.ids import CaseId, SiteId, VisitId
from shared.unit import Unit

V = TypeVar("V")
COUNTER_NAME = re.compile(r"[0-9A-Za-z-]{1,8}")


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button of one counter's screen, with its form."""

    site_id: SiteId
    counter: CounterName
    form: FormData
    desk: Desk

    @property
    def visit_id(self) -> VisitId:
        """The party it is about."""
        return VisitId(self.one("visit_id", UUID))

    @property
    def case_id(self) -> CaseId:
        """The case it is about."""
        return CaseId(self.one("case_id", UUID))

    def all(self, name: str, kind: Callable[[str], V]) -> list[V]:
        """Every value of a field, as ``kind``. Raises ``Unprocessable`` naming the field."""
        try:
            return [kind(str(value)) for value in self.form.getlist(name)]
        except ValueError:
            raise _wrong(name) from None

    def one(self, name: str, kind: Callable[[str], V]) -> V:
        """The one value of a field, as ``kind``. Raises ``Unprocessable`` naming the field."""
        values = self.all(name, kind)
        if len(values) != 1:
            raise _wrong(name)
        return values[0]


async def press(unit: Unit, action: str, pressed: Pressed) -> None:
    """Do what the button says. Raises ``NotFound`` for another, and what its command raises."""
    if action not in _ACTIONS:
        raise NotFound
    await _ACTIONS[action](unit, pressed)


def _counter_name(value: str) -> str:
    if value and not COUNTER_NAME.fullmatch(value):
        raise ValueError("no name of a counter")
    return value


def _wrong(field: str) -> Unprocessable:
    message = Text("This value is not accepted.", "この値は受け付けられません。")
    return Unprocessable(errors=[FieldError(field, message, Unprocessable.remedy)])


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
    shown = [Document(class_of(type_), type_) for type_ in types]
    await counter.verify_identity(unit, pressed.visit_id, pressed.case_id, shown)


async def _pin_set(unit: Unit, pressed: Pressed) -> None:
    await _require_up(unit, pressed)
    await counter.confirm_pin(unit, pressed.visit_id, pressed.case_id)


async def _issue(unit: Unit, pressed: Pressed) -> None:
    await _require_up(unit, pressed)
    await hand_over.issue(unit, pressed.visit_id, pressed.case_id)


async def _renew(unit: Unit, pressed: Pressed) -> None:
    await _require_up(unit, pressed)
    await hand_over.renew(unit, pressed.visit_id, pressed.case_id, tuple(Certificate))


async def _require_up(unit: Unit, pressed: Pressed) -> None:
    await national_system.require_up(unit, pressed.visit_id, pressed.case_id, pressed.desk.national)


async def _interrupt(unit: Unit, pressed: Pressed) -> None:
    then = pressed.one("then", Then)
    await national_system.interrupt(unit, pressed.visit_id, then, pressed.desk.national)


async def _defer(unit: Unit, pressed: Pressed) -> None:
    reason = pressed.one("reason", DeferReason)
    await counter.defer(unit, pressed.visit_id, pressed.case_id, reason)


_ACTIONS: Mapping[str, Callable[[Unit, Pressed], Awaitable[None]]] = {
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
    "interrupt": _interrupt,
}

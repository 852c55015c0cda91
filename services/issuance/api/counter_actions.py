"""What the buttons of the counter screen do: the same commands as the API's, by the same rules."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from starlette.datastructures import FormData

from services.issuance.api.bodies import CounterName
from services.issuance.api.desk import Desk
from services.issuance.domain.counter import CounterState
from services.issuance.domain.identity import Document, DocumentType, class_of
from services.issuance.domain.ticket import Purpose
from services.issuance.handlers import counter, counters, hand_over, queue
from shared.contracts.base import Certificate
from shared.contracts.issuance import DeferReason
from shared.errors import FieldError, NotFound, Text, Unprocessable
from shared.ids import CaseId, SiteId, VisitId
from shared.unit import Unit


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
        return VisitId(self._id("visit_id"))

    @property
    def case_id(self) -> CaseId:
        """The case it is about."""
        return CaseId(self._id("case_id"))

    def all(self, name: str) -> list[str]:
        """Every value of a field."""
        return [str(value) for value in self.form.getlist(name)]

    def one(self, name: str) -> str:
        """The value of a field; empty where there is none."""
        return str(self.form.get(name, ""))

    def _id(self, name: str) -> UUID:
        try:
            return UUID(self.one(name))
        except ValueError:
            raise _wrong(name) from None


async def press(unit: Unit, action: str, pressed: Pressed) -> None:
    """Do what the button says. Raises ``NotFound`` for another, and what its command raises."""
    if action not in _ACTIONS:
        raise NotFound
    try:
        await _ACTIONS[action](unit, pressed)
    except ValueError as error:
        raise _wrong(action) from error


def _wrong(field: str) -> Unprocessable:
    message = Text("This value is not accepted.", "この値は受け付けられません。")
    return Unprocessable(errors=[FieldError(field, message, Unprocessable.remedy)])


async def _open(unit: Unit, pressed: Pressed) -> None:
    purposes = [Purpose(value) for value in pressed.all("purpose")]
    await counters.open_counter(unit, pressed.site_id, pressed.counter, purposes or None)


async def _pause(unit: Unit, pressed: Pressed) -> None:
    await counters.become(unit, pressed.site_id, pressed.counter, CounterState.PAUSED)


async def _close(unit: Unit, pressed: Pressed) -> None:
    await counters.become(unit, pressed.site_id, pressed.counter, CounterState.CLOSED)


async def _next(unit: Unit, pressed: Pressed) -> None:
    await queue.call_next(unit, pressed.site_id, pressed.counter, pressed.desk.queue)


async def _recall(unit: Unit, pressed: Pressed) -> None:
    await queue.recall(unit, pressed.visit_id)


async def _skip(unit: Unit, pressed: Pressed) -> None:
    await queue.skip(unit, pressed.visit_id, pressed.desk.queue)


async def _leave(unit: Unit, pressed: Pressed) -> None:
    await queue.leave(unit, pressed.visit_id)


async def _done(unit: Unit, pressed: Pressed) -> None:
    await queue.done(unit, pressed.visit_id)


async def _transfer(unit: Unit, pressed: Pressed) -> None:
    await queue.transfer(unit, pressed.visit_id, pressed.one("to") or None)


async def _identity(unit: Unit, pressed: Pressed) -> None:
    types = [DocumentType(value) for value in pressed.all("document")]
    shown = [Document(class_of(type_), type_) for type_ in types]
    await counter.verify_identity(unit, pressed.visit_id, pressed.case_id, shown)


async def _pin_set(unit: Unit, pressed: Pressed) -> None:
    await counter.confirm_pin(unit, pressed.visit_id, pressed.case_id)


async def _issue(unit: Unit, pressed: Pressed) -> None:
    await hand_over.issue(unit, pressed.visit_id, pressed.case_id)


async def _renew(unit: Unit, pressed: Pressed) -> None:
    await hand_over.renew(unit, pressed.visit_id, pressed.case_id, tuple(Certificate))


async def _defer(unit: Unit, pressed: Pressed) -> None:
    reason = DeferReason(pressed.one("reason"))
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
}

"""A button of the counter screen that was pressed, with its form."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from starlette.datastructures import FormData

from services.issuance.api.bodies import CounterName
from services.issuance.api.desk import Desk
from shared.errors import FieldError, Text, Unprocessable
from shared.ids import CaseId, SiteId, VisitId

V = TypeVar("V")


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


def _wrong(field: str) -> Unprocessable:
    message = Text("This value is not accepted.", "この値は受け付けられません。")
    return Unprocessable(errors=[FieldError(field, message, Unprocessable.remedy)])

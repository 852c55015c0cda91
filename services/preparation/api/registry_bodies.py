"""Changes of the registry as they are sent in JSON; no name or address is shown in any log."""

from datetime import date
from typing import Annotated, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from services.preparation.api.parts import CardReference
from services.preparation.domain.addressee import Addressee, written
from services.preparation.domain.registry import Change, ChangeKind, fault
from services.preparation.domain.row_faults import RowCode, RowFault
from shared.contracts.base import WardRef
from shared.errors import RejectedValueError

MOST = 10_000
"""Changes at a time."""

_ONE_LINE = RowFault(RowCode.MALFORMED, "name")


class ChangeIn(BaseModel):
    """One change of the registry."""

    model_config = ConfigDict(extra="forbid")

    change_reference: Annotated[
        str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{3,63}$")
    ] = Field(description="The registry's own number of the change; each counts once.")
    card_reference: CardReference
    kind: ChangeKind
    effective_on: date
    ward: WardRef | None = Field(None, description="The new ward, for moved_within_city.")
    review_on: date | None = Field(None, description="When a hold is looked at again.")
    name: str = Field("", repr=False, description="As it is now, for the next notice; sealed.")
    address: str = Field("", repr=False, description="As it is now, for the next notice; sealed.")

    @field_validator("name", "address")
    @classmethod
    def _is_written(cls, value: str) -> str:
        try:
            return written(value)
        except ValueError:
            raise RejectedValueError(_ONE_LINE.message, _ONE_LINE.remedy) from None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        refusal = fault(self.kind, self.ward, self.review_on, self.name, self.address)
        if refusal is not None:
            raise RejectedValueError(refusal.message, refusal.remedy)
        return self

    @property
    def change(self) -> Change:
        """The change, without the name and address."""
        return Change(**self.model_dump(exclude={"name", "address"}))

    @property
    def addressee(self) -> Addressee | None:
        """Whom the next notice goes to, where the change says so."""
        return Addressee(self.name, self.address) if self.name else None


class ChangesIn(BaseModel):
    """Changes of the registry."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "changes": [
                        {
                            "change_reference": "REG-2026-000417",
                            "card_reference": "KC26-000001",
                            "kind": "moved_out",
                            "effective_on": "2026-04-10",
                        }
                    ]
                }
            ]
        },
    )

    changes: Annotated[list[ChangeIn], Field(min_length=1, max_length=MOST)]

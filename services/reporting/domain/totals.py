"""The ministry's four running totals, and the work in progress between each pair.

A card case stands at its furthest stage. Cases that ended without hand-over (void, disposed) wait
for nothing, so applied = waiting for shipment + preset + issuance + issued + ended.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from shared.ids import WardCode


@dataclass(frozen=True, slots=True)
class Totals:
    """Card cases up to a day, of the residents of a ward."""

    applied: int = 0
    shipped: int = 0
    preset: int = 0
    issued: int = 0
    waiting_for_shipment: int = 0
    waiting_for_preset: int = 0
    waiting_for_issuance: int = 0
    ended: int = 0

    def __add__(self, other: "Totals") -> "Totals":
        """Both together."""
        return Totals(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True, slots=True)
class WardTotals:
    """The totals of a ward; without a ward, of cases whose ward no event has told yet."""

    ward: WardCode | None
    totals: Totals


def city(wards: Sequence[WardTotals]) -> Totals:
    """All wards together."""
    return sum((ward.totals for ward in wards), Totals())

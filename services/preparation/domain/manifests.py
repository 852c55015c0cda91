"""A manifest says how many cards a lot has. What came may differ; that is worked and closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from shared.errors import Conflict, NotFound, Text
from shared.ids import LotId


@dataclass(frozen=True, slots=True)
class Manifest:
    """What J-LIS says it sent."""

    lot_id: LotId
    card_count: int
    shipped_on: date


class DiscrepancyState(StrEnum):
    """How far a discrepancy is."""

    OPEN = "open"
    IN_WORK = "in_work"
    CLOSED = "closed"


class Resolution(StrEnum):
    """How a discrepancy ended; ``counts_agree`` is found by counting, the others by people."""

    COUNTS_AGREE = "counts_agree"
    CARDS_FOUND = "cards_found"
    REPORTED_TO_JLIS = "reported_to_jlis"
    MANIFEST_CORRECTED = "manifest_corrected"
    SURPLUS_RETURNED = "surplus_returned"


BY_PEOPLE: Final[Sequence[Resolution]] = tuple(
    one for one in Resolution if one is not Resolution.COUNTS_AGREE
)


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A lot whose cards are not as many as its manifest says; ``version`` grows with changes."""

    discrepancy_id: UUID
    lot_id: LotId
    expected: int
    found: int
    state: DiscrepancyState
    resolution: Resolution | None
    opened_at: datetime
    worked_by: str | None
    closed_at: datetime | None
    version: int


class DiscrepancyUnknown(NotFound):
    """No discrepancy has this id."""

    slug = "discrepancy-unknown"
    title = Text("There is no such discrepancy", "この数量差異はありません")
    remedy = Text("GET /v1/discrepancies lists them.", "GET /v1/discrepancies で確認してください。")


class DiscrepancyClosed(Conflict):
    """What is closed stays as it is."""

    slug = "discrepancy-closed"
    title = Text("The discrepancy is closed", "この数量差異は処理済みです")
    remedy = Text("There is nothing to do.", "対応は不要です。")

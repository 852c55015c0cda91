"""A hold: seats kept for one session while the form is filled, before anything is booked.

Its seats count as taken and are on their way back from the start, so that no process has to end
it: whoever confirms in time keeps them, and otherwise they return by themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from services.reservation.domain.cells import party_cells
from shared.errors import Conflict, NotFound, Text
from shared.ids import CaseId, PartyId, SiteId

HoldId = NewType("HoldId", UUID)


class HoldState(StrEnum):
    """What became of a hold."""

    HELD = "held"
    CONFIRMED = "confirmed"
    RELEASED = "released"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class Hold:
    """Seats for a party at one time; ``minutes`` by case, in the order of ``case_ids``."""

    hold_id: HoldId
    holder: str
    case_ids: tuple[CaseId, ...]
    minutes: tuple[int, ...]
    site_id: SiteId
    starts_at: datetime
    made_at: datetime
    expires_at: datetime
    state: HoldState = HoldState.HELD
    party_id: PartyId | None = None
    """The party that was booked when it was confirmed."""

    def state_at(self, now: datetime) -> HoldState:
        """What it is at ``now``: nobody has to tell a hold that it has lapsed."""
        if self.state is HoldState.HELD and self.expires_at <= now:
            return HoldState.LAPSED
        return self.state

    def is_for(self, case_ids: Sequence[CaseId], site_id: SiteId, starts_at: datetime) -> bool:
        """Whether it holds just this."""
        same_place = (self.site_id, self.starts_at) == (site_id, starts_at)
        return same_place and sorted(self.case_ids) == sorted(case_ids)

    def cells(self, cell_minutes: int) -> dict[datetime, int]:
        """Its seats by cell."""
        return party_cells(self.starts_at, self.minutes, cell_minutes)


class NoSuchHold(NotFound):
    """No hold has this id."""

    slug = "no-such-hold"
    title = Text("There is no such hold", "この仮押さえはありません")
    remedy = Text(
        "Choose a time again and hold it with POST /v1/holds.",
        "もう一度時刻を選び、POST /v1/holds で仮押さえしてください。",
    )


class HoldEnded(Conflict):
    """The hold has run out, was given up, or its seat was taken off the calendar."""

    slug = "hold-ended"
    title = Text("The seat is no longer held for you", "仮押さえは終了しました")
    remedy = Text(
        "Choose a time again and hold it with POST /v1/holds.",
        "もう一度時刻を選び、POST /v1/holds で仮押さえしてください。",
    )


class HoldBusy(Conflict):
    """The same session is holding something else at this moment."""

    slug = "hold-busy"
    title = Text("Another hold of yours is being made", "別の仮押さえを処理中です")
    remedy = Text(
        "Wait a second and send the request again.", "1秒ほど待ってもう一度送信してください。"
    )

    @property
    def headers(self) -> dict[str, str]:
        """When to come back, in seconds."""
        return {"Retry-After": "1"}

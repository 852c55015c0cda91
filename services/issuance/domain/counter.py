"""A counter opens, pauses and closes; one that serves a party finishes with it first."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.issuance.domain.ticket import Purpose
from shared.errors import Conflict, NotFound, Text
from shared.ids import SiteId, VisitId


class CounterState(StrEnum):
    """Whether a counter serves."""

    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter and what it does; ``visit_id`` is the party at it. ``version`` counts changes."""

    site_id: SiteId
    counter: str
    purposes: tuple[Purpose, ...]
    state: CounterState
    version: int
    changed_at: datetime
    visit_id: VisitId | None = None


class CounterUnknown(NotFound):
    """There is no such counter at this site."""

    slug = "counter-not-known"
    title = Text("There is no such counter here", "この窓口番号は登録されていません")
    remedy = Text(
        "Open it with what it does first.", "取り扱う手続を指定して窓口を開いてください。"
    )


class CounterNotOpen(Conflict):
    """It is paused or closed: nobody is called to it."""

    slug = "counter-not-open"
    title = Text("This counter is not open", "この窓口は受付中ではありません")
    remedy = Text("Open it, then call.", "窓口を開いてから呼び出してください。")


class CounterBusy(Conflict):
    """A party is at it; ``visit_id`` names its visit."""

    slug = "counter-busy"
    title = Text("A party is still at this counter", "この窓口は対応中です")
    remedy = Text(
        "Finish with the visit in visit_id, skip it or send it on.",
        "visit_id の来庁を完了するか、不在または別の窓口へ案内してください。",
    )


def require_open(counter: Counter) -> None:
    """Raise ``CounterNotOpen`` unless it serves."""
    if counter.state is not CounterState.OPEN:
        raise CounterNotOpen(extras={"state": counter.state})


def require_free(counter: Counter, *, but: VisitId | None = None) -> None:
    """Raise ``CounterBusy`` while a party other than ``but`` is at it."""
    if counter.visit_id is not None and counter.visit_id != but:
        raise CounterBusy(extras={"visit_id": str(counter.visit_id)})

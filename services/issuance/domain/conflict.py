"""A conflict: what happened at a satellite and cannot be true beside what happened meanwhile.

Nothing of it is lost: the rows of the visit from there on are kept until a supervisor decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from shared.errors import Conflict, Json, NotFound, Text
from shared.ids import SiteId, VisitId


class ConflictState(StrEnum):
    """What became of a conflict."""

    OPEN = "open"
    RECORDED = "recorded"
    DISMISSED = "dismissed"


class Decision(StrEnum):
    """What a supervisor decides: it is recorded as it happened, or noted and nothing more."""

    RECORD = "record"
    DISMISS = "dismiss"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a satellite's journal: who did what; ``row`` is that of a batch."""

    number: int
    actor: str
    row: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Found:
    """A conflict with the entries that wait for its decision; ``code`` says what stood against."""

    conflict_id: UUID
    site_id: SiteId
    lease: int
    visit_id: VisitId | None
    code: str
    state: ConflictState
    raised_at: datetime
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    entries: tuple[Entry, ...] = ()


class ConflictUnknown(NotFound):
    """There is no such conflict."""

    slug = "conflict-not-known"
    title = Text("There is no such conflict", "該当する不一致の記録がありません")


class ConflictResolved(Conflict):
    """It was decided before."""

    slug = "conflict-resolved"
    title = Text("This conflict was decided already", "この不一致は処理済みです")
    remedy = Text("Look at what was decided.", "処理の結果を確認してください。")


class ConflictsOpen(Conflict):
    """A day is not signed off while it is not decided what happened on it."""

    slug = "conflicts-open"
    title = Text(
        "Conflicts of this site's satellite are open", "サテライトとの不一致が処理されていません"
    )
    remedy = Text(
        "Decide about each (GET /v1/conflicts?site_id=), then sign off.",
        "不一致（GET /v1/conflicts?site_id=）を処理してから締めてください。",
    )


def require_open(found: Found) -> None:
    """Raise ``ConflictResolved`` unless it still waits for a decision."""
    if found.state is not ConflictState.OPEN:
        raise ConflictResolved(extras={"state": found.state})

"""A conflict: what happened at a satellite and cannot be true beside what happened meanwhile.

Nothing of it is lost: the rows of the visit from there on are kept until a supervisor decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from shared.errors import Conflict, Json, NotFound, Text, Unprocessable
from shared.ids import SiteId, VisitId

UNREAD = "unread"
"""The verb of an entry that was set aside."""


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


def visit_of(entry: Entry) -> VisitId | None:
    """The visit that the entry names."""
    named = entry.row.get("visit_id")
    return VisitId(UUID(named)) if isinstance(named, str) else None


def set_aside(entry: Entry) -> Entry:
    """The entry as headquarters take it that cannot read it: whole, with the visit it names."""
    visit_id = entry.row.get("visit_id")
    named: Mapping[str, Json] = {"visit_id": visit_id} if _is_id(visit_id) else {}
    return Entry(entry.number, entry.actor, {"verb": UNREAD, **named, "entry": dict(entry.row)})


def verb_of(entry: Entry) -> object:
    """What was done, also where the entry was set aside."""
    row = entry.row
    inner = row.get("entry")
    return (
        inner.get("verb")
        if row.get("verb") == UNREAD and isinstance(inner, Mapping)
        else (row.get("verb"))
    )


def _is_id(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(UUID(value))
    except ValueError:
        return False


class EntryNotUnderstood(Unprocessable):
    """This release has no words for the entry."""

    slug = "entry-not-understood"
    title = Text(
        "The satellite's entry cannot be read here", "サテライトの記録をこの版では解釈できません"
    )
    remedy = Text(
        "Bring headquarters to the satellite's release, then record it.",
        "本部のシステムをサテライトと同じ版に更新してから記録してください。",
    )


class EntryFailed(Conflict):
    """Working the entry failed, and would again."""

    slug = "entry-failed"
    title = Text(
        "The satellite's entry could not be worked", "サテライトの記録を処理できませんでした"
    )
    remedy = Text(
        "Ask the operators (the log names the error), then record it.",
        "運用担当に確認し（ログに原因があります）、解消後に記録してください。",
    )


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

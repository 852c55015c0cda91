"""The checklist: what has to be done for a case before its end, as data that has versions.

A version says, per procedure and kind, which steps there are, in which order, when each is
required and what it accepts, and which documents count as class A and B. A case keeps the version
of the day on which it was checked in. What the law requires (``CORE``) no version leaves out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

from services.issuance.domain.identity import Document, DocumentClass, DocumentType
from shared.contracts.base import CaseKind, Procedure
from shared.errors import FieldError, NotFound, Text, Unprocessable


class Step(StrEnum):
    """What comes next for a case at the counter."""

    CALL = "call"
    PROXY = "proxy"
    IDENTITY = "identity"
    CERTIFICATES = "certificates"
    OLD_CARD = "old-card"
    REGISTRY = "registry"
    PIN_SET = "pin-set"
    RECEIPT = "receipt"
    ISSUE = "issue"
    RENEW = "renew"


class Rule(StrEnum):
    """When a step is required."""

    ALWAYS = "always"
    IF_REPLACED = "if_replaced"
    """Where the card is known to replace another."""
    OPTIONAL = "optional"
    """Only once it was begun: a proxy who has come must be proved."""


class Paper(StrEnum):
    """What a proxy brings besides documents of identity; only that it was seen is kept."""

    POWER_OF_ATTORNEY = "power_of_attorney"
    EVIDENCE_OF_REASON = "evidence_of_reason"
    SEALED_REPLY = "sealed_reply"


class ProxyReason(StrEnum):
    """Why somebody else comes for the citizen."""

    UNDER_AGE = "under_age"
    ADULT_WARD = "adult_ward"
    ILLNESS = "illness"
    DISABILITY = "disability"
    IN_CARE = "in_care"
    ABROAD = "abroad"
    STUDENT = "student"
    OTHER = "other"


class OldCard(StrEnum):
    """What became of the card or notification card (通知カード) that the new card replaces."""

    CARD_RETURNED = "card_returned"
    NOTIFICATION_CARD_RETURNED = "notification_card_returned"
    DECLARED_LOST = "declared_lost"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Requirement:
    """A step of one procedure and kind; ``accepts`` are results, or for a proxy the papers."""

    step: Step
    rule: Rule
    accepts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepDone:
    """What was noted of a step: a result, types of documents and papers, and when."""

    result: str
    documents: tuple[str, ...]
    papers: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Proxy:
    """Who comes for the citizen: why, with which documents of identity and papers."""

    reason: ProxyReason
    documents: tuple[Document, ...] = ()
    papers: tuple[Paper, ...] = ()

    def noted(self, at: datetime) -> StepDone:
        """What is kept of it: types only."""
        types = tuple(sorted({str(one.type) for one in self.documents}))
        return StepDone(self.reason, types, tuple(sorted(set(self.papers))), at)


@dataclass(frozen=True, slots=True)
class CaseChecklist:
    """The version a case goes by, and what was noted of it so far in this visit.

    ``replaces_card``: preparation has told of a card that this one replaces. ``is_clear``: no
    registry flag (hold, end) stands against the hand-over.
    """

    version: int = 0
    requirements: tuple[Requirement, ...] = ()
    done: Mapping[Step, StepDone] = field(default_factory=lambda: MappingProxyType({}))
    replaces_card: bool = False
    is_clear: bool = True


Steps = Mapping[tuple[Procedure, CaseKind], tuple[Requirement, ...]]


@dataclass(frozen=True, slots=True)
class Checklist:
    """A version, valid from a date in Japan until a later one follows."""

    version: int
    valid_from: date
    documents: Mapping[DocumentClass, tuple[DocumentType, ...]]
    steps: Steps
    published_at: datetime
    published_by: str


CORE: Mapping[Procedure, tuple[Requirement, ...]] = MappingProxyType(
    {
        Procedure.CARD_ISSUANCE: (
            Requirement(Step.IDENTITY, Rule.ALWAYS),
            Requirement(Step.PIN_SET, Rule.ALWAYS),
        ),
        Procedure.CERTIFICATE_RENEWAL: (Requirement(Step.PIN_SET, Rule.ALWAYS),),
    }
)
"""What no version may leave out: identity is proved and the PIN is the citizen's own (番号法
施行令 第13条; 公的個人認証法 第3条, 第22条)."""

KINDS: Mapping[Procedure, tuple[CaseKind, ...]] = MappingProxyType(
    {
        Procedure.CARD_ISSUANCE: tuple(CaseKind),
        Procedure.CERTIFICATE_RENEWAL: (CaseKind.RENEWAL,),
    }
)
_RESULTS: Mapping[Step, frozenset[str]] = MappingProxyType(
    {Step.OLD_CARD: frozenset(OldCard), Step.PROXY: frozenset(Paper)}
)
_NO_STEPS = frozenset({Step.CALL, Step.ISSUE, Step.RENEW})


class ChecklistUnknown(NotFound):
    """There is no such version."""

    slug = "checklist-not-known"
    title = Text("There is no such checklist", "該当するチェックリストがありません")


class ChecklistUnsound(Unprocessable):
    """The version leaves out what the law requires, or names what there is not."""

    slug = "checklist-unsound"
    title = Text("The checklist cannot be like this", "チェックリストの内容に誤りがあります")


def check(valid_from: date, today: date, steps: Steps) -> None:
    """Raise ``ChecklistUnsound``, naming every fault, unless the version may be published.

    It begins tomorrow or later: of those checked in today, all go by the same version.
    """
    faults = [*_of_date(valid_from, today), *_of_steps(steps)]
    if faults:
        raise ChecklistUnsound(errors=faults)


def _of_date(valid_from: date, today: date) -> Iterator[FieldError]:
    if valid_from <= today:
        yield FieldError(
            "valid_from",
            Text("Must lie ahead.", "翌日以降の日付が必要です。"),
            Text("Choose tomorrow or a later day.", "翌日以降の日付を指定してください。"),
        )


def _of_steps(steps: Steps) -> Iterator[FieldError]:
    for procedure, kinds in KINDS.items():
        for kind in kinds:
            found = steps.get((procedure, kind), ())
            always = {one.step for one in found if one.rule is Rule.ALWAYS}
            for missing in (one.step for one in CORE[procedure] if one.step not in always):
                yield _fault(
                    f"{procedure.value} ({kind.value}) has to require {missing.value} always.",
                    f"{procedure.value}（{kind.value}）では {missing.value} を必須にしてください。",
                )
    for (procedure, kind), found in steps.items():
        if kind not in KINDS[procedure]:
            yield _fault(
                f"{procedure.value} is never of the kind {kind.value}.",
                f"{procedure.value} に種別 {kind.value} はありません。",
            )
        yield from _of_order(found)


def _of_order(found: Sequence[Requirement]) -> Iterator[FieldError]:
    named = [one.step for one in found]
    for step in sorted(set(named)):
        if step in _NO_STEPS or named.count(step) > 1:
            yield _fault(
                f"{step.value} cannot be listed here, or is listed twice.",
                f"{step.value} は指定できないか、重複しています。",
            )
    for one in found:
        if not set(one.accepts) <= _RESULTS.get(one.step, frozenset()):
            yield _fault(
                f"{one.step.value} accepts something that there is not.",
                f"{one.step.value} の accepts に使えない値があります。",
            )


def _fault(en: str, ja: str) -> FieldError:
    remedy = Text("Change the steps and send them again.", "手順を修正して送信してください。")
    return FieldError("steps", Text(en, ja), remedy)

"""A visit goes waiting → called → ended, and each of its cases step by step to its own end.

No step is skipped that the checklist of the case requires: at the least identity, then the PIN that
the citizen sets, then the hand-over. A certificate renewal need not have an identity step: the
citizen's valid card and PIN are the proof.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import assert_never

from services.issuance.domain.case_file import AlreadyDone
from services.issuance.domain.checklist import CORE, CaseChecklist, Requirement, Rule, Step
from shared.contracts.base import CaseKind, Procedure
from shared.contracts.issuance import Arrival
from shared.errors import Conflict, NotFound, Text
from shared.ids import BookingId, CaseId, SiteId, VisitId, WardCode


class VisitState(StrEnum):
    """Where a visit stands."""

    WAITING = "waiting"
    CALLED = "called"
    ENDED = "ended"


class CaseState(StrEnum):
    """Where one case of a visit stands."""

    OPEN = "open"
    DONE = "done"
    DEFERRED = "deferred"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class VisitCase:
    """One case of a visit; ``documents`` are types only, ``reason`` why it was not done."""

    case_id: CaseId
    booking_id: BookingId | None
    procedure: Procedure
    kind: CaseKind | None
    ward: WardCode | None
    shelf_position: str | None
    state: CaseState
    reason: str | None
    documents: tuple[str, ...]
    identified_at: datetime | None
    pin_set_at: datetime | None
    closed_at: datetime | None
    checklist: CaseChecklist = field(default_factory=CaseChecklist)

    @property
    def is_begun(self) -> bool:
        """Whether anything was noted of it in this visit."""
        return bool(self.identified_at or self.pin_set_at or self.checklist.done)


@dataclass(frozen=True, slots=True)
class Visit:
    """One party at a site. ``version`` counts its changes, ``ticket`` is what is called."""

    visit_id: VisitId
    site_id: SiteId
    business_date: date
    arrival: Arrival
    state: VisitState
    counter: str | None
    checked_in_at: datetime
    called_at: datetime | None
    ended_at: datetime | None
    version: int
    cases: tuple[VisitCase, ...]
    ticket: str | None = None


class VisitUnknown(NotFound):
    """There is no such visit."""

    slug = "visit-not-known"
    title = Text("There is no such visit", "該当する来庁の記録がありません")


class CaseNotInVisit(NotFound):
    """The case does not belong to this visit."""

    slug = "case-not-in-visit"
    title = Text("This visit does not have this case", "この来庁に該当する案件がありません")


class AlreadyCheckedIn(Conflict):
    """The case is being served in an open visit."""

    slug = "already-checked-in"
    title = Text("This party has checked in already", "すでに受付済みです")
    remedy = Text(
        "Go on with the visit in visit_id.", "visit_id の来庁記録で手続を続けてください。"
    )


class VisitEnded(Conflict):
    """Nothing can be done in a visit that has ended."""

    slug = "visit-ended"
    title = Text("This visit has ended", "この来庁は終了しています")
    remedy = Text("Check the citizen in again.", "もう一度受け付けてください。")


class CaseClosed(Conflict):
    """The case was deferred or abandoned in this visit."""

    slug = "case-closed"
    title = Text("This case was closed in this visit", "この案件はこの来庁では終了しています")
    remedy = VisitEnded.remedy


class StepMissing(Conflict):
    """An earlier step has not been done; ``next_step`` names it, ``missing`` all that are."""

    slug = "step-missing"
    title = Text("An earlier step is missing", "先に行う手順があります")
    remedy = Text("Do the step named in next_step first.", "next_step の手順を先に行ってください。")


class WrongProcedure(Conflict):
    """The step belongs to the other procedure."""

    slug = "wrong-procedure"
    title = Text("This step does not belong to this procedure", "この手続では行わない手順です")
    remedy = Text("Do the step named in next_step.", "next_step の手順を行ってください。")


def next_step(visit: Visit, case: VisitCase) -> Step | None:
    """What is to be done next for ``case``; None once it has ended in this visit."""
    if case.state is not CaseState.OPEN:
        return None
    if visit.state is VisitState.WAITING:
        return Step.CALL
    missing = missing_steps(case)
    return missing[0] if missing else last_step(case.procedure)


def missing_steps(case: VisitCase) -> tuple[Step, ...]:
    """The steps that are required and not done, in order.

    Registry flags are none of them: who judges these is ``case_file.obstacle``, under a lock.
    """
    return tuple(
        one.step
        for one in requirements(case)
        if one.step is not Step.REGISTRY and is_required(case, one) and not is_done(case, one)
    )


def requirements(case: VisitCase) -> Sequence[Requirement]:
    """The steps of the case's checklist; what the law requires where none is known."""
    return case.checklist.requirements or CORE[case.procedure]


def is_required(case: VisitCase, one: Requirement) -> bool:
    """Whether the case cannot end without this step."""
    match one.rule:
        case Rule.ALWAYS:
            return True
        case Rule.IF_REPLACED:
            return case.checklist.replaces_card
        case Rule.OPTIONAL:
            return one.step in case.checklist.done
        case _:
            assert_never(one.rule)


def is_done(case: VisitCase, one: Requirement) -> bool:
    """Whether this step was done in this visit, a proxy with everything that is needed."""
    found = case.checklist.done.get(one.step)
    match one.step:
        case Step.IDENTITY:
            return case.identified_at is not None
        case Step.PIN_SET:
            return case.pin_set_at is not None
        case Step.REGISTRY:
            return case.checklist.is_clear
        case Step.PROXY:
            return found is not None and bool(found.documents) and not lacking(case)
        case _:
            return found is not None


def lacking(case: VisitCase) -> tuple[str, ...]:
    """The papers that a proxy who has come did not bring."""
    come = case.checklist.done.get(Step.PROXY)
    wanted = next((one.accepts for one in requirements(case) if one.step is Step.PROXY), ())
    return tuple(paper for paper in wanted if come is not None and paper not in come.papers)


def case_of(visit: Visit, case_id: CaseId) -> VisitCase:
    """The case of this visit. Raises ``CaseNotInVisit``."""
    for case in visit.cases:
        if case.case_id == case_id:
            return case
    raise CaseNotInVisit


def open_case(visit: Visit, case_id: CaseId) -> VisitCase:
    """The case, if it can still be served in this visit.

    Raises ``CaseNotInVisit``, ``AlreadyDone`` and ``CaseClosed``.
    """
    case = case_of(visit, case_id)
    if case.state is CaseState.DONE:
        raise AlreadyDone(extras={"visit_id": str(visit.visit_id)})
    if case.state is not CaseState.OPEN:
        raise CaseClosed(extras={"reason": case.reason})
    return case


def require_step(visit: Visit, case: VisitCase, step: Step) -> None:
    """Raise ``WrongProcedure`` or ``StepMissing`` unless ``step`` may be done now.

    A step that was done may be done again while the case is open: it changes nothing.
    """
    needed = next_step(visit, case)
    order = _steps(case)
    if step not in order:
        raise WrongProcedure(extras={"next_step": needed})
    if needed is None or order.index(needed) < order.index(step):
        raise StepMissing(extras={"next_step": needed, "missing": list(missing_steps(case))})


def last_step(procedure: Procedure) -> Step:
    """The step that ends a case of this procedure."""
    renewal = procedure is Procedure.CERTIFICATE_RENEWAL
    return Step.RENEW if renewal else Step.ISSUE


def require_running(visit: Visit) -> None:
    """Raise ``VisitEnded`` once the visit is over."""
    if visit.state is VisitState.ENDED:
        raise VisitEnded


def _steps(case: VisitCase) -> tuple[Step, ...]:
    return (Step.CALL, *(one.step for one in requirements(case)), last_step(case.procedure))

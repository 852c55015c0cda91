"""Steps, versions of the checklist and what to bring, as callers see them."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.issuance.domain.bring import TEXTS, to_bring
from services.issuance.domain.checklist import Checklist, Rule, Step
from services.issuance.domain.identity import DocumentClass, DocumentType
from services.issuance.domain.visit import (
    CaseState,
    VisitCase,
    is_done,
    is_required,
    lacking,
    requirements,
)
from shared.contracts.base import CaseKind, Procedure
from shared.contracts.issuance import DeferReason, ToBring


class StepsShown(BaseModel):
    """Something shown."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)


class StepView(StepsShown):
    """A step of a case, and what was noted of it in this visit."""

    step: Step
    is_required: bool
    """Whether the case cannot end without it."""
    state: Literal["open", "done", "blocked"]
    """Blocked: a registry flag stands against the hand-over."""
    accepts: tuple[str, ...]
    result: str | None
    papers: tuple[str, ...]
    lacking: tuple[str, ...]
    """Papers that a proxy did not bring."""

    @classmethod
    def all_of(cls, case: VisitCase) -> tuple["StepView", ...]:
        """The steps of ``case`` in order."""
        return tuple(
            cls(
                step=one.step,
                is_required=is_required(case, one),
                state=_state(case, one.step, is_there=is_done(case, one)),
                accepts=one.accepts,
                result=done.result if done else None,
                papers=done.papers if done else (),
                lacking=lacking(case) if one.step is Step.PROXY else (),
            )
            for one in requirements(case)
            for done in (case.checklist.done.get(one.step),)
        )


class BringView(StepsShown):
    """What to bring when coming again."""

    code: ToBring
    ja: str
    en: str

    @classmethod
    def all_of(cls, case: VisitCase) -> tuple["BringView", ...]:
        """What was lacking; nothing unless the case was deferred."""
        if case.state is not CaseState.DEFERRED:
            return ()
        reason = DeferReason(case.reason or DeferReason.OTHER)
        codes = to_bring(case, reason)
        return tuple(cls(code=one, ja=TEXTS[one].ja, en=TEXTS[one].en) for one in codes)


class WantedView(StepsShown):
    """A step of a version."""

    procedure: Procedure
    kind: CaseKind
    step: Step
    rule: Rule
    accepts: tuple[str, ...]


class ChecklistView(StepsShown):
    """A version of the checklist."""

    version: int
    valid_from: date
    documents: dict[DocumentClass, tuple[DocumentType, ...]]
    steps: tuple[WantedView, ...]
    published_at: datetime
    published_by: str
    """Who published it, as the token names them."""

    @classmethod
    def of(cls, found: Checklist) -> "ChecklistView":
        """The view of ``found``."""
        return cls(
            version=found.version,
            valid_from=found.valid_from,
            documents=dict(found.documents),
            steps=tuple(
                WantedView(
                    procedure=procedure,
                    kind=kind,
                    step=one.step,
                    rule=one.rule,
                    accepts=one.accepts,
                )
                for (procedure, kind), steps in found.steps.items()
                for one in steps
            ),
            published_at=found.published_at,
            published_by=found.published_by,
        )


class ChecklistsView(StepsShown):
    """Versions in the order of publishing."""

    items: tuple[ChecklistView, ...]
    in_force: int
    """The version by which cases go that are checked in today."""
    next_cursor: str | None = None
    """Send as ``cursor`` for more; null at the end."""


def _state(case: VisitCase, step: Step, *, is_there: bool) -> Literal["open", "done", "blocked"]:
    if is_there:
        return "done"
    return "blocked" if step is Step.REGISTRY else "open"

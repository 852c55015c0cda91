"""What callers may send of the checklist's steps: results and types, nothing else."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue, model_validator

from services.issuance.api.bodies import Body, ShownDocument
from services.issuance.domain.checklist import (
    CORE,
    KINDS,
    OldCard,
    Paper,
    Proxy,
    ProxyReason,
    Requirement,
    Rule,
    Step,
    Steps,
)
from services.issuance.domain.identity import DocumentClass, DocumentType
from services.issuance.handlers.checklists import NewVersion
from shared.contracts.base import BusinessDate, CaseKind, Procedure
from shared.errors import RejectedValueError, Text


class _Shown(Body):
    documents: Annotated[tuple[ShownDocument, ...], Field(max_length=8)] = ()
    """What proves the proxy's identity; left out while it does not."""

    papers: Annotated[tuple[Paper, ...], Field(max_length=8)] = ()
    """What the proxy has brought."""

    def _because(self, reason: ProxyReason) -> Proxy:
        documents = tuple(shown.to_domain() for shown in self.documents)
        return Proxy(reason, documents, self.papers)


class ProxyCame(_Shown):
    """Who came for the citizen."""

    reason: ProxyReason
    """Why the citizen did not come."""

    def to_domain(self) -> Proxy:
        """As the domain knows it."""
        return self._because(self.reason)


class ProxyShown(_Shown):
    """Who comes for the citizen; without a reason, the citizen is here after all."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "reason": "illness",
                    "documents": [{"class": "A", "type": "drivers_licence"}],
                    "papers": ["power_of_attorney", "evidence_of_reason"],
                },
                {},
            ]
        }
    )

    reason: ProxyReason | None = None
    """Why the citizen does not come."""

    def to_domain(self) -> Proxy | None:
        """As the domain knows it."""
        return None if self.reason is None else self._because(self.reason)


class OldCardSeen(Body):
    """What became of the card that the new one replaces."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"result": "card_returned"}]})

    result: OldCard
    """Returned, declared lost, or none where the citizen never had one."""


class ReceiptSigned(Body):
    """The citizen has signed the receipt."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"signed": True}]})

    signed: Literal[True]
    """Always true."""


class StepWanted(Body):
    """A step of a procedure and kind."""

    procedure: Procedure
    kind: CaseKind
    step: Step
    rule: Rule
    accepts: Annotated[tuple[OldCard | Paper, ...], Field(max_length=8)] = ()
    """Results that count, or the papers that a proxy needs; left out, every one."""


class Documents(Body):
    """Which types count as which class."""

    A: Annotated[tuple[DocumentType, ...], Field(min_length=1, max_length=50)]
    B: Annotated[tuple[DocumentType, ...], Field(max_length=50)] = ()

    @model_validator(mode="after")
    def _each_once(self) -> "Documents":
        if len({*self.A, *self.B}) < len(self.A) + len(self.B):
            raise RejectedValueError(
                Text("A type has one class.", "書類の種類は一つの区分にだけ指定できます。"),
                Text("Name each type once.", "同じ種類は1回だけ指定してください。"),
            )
        return self


_STEP_EXAMPLES: list[JsonValue] = [
    {
        "procedure": procedure.value,
        "kind": kind.value,
        "step": one.step.value,
        "rule": one.rule.value,
    }
    for procedure, kinds in KINDS.items()
    for kind in kinds
    for one in CORE[procedure]
]


class Version(Body):
    """A version of the checklist: every step of every procedure and kind, in order."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "valid_from": "2027-04-01",
                    "documents": {"A": ["passport"], "B": ["pension_book"]},
                    "steps": _STEP_EXAMPLES,
                }
            ]
        }
    )

    valid_from: BusinessDate
    """From which date on; tomorrow or later."""

    documents: Documents
    """What proves identity."""

    steps: Annotated[tuple[StepWanted, ...], Field(min_length=1, max_length=200)]
    """In the order in which they are done."""

    def to_domain(self) -> NewVersion:
        """As the handlers know it."""
        steps: dict[tuple[Procedure, CaseKind], tuple[Requirement, ...]] = {}
        for one in self.steps:
            found = steps.get((one.procedure, one.kind), ())
            wanted = Requirement(one.step, one.rule, tuple(one.accepts))
            steps[one.procedure, one.kind] = (*found, wanted)
        ordered: Steps = steps
        documents = {DocumentClass.A: self.documents.A, DocumentClass.B: self.documents.B}
        return NewVersion(self.valid_from, documents, ordered)

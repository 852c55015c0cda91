"""A whole visit told of when it is over: who came, when it was called, and how it ended.

The steps are those of ``visit``, judged by the same rules; only the moments are given.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from services.issuance.domain import certificates as rules
from services.issuance.domain.certificates import CertificateState, LetterState, Renewal, Status
from services.issuance.domain.checklist import (
    CaseChecklist,
    Checklist,
    OldCard,
    Proxy,
    Step,
    StepDone,
)
from services.issuance.domain.identity import Accepted, Document, require_proof
from services.issuance.domain.moments import OutOfOrder, require_past
from services.issuance.domain.ticket import Need
from services.issuance.domain.visit import (
    CaseState,
    StepMissing,
    Visit,
    VisitCase,
    VisitState,
    WrongProcedure,
    missing_steps,
)
from shared.contracts.base import CaseKind, Certificate, Procedure
from shared.contracts.issuance import AbandonReason, DeferReason
from shared.errors import FieldError, Text, Unprocessable
from shared.ids import BookingId, CaseId, SiteId, VisitId, WardCode
from shared.security.blind_index import BlindKey


class Outcome(StrEnum):
    """How a visit ended."""

    DONE = "done"
    DEFERRED = "deferred"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Served:
    """A visit as it went. One of ``booking_id``, ``case_id``, ``keys`` and ``ward`` says who came:
    a booked party, the citizen of a case or of a notice number, or somebody of a ward who came to
    renew certificates. ``called_at`` and ``counter`` are none for a party that left before.
    """

    visit_id: VisitId
    site_id: SiteId
    checked_in_at: datetime
    called_at: datetime | None
    identified_at: datetime | None
    pin_set_at: datetime | None
    ended_at: datetime
    counter: str | None
    outcome: Outcome
    booking_id: BookingId | None = None
    case_id: CaseId | None = None
    keys: tuple[BlindKey, ...] = ()
    ward: WardCode | None = None
    need: Need | None = None
    documents: tuple[Document, ...] = ()
    proxy: Proxy | None = None
    """Who came for the citizens of the party, if they did not come themselves."""
    states: Mapping[Certificate, CertificateState] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """What the terminal said of the certificates of a renewal, where somebody asked it."""
    old_card: OldCard | None = None
    is_pin_set: bool = False
    certificates: tuple[Certificate, ...] = ()
    reason: DeferReason | None = None


class CertificatesMissing(Unprocessable):
    """A renewal is told of without saying what was written."""

    slug = "certificates-missing"
    title = Text("Nothing is said of the certificates", "更新した電子証明書の指定がありません")
    remedy = Text(
        "Say in certificates which were written.",
        "certificates に更新した電子証明書を指定してください。",
    )


def require_moments(served: Served, now: datetime) -> None:
    """Raise ``MomentAhead`` or ``OutOfOrder`` unless the moments are past and in order."""
    require_past("ended_at", served.ended_at, now)
    before = served.checked_in_at
    for moment in (served.called_at, served.identified_at, served.pin_set_at, served.ended_at):
        if moment is None:
            continue
        if moment < before:
            raise OutOfOrder(extras={"not_before": before.isoformat()})
        before = moment


@dataclass(frozen=True, slots=True)
class Before:
    """What is known from before the visit: the cases whose card replaces another, and where the
    inquiry letter of each renewal is.
    """

    replacing: Collection[CaseId] = ()
    letters: Mapping[CaseId, LetterState] = field(default_factory=lambda: MappingProxyType({}))


def finished(visit: Visit, served: Served, checklist: Checklist, before: Before) -> Visit:
    """``visit``, just checked in, as it was when it was over; it went by ``checklist``.

    Raises ``IdentityNotProved``, ``WrongDocumentClass``, ``DocumentNotAccepted``, ``StepMissing``
    and ``CertificatesMissing`` where a step that its cases need was not told; where a proxy came,
    also ``WrongProcedure``, ``StatesMissing``, ``TwoVisitsNeeded``, ``CertificateLocked`` and
    ``NoLetterNeeded``.
    """
    cases = [_going_by(case, checklist, case.case_id in before.replacing) for case in visit.cases]
    return replace(
        visit,
        state=VisitState.ENDED,
        counter=served.counter,
        called_at=served.called_at,
        ended_at=served.ended_at,
        cases=tuple(
            _closed(case, served, checklist, before.letters.get(case.case_id, LetterState.NONE))
            for case in cases
        ),
    )


def asks_letter(served: Served, case: VisitCase) -> bool:
    """Whether a proxy's first visit ends with an inquiry letter to the citizen."""
    return (
        served.proxy is not None
        and case.procedure is Procedure.CERTIFICATE_RENEWAL
        and case.state is CaseState.DEFERRED
        and case.reason == DeferReason.INQUIRY_LETTER
    )


def _going_by(case: VisitCase, checklist: Checklist, replaces_card: bool) -> VisitCase:
    steps = checklist.steps.get((case.procedure, case.kind or CaseKind.RENEWAL), ())
    own = CaseChecklist(checklist.version, steps, replaces_card=replaces_card)
    return replace(case, checklist=own)


def _closed(
    case: VisitCase, served: Served, checklist: Checklist, letter: LetterState
) -> VisitCase:
    if case.state is not CaseState.OPEN:
        return case
    match served.outcome:
        case Outcome.DONE:
            return _done(case, served, checklist, letter)
        case Outcome.DEFERRED:
            return _deferred(_come(case, served, checklist), served, letter)
        case Outcome.LEFT:
            reason = str(AbandonReason.LEFT)
    return replace(case, state=CaseState.ABANDONED, reason=reason, closed_at=served.ended_at)


def _deferred(case: VisitCase, served: Served, letter: LetterState) -> VisitCase:
    reason = str(served.reason or DeferReason.OTHER)
    over = replace(case, state=CaseState.DEFERRED, reason=reason, closed_at=served.ended_at)
    if asks_letter(served, over):
        rules.letter_asked(_renewal(case, served, letter))
    return over


def _done(case: VisitCase, served: Served, checklist: Checklist, letter: LetterState) -> VisitCase:
    told = _told(_come(case, served, checklist), served, checklist)
    if missing := missing_steps(told):
        raise StepMissing(extras={"next_step": missing[0], "missing": list(missing)})
    if case.procedure is Procedure.CERTIFICATE_RENEWAL and not served.certificates:
        error = FieldError("certificates", CertificatesMissing.title, CertificatesMissing.remedy)
        raise CertificatesMissing(errors=[error])
    if case.procedure is Procedure.CERTIFICATE_RENEWAL:
        rules.require_writable(_renewal(told, served, letter))
    return replace(told, state=CaseState.DONE, closed_at=served.ended_at)


def _renewal(case: VisitCase, served: Served, letter: LetterState) -> Renewal:
    """The renewal as it stood when it was to be written."""
    statuses = {which: Status(state) for which, state in served.states.items()}
    come = case.checklist.done.get(Step.PROXY)
    return rules.in_visit(Renewal(statuses, letter=letter), come, is_pin_right=served.is_pin_set)


def _come(case: VisitCase, served: Served, checklist: Checklist) -> VisitCase:
    """The case with who came for it, and with the states of its certificates."""
    if served.proxy is None and not served.states:
        return case
    wanted = {one.step for one in case.checklist.requirements}
    at, done = served.identified_at or served.ended_at, dict(case.checklist.done)
    if served.proxy is not None:
        if Step.PROXY not in wanted:
            raise WrongProcedure(extras={"next_step": (*missing_steps(case), None)[0]})
        if served.proxy.documents:
            require_proof(served.proxy.documents, _accepted(checklist))
        done[Step.PROXY] = served.proxy.noted(at)
    if served.states and Step.CERTIFICATES in wanted:
        done[Step.CERTIFICATES] = StepDone("entered", (), (), at)
    return replace(case, checklist=replace(case.checklist, done=done))


def _told(case: VisitCase, served: Served, checklist: Checklist) -> VisitCase:
    """The case with the steps that were told of."""
    wanted = {one.step for one in case.checklist.requirements}
    if Step.IDENTITY in wanted:
        require_proof(served.documents, _accepted(checklist))
        types = tuple(sorted({str(one.type) for one in served.documents}))
        at = served.identified_at or served.ended_at
        case = replace(case, documents=types, identified_at=at)
    if Step.OLD_CARD in wanted and served.old_card is not None:
        at = served.identified_at or served.ended_at
        done = {**case.checklist.done, Step.OLD_CARD: StepDone(served.old_card, (), (), at)}
        case = replace(case, checklist=replace(case.checklist, done=done))
    if served.is_pin_set:
        case = replace(case, pin_set_at=served.pin_set_at or served.ended_at)
    return case


def _accepted(checklist: Checklist) -> Accepted:
    return {type_: class_ for class_, types in checklist.documents.items() for type_ in types}

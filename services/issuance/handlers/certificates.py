"""A renewal at the counter: states, wrong PINs and resets, failures that can be resumed, and the
two visits of a proxy.

Each command takes the visit's row first; a case is in one open visit at a time, so its renewal has
one hand on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from services.issuance.domain import certificates as rules
from services.issuance.domain.certificates import (
    CertificateState,
    LetterState,
    Renewal,
    Switch,
)
from services.issuance.domain.checklist import Step, StepDone
from services.issuance.domain.visit import (
    Visit,
    VisitCase,
    WrongProcedure,
    case_of,
    next_step,
)
from services.issuance.handlers import counter, queue
from services.issuance.handlers.counter import locked_case, record, reread
from services.issuance.handlers.deferring import pause
from services.issuance.handlers.reading import read_visit
from services.issuance.store import certificates, steps
from shared.calendar import business_date
from shared.contracts.base import Certificate, Procedure
from shared.contracts.issuance import (
    CardSwitchAccepted,
    CertificateFailed,
    CertificateFailure,
    DeferReason,
    PinReset,
)
from shared.errors import Conflict, Text
from shared.ids import CaseId, VisitId
from shared.unit import Unit


class After(StrEnum):
    """What becomes of a visit in which writing broke off."""

    RESUME = "resume"
    """The party stays at the counter, and it is tried again."""
    WAIT = "wait"
    """It waits, and is called when the system is back."""
    REBOOK = "rebook"
    """It comes another day."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Which certificates could not be written and why; ``written`` were, before it broke off."""

    certificates: frozenset[Certificate]
    reason: CertificateFailure
    then: After
    written: frozenset[Certificate] = frozenset()


class SwitchNotOffered(Conflict):
    """Next-generation cards cannot be applied for yet."""

    slug = "card-switch-not-offered"
    title = Text(
        "Next-generation cards are not offered yet", "次期個人番号カードはまだ申請できません"
    )
    remedy = Text("Renew the certificates.", "電子証明書の更新を進めてください。")


async def of_case(unit: Unit, visit: Visit, case: VisitCase) -> Renewal:
    """The renewal of a case as it stands in this visit."""
    found = await certificates.read(unit.conn, case.case_id, visit.visit_id)
    come = case.checklist.done.get(Step.PROXY)
    return rules.in_visit(found, come, is_pin_right=case.pin_set_at is not None)


async def read(unit: Unit, visit_id: VisitId, case_id: CaseId) -> Renewal:
    """The renewal. Raises ``VisitUnknown``, ``Forbidden`` (site) and ``CaseNotInVisit``."""
    visit = await read_visit(unit, visit_id)
    return await of_case(unit, visit, case_of(visit, case_id))


async def note_states(
    unit: Unit,
    visit_id: VisitId,
    case_id: CaseId,
    states: Mapping[Certificate, CertificateState],
) -> Visit:
    """Note what the terminal says of the two. Raises what ``locked_case`` raises."""
    visit, case = await locked_case(unit, visit_id, case_id, Step.CERTIFICATES)
    renewal = rules.entered(await of_case(unit, visit, case), states)
    await _keep(unit, visit, case, renewal, "certificate.note_states")
    done = StepDone("entered", (), (), unit.now)
    await steps.note(unit.conn, visit_id, case_id, Step.CERTIFICATES, done)
    return await reread(unit, visit_id)


async def wrong_pin(unit: Unit, visit_id: VisitId, case_id: CaseId, which: Certificate) -> Visit:
    """Note that a PIN was entered wrong, never which.

    Raises what ``_locked_renewal`` raises, ``StatesMissing`` and ``CertificateLocked``.
    """
    visit, case = await _locked_renewal(unit, visit_id, case_id, Step.PIN_SET)
    renewal = rules.wrong_pin(await of_case(unit, visit, case), which)
    await _keep(unit, visit, case, renewal, "certificate.wrong_pin", which=which)
    return await reread(unit, visit_id)


async def reset_pin(
    unit: Unit, visit_id: VisitId, case_id: CaseId, which: frozenset[Certificate]
) -> Visit:
    """Note that locked PINs were set anew, and say so.

    Raises as ``_locked_renewal``, ``StatesMissing``, ``NotLocked`` and ``TwoVisitsNeeded``.
    """
    visit, case = await _locked_renewal(unit, visit_id, case_id, Step.PIN_SET)
    renewal = await of_case(unit, visit, case)
    for one in sorted(which):
        renewal = rules.pin_reset(renewal, one)
    await _keep(unit, visit, case, renewal, "certificate.reset_pin")
    unit.emit(
        PinReset(
            case_id=case_id,
            site_id=visit.site_id,
            visit_id=visit_id,
            certificates=tuple(sorted(which)),
        )
    )
    return await reread(unit, visit_id)


async def fail(unit: Unit, visit_id: VisitId, case_id: CaseId, failure: Failure) -> Visit:
    """Note that writing broke off, say so, and let the visit be resumed, wait or be rebooked.

    Raises what ``locked_case`` raises.
    """
    visit, case = await locked_case(unit, visit_id, case_id, Step.RENEW)
    renewal = await of_case(unit, visit, case)
    after = rules.failed(renewal, failure.certificates, failure.reason, failure.written)
    await _keep(
        unit, visit, case, after, "certificate.fail", written=" ".join(sorted(failure.written))
    )
    unit.emit(
        CertificateFailed(
            case_id=case_id,
            site_id=visit.site_id,
            visit_id=visit_id,
            certificates=tuple(sorted(failure.certificates)),
            reason=failure.reason,
        )
    )
    match failure.then:
        case After.WAIT:
            if failure.reason is CertificateFailure.NATIONAL_SYSTEM:
                unit.emit(pause(visit, case))
            return await queue.transfer(unit, visit_id, None)
        case After.REBOOK:
            return await counter.defer(unit, visit_id, case_id, _why(failure.reason))
        case After.RESUME:
            return await reread(unit, visit_id)


async def ask_letter(unit: Unit, visit_id: VisitId, case_id: CaseId) -> Visit:
    """End the first of a proxy's two visits: an inquiry letter is to be mailed to the citizen.

    Raises what ``_locked_renewal`` raises and ``NoLetterNeeded``.
    """
    visit, case = await _locked_renewal(unit, visit_id, case_id, Step.PROXY)
    rules.letter_asked(await of_case(unit, visit, case))
    await certificates.ask_letter(unit.conn, case_id, visit.site_id, case.ward, unit.now)
    record(unit, "certificate.ask_letter", visit, case)
    return await counter.defer(unit, visit_id, case_id, DeferReason.INQUIRY_LETTER)


async def answer_switch(
    unit: Unit, visit_id: VisitId, case_id: CaseId, answer: Switch, offered_from: date | None
) -> Visit:
    """Note the answer to the offer of a next-generation card; who accepts, which is told, renews
    nothing now.

    Raises what ``_locked_renewal`` raises and ``SwitchNotOffered``.
    """
    visit, case = await _locked_renewal(unit, visit_id, case_id, Step.PIN_SET)
    if not is_switch_offered(business_date(unit.now), offered_from):
        raise SwitchNotOffered
    renewal = await of_case(unit, visit, case)
    await _keep(unit, visit, case, replace(renewal, switch=answer), f"card_switch.{answer}")
    if answer is Switch.DECLINED:
        return await reread(unit, visit_id)
    unit.emit(
        CardSwitchAccepted(
            case_id=case_id, site_id=visit.site_id, visit_id=visit_id, ward=case.ward
        )
    )
    return await counter.defer(unit, visit_id, case_id, DeferReason.OTHER)


async def _locked_renewal(
    unit: Unit, visit_id: VisitId, case_id: CaseId, step: Step
) -> tuple[Visit, VisitCase]:
    """The locked visit and its renewal, if ``step`` may be done now.

    Raises what ``locked_case`` raises, and ``WrongProcedure`` for a card.
    """
    visit, case = await locked_case(unit, visit_id, case_id, step)
    if case.procedure is not Procedure.CERTIFICATE_RENEWAL:
        raise WrongProcedure(extras={"next_step": next_step(visit, case)})
    return visit, case


def is_switch_offered(today: date, offered_from: date | None) -> bool:
    """Whether a certificate renewal may become a card switch (the brief: a dated setting)."""
    return offered_from is not None and offered_from <= today


async def _keep(
    unit: Unit, visit: Visit, case: VisitCase, renewal: Renewal, action: str, **references: str
) -> None:
    await certificates.write(unit.conn, case.case_id, visit.visit_id, renewal)
    await keep_answer(unit, case.case_id, renewal)
    await steps.touch(unit.conn, visit.visit_id)
    record(unit, action, visit, case, **references)


async def keep_answer(unit: Unit, case_id: CaseId, renewal: Renewal) -> None:
    """Note once that the letter has come back."""
    if renewal.letter is LetterState.RETURNED:
        letter = await certificates.lock_letter(unit.conn, case_id)
        if letter is not None and letter.state is LetterState.MAILED:
            await certificates.letter_became(unit.conn, case_id, LetterState.RETURNED, unit.now)


def _why(reason: CertificateFailure) -> DeferReason:
    outage = reason is CertificateFailure.NATIONAL_SYSTEM
    return DeferReason.NATIONAL_SYSTEM if outage else DeferReason.OTHER

"""A certificate renewal step by step; what needs the national system is refused while it stops."""

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from services.issuance.api.bodies import Nothing
from services.issuance.api.certificate_bodies import (
    Broken,
    PinsReset,
    StatesSeen,
    SwitchAnswer,
    WrongPin,
)
from services.issuance.api.desk import Desk, DeskDep, refuse_query
from services.issuance.api.repeats import StepDep, step
from services.issuance.api.views import View, VisitView
from services.issuance.domain.certificates import (
    WRONG_PINS,
    CertificateState,
    LetterState,
    Renewal,
    Switch,
    Task,
    next_task,
)
from services.issuance.handlers import certificates
from services.issuance.handlers.national_system import require_up
from shared.calendar import business_date
from shared.contracts.base import Certificate
from shared.contracts.issuance import CertificateFailure
from shared.http.call import CallDep, OnceDep
from shared.ids import CaseId, VisitId
from shared.unit import Unit

router = APIRouter(prefix="/v1/visits/{visit_id}/cases/{case_id}", tags=["certificates"])
_COMMAND = [Depends(refuse_query)]


class CertificateView(View):
    """One certificate."""

    certificate: Certificate
    state: CertificateState | None
    """None until entered in this visit."""
    wrong_pins: int
    locks_after: int
    """Wrong PINs that lock it."""
    is_written: bool


class RenewalView(View):
    """A renewal over all its visits."""

    certificates: tuple[CertificateView, ...]
    next_task: Task
    letter: LetterState
    """The inquiry letter of a proxy who needs two visits."""
    failed: CertificateFailure | None
    """Why writing broke off last, until it was resumed."""
    switch_offered: bool
    """Whether the citizen may have a next-generation card instead; the state recommends it."""
    switch: Switch | None
    """The answer to that."""

    @classmethod
    def of(cls, found: Renewal, *, switch_offered: bool) -> "RenewalView":
        """The view of ``found``."""
        return cls(
            certificates=tuple(_certificate(found, which) for which in Certificate),
            next_task=next_task(found),
            letter=found.letter,
            failed=found.failed,
            switch_offered=switch_offered,
            switch=found.switch,
        )


@router.get("/certificates", summary="The renewal as it stands")
async def read(visit_id: VisitId, case_id: CaseId, call: CallDep, desk: DeskDep) -> RenewalView:
    """Both certificates, what comes next, and whether a card switch is offered."""
    async with call.unit() as unit:
        return await _view(unit, visit_id, case_id, desk)


@router.post(
    "/certificates",
    response_model=RenewalView,
    summary="What the terminal says of the certificates",
    dependencies=_COMMAND,
)
async def states(
    visit_id: VisitId, case_id: CaseId, body: StatesSeen, call: StepDep, desk: DeskDep
) -> Response:
    """Results only. Entering them again replaces them."""

    async def command(unit: Unit) -> RenewalView:
        await require_up(unit, visit_id, case_id, desk.national)
        await certificates.note_states(unit, visit_id, case_id, body.to_domain())
        return await _view(unit, visit_id, case_id, desk)

    return await step(call, body, command)


@router.post(
    "/wrong-pin",
    response_model=RenewalView,
    summary="A PIN was entered wrong",
    dependencies=_COMMAND,
)
async def wrong_pin(
    visit_id: VisitId, case_id: CaseId, body: WrongPin, call: OnceDep, desk: DeskDep
) -> Response:
    """Five in a row lock the signing certificate, three that of user authentication. Each counts:
    hence the key, under which a request that is sent again counts once.
    """

    async def command(unit: Unit) -> RenewalView:
        await require_up(unit, visit_id, case_id, desk.national)
        await certificates.wrong_pin(unit, visit_id, case_id, body.certificate)
        return await _view(unit, visit_id, case_id, desk)

    return await call.once(body, command, status=200)


@router.post(
    "/pin-reset",
    response_model=RenewalView,
    summary="Locked PINs were set anew",
    dependencies=_COMMAND,
)
async def pin_reset(
    visit_id: VisitId, case_id: CaseId, body: PinsReset, call: StepDep, desk: DeskDep
) -> Response:
    """By the citizen, or by a proxy whose inquiry letter has come back."""

    async def command(unit: Unit) -> RenewalView:
        await require_up(unit, visit_id, case_id, desk.national)
        await certificates.reset_pin(unit, visit_id, case_id, body.certificates)
        return await _view(unit, visit_id, case_id, desk)

    return await step(call, body, command)


@router.post(
    "/certificate-failed",
    response_model=VisitView,
    summary="Writing broke off",
    dependencies=_COMMAND,
)
async def failed(visit_id: VisitId, case_id: CaseId, body: Broken, call: StepDep) -> Response:
    """What was written stays written; the visit is resumed, waits, or is rebooked."""

    async def command(unit: Unit) -> VisitView:
        found = await certificates.fail(unit, visit_id, case_id, body.to_domain())
        return VisitView.of(found)

    return await step(call, body, command)


@router.post(
    "/inquiry-letter",
    response_model=VisitView,
    summary="A proxy needs two visits",
    dependencies=_COMMAND,
)
async def inquiry_letter(
    visit_id: VisitId, case_id: CaseId, call: StepDep, body: Nothing | None = None
) -> Response:
    """Ends the first: a letter is to be mailed to the citizen, whose sealed reply comes back."""

    async def command(unit: Unit) -> VisitView:
        return VisitView.of(await certificates.ask_letter(unit, visit_id, case_id))

    return await step(call, body, command)


@router.post(
    "/card-switch",
    response_model=VisitView,
    summary="A next-generation card instead",
    dependencies=_COMMAND,
)
async def card_switch(
    visit_id: VisitId, case_id: CaseId, body: SwitchAnswer, call: StepDep, desk: DeskDep
) -> Response:
    """Offered from a date that the city sets; the state recommends it."""
    answer = Switch.ACCEPTED if body.accepted else Switch.DECLINED

    async def command(unit: Unit) -> VisitView:
        found = await certificates.answer_switch(unit, visit_id, case_id, answer, desk.switch_from)
        return VisitView.of(found)

    return await step(call, body, command)


async def _view(unit: Unit, visit_id: VisitId, case_id: CaseId, desk: Desk) -> RenewalView:
    found = await certificates.read(unit, visit_id, case_id)
    today = business_date(unit.now)
    offered = certificates.is_switch_offered(today, desk.switch_from)
    return RenewalView.of(found, switch_offered=offered)


def _certificate(found: Renewal, which: Certificate) -> CertificateView:
    status = found.statuses.get(which)
    return CertificateView(
        certificate=which,
        state=status.state if status else None,
        wrong_pins=status.wrong_pins if status else 0,
        locks_after=WRONG_PINS[which],
        is_written=which in found.written,
    )

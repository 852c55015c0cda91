"""The steps of the checklist besides identity and PIN: a proxy, the old card, the receipt.

Each is a function of a unit and a value, so that any door may call it. Each notes a result and
types only, and noting the same again changes nothing.
"""

from collections.abc import Sequence

from services.issuance.domain.checklist import OldCard, Proxy, Step, StepDone
from services.issuance.domain.identity import (
    Document,
    DocumentNotAccepted,
    DocumentType,
    require_proof,
)
from services.issuance.domain.visit import Visit, VisitCase, requirements
from services.issuance.handlers.counter import locked_case, record, reread
from services.issuance.store import checklists, steps
from shared.errors import Text, Unprocessable
from shared.ids import CaseId, VisitId
from shared.unit import Unit


class ResultNotAccepted(Unprocessable):
    """The checklist of this case takes other answers, those in ``accepts``."""

    slug = "result-not-accepted"
    title = Text("This is not accepted here", "この内容では手順を完了できません")
    remedy = Text("Choose one of accepts.", "accepts のいずれかを選んでください。")


async def note_proxy(unit: Unit, visit_id: VisitId, case_id: CaseId, proxy: Proxy | None) -> Visit:
    """Note that a proxy has come, as far as can be proved; None: the citizen is here after all.

    What is lacking stays missing, and then the case cannot end. Raises what ``locked_case`` and
    ``require_proof`` raise.
    """
    visit, case = await locked_case(unit, visit_id, case_id, Step.PROXY)
    if proxy is None:
        if Step.PROXY in case.checklist.done:
            await steps.forget(unit.conn, visit_id, case_id, Step.PROXY)
            record(unit, "case.no_proxy", visit, case)
        return await reread(unit, visit_id)
    if proxy.documents:
        accepted = await checklists.accepted(unit.conn, visit_id, case_id)
        require_proof(proxy.documents, accepted)
    return await _note(unit, visit, case, Step.PROXY, proxy.noted(unit.now))


async def as_accepted(
    unit: Unit, visit_id: VisitId, case_id: CaseId, types: Sequence[DocumentType]
) -> tuple[Document, ...]:
    """Documents under the classes that the checklist of the case gives them.

    Raises ``DocumentNotAccepted``.
    """
    accepted = await checklists.accepted(unit.conn, visit_id, case_id)
    for type_ in types:
        if type_ not in accepted:
            raise DocumentNotAccepted(extras={"type": type_})
    return tuple(Document(accepted[type_], type_) for type_ in types)


async def note_old_card(unit: Unit, visit_id: VisitId, case_id: CaseId, result: OldCard) -> Visit:
    """Note what became of the card that this one replaces.

    Raises what ``locked_case`` raises and ``ResultNotAccepted``.
    """
    visit, case = await locked_case(unit, visit_id, case_id, Step.OLD_CARD)
    accepts = next(one.accepts for one in requirements(case) if one.step is Step.OLD_CARD)
    if accepts and result not in accepts:
        raise ResultNotAccepted(extras={"accepts": list(accepts)})
    return await _note(unit, visit, case, Step.OLD_CARD, StepDone(result, (), (), unit.now))


async def note_receipt(unit: Unit, visit_id: VisitId, case_id: CaseId) -> Visit:
    """Note that the citizen has signed the receipt. Raises what ``locked_case`` raises."""
    visit, case = await locked_case(unit, visit_id, case_id, Step.RECEIPT)
    return await _note(unit, visit, case, Step.RECEIPT, StepDone("signed", (), (), unit.now))


async def _note(unit: Unit, visit: Visit, case: VisitCase, step: Step, done: StepDone) -> Visit:
    before = case.checklist.done.get(step)
    same = before and (before.result, before.documents, before.papers) == (
        done.result,
        done.documents,
        done.papers,
    )
    if not same:
        await steps.note(unit.conn, visit.visit_id, case.case_id, step, done)
        record(unit, f"case.note_{step.value.replace('-', '_')}", visit, case)
    return await reread(unit, visit.visit_id)

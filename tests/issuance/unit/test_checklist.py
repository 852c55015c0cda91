"""The checklist as data: what is next, missing and to be brought, and what no version drops."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.issuance.domain.bring import TEXTS, to_bring
from services.issuance.domain.checklist import (
    CORE,
    KINDS,
    CaseChecklist,
    ChecklistUnsound,
    OldCard,
    Paper,
    ProxyReason,
    Requirement,
    Rule,
    Step,
    StepDone,
    Steps,
    check,
)
from services.issuance.domain.visit import (
    StepMissing,
    VisitCase,
    VisitState,
    WrongProcedure,
    lacking,
    missing_steps,
    next_step,
    require_step,
)
from shared.contracts.base import CaseKind, Procedure
from shared.contracts.issuance import DeferReason, ToBring
from tests.issuance.unit.test_visit import a_case, a_visit

NOW = datetime(2026, 7, 14, 1, 0, tzinfo=UTC)
TODAY = date(2026, 7, 14)
PAPERS = (Paper.POWER_OF_ATTORNEY.value, Paper.EVIDENCE_OF_REASON.value)
FULL = (
    Requirement(Step.PROXY, Rule.OPTIONAL, PAPERS),
    Requirement(Step.IDENTITY, Rule.ALWAYS),
    Requirement(Step.OLD_CARD, Rule.IF_REPLACED),
    Requirement(Step.REGISTRY, Rule.ALWAYS),
    Requirement(Step.PIN_SET, Rule.ALWAYS),
    Requirement(Step.RECEIPT, Rule.ALWAYS),
)
CORE_STEPS: Mapping[tuple[Procedure, CaseKind], tuple[Requirement, ...]] = {
    (procedure, kind): CORE[procedure] for procedure, kinds in KINDS.items() for kind in kinds
}


def note(case: VisitCase, step: Step, result: str = "x", **seen: tuple[str, ...]) -> VisitCase:
    """The case with ``step`` noted."""
    done = StepDone(result, seen.get("documents", ()), seen.get("papers", ()), NOW)
    checklist = replace(case.checklist, done={**case.checklist.done, step: done})
    return replace(case, checklist=checklist)


def do(case: VisitCase, step: Step) -> VisitCase:
    """The case with ``step`` done."""
    match step:
        case Step.IDENTITY:
            return replace(case, identified_at=NOW)
        case Step.PIN_SET:
            return replace(case, pin_set_at=NOW)
        case Step.PROXY:
            return note(case, step, ProxyReason.ILLNESS, documents=("passport",), papers=PAPERS)
        case _:
            return note(case, step)


def by(*wanted: Requirement, replaces: bool = True) -> VisitCase:
    """A case that goes by these requirements."""
    checklist = CaseChecklist(2, wanted, replaces_card=replaces)
    return replace(a_case(), checklist=checklist)


def steps_of(case: VisitCase) -> list[Step]:
    """The steps that are asked for, one after the other, from the call to the end."""
    visit = a_visit(case, state=VisitState.CALLED)
    asked: list[Step] = []
    while (step := next_step(visit, case)) is not Step.ISSUE:
        assert step is not None
        asked.append(step)
        case = do(case, step)
    return asked


def test_the_steps_come_in_the_order_of_the_version() -> None:
    assert steps_of(by(*FULL)) == [Step.IDENTITY, Step.OLD_CARD, Step.PIN_SET, Step.RECEIPT]


def test_a_card_that_replaces_none_asks_for_none() -> None:
    assert Step.OLD_CARD not in steps_of(by(*FULL, replaces=False))


requirement = st.builds(
    Requirement,
    st.sampled_from(sorted(set(Step) - {Step.CALL, Step.ISSUE, Step.RENEW})),
    st.sampled_from(Rule),
)
versions = st.lists(requirement, unique_by=lambda one: one.step, min_size=1)


@given(versions, st.booleans(), st.lists(st.sampled_from(Step)))
def test_nothing_is_issued_while_a_required_step_is_missing(
    wanted: list[Requirement], replaces: bool, tried: list[Step]
) -> None:
    case = by(*wanted, replaces=replaces)
    visit = a_visit(case, state=VisitState.CALLED)
    known = {one.step for one in wanted}
    for step in tried:
        try:
            require_step(visit, case, step)
        except (StepMissing, WrongProcedure):
            continue
        if step in known:
            case = do(case, step)
        missing = missing_steps(case)
        if missing:
            with pytest.raises(StepMissing) as caught:
                require_step(visit, case, Step.ISSUE)
            assert caught.value.extras["missing"] == list(missing)
        else:
            require_step(visit, case, Step.ISSUE)


def test_a_proxy_has_to_be_proved_whole() -> None:
    alone = by(*FULL)
    assert Step.PROXY not in missing_steps(alone), "the citizen came"
    come = note(alone, Step.PROXY, ProxyReason.ILLNESS)
    assert missing_steps(come)[0] is Step.PROXY
    assert lacking(come) == PAPERS
    half = note(come, Step.PROXY, ProxyReason.ILLNESS, documents=("passport",), papers=PAPERS[:1])
    assert (missing_steps(half)[0], lacking(half)) == (Step.PROXY, PAPERS[1:])
    assert Step.PROXY not in missing_steps(do(alone, Step.PROXY))


def test_what_was_lacking_is_to_be_brought() -> None:
    come = note(by(*FULL), Step.PROXY, ProxyReason.ILLNESS, papers=PAPERS[1:])
    assert to_bring(come, DeferReason.DOCUMENTS_MISSING) == (
        ToBring.PROXY_IDENTITY,
        ToBring.POWER_OF_ATTORNEY,
        ToBring.IDENTITY_DOCUMENTS,
        ToBring.OLD_CARD,
    )
    done = do(do(by(*FULL), Step.IDENTITY), Step.OLD_CARD)
    assert to_bring(done, DeferReason.NATIONAL_SYSTEM) == ()
    renewal = a_case(Procedure.CERTIFICATE_RENEWAL)
    assert to_bring(renewal, DeferReason.INQUIRY_LETTER) == (ToBring.SEALED_REPLY, ToBring.CARD)


def test_everything_to_bring_has_its_words() -> None:
    assert set(TEXTS) == set(ToBring)
    assert all(text.ja and text.en for text in TEXTS.values())


def test_what_the_law_requires_is_enough_and_cannot_be_left_out() -> None:
    check(TODAY + timedelta(days=1), TODAY, CORE_STEPS)
    for key, found in CORE_STEPS.items():
        for one in found:
            optional = tuple(replace(r, rule=Rule.OPTIONAL) if r == one else r for r in found)
            for without in (tuple(r for r in found if r != one), optional):
                faulty: Steps = {**CORE_STEPS, key: without}
                with pytest.raises(ChecklistUnsound) as caught:
                    check(TODAY + timedelta(days=1), TODAY, faulty)
                assert [error.field for error in caught.value.errors] == ["steps"]


@pytest.mark.parametrize(
    "more",
    [
        (Requirement(Step.ISSUE, Rule.ALWAYS),),
        (Requirement(Step.IDENTITY, Rule.ALWAYS),),
        (Requirement(Step.RECEIPT, Rule.ALWAYS, (OldCard.NONE,)),),
        (Requirement(Step.OLD_CARD, Rule.ALWAYS, (Paper.SEALED_REPLY,)),),
    ],
)
def test_faults_are_named(more: tuple[Requirement, ...]) -> None:
    key = (Procedure.CARD_ISSUANCE, CaseKind.NEW)
    with pytest.raises(ChecklistUnsound):
        check(TODAY + timedelta(days=1), TODAY, {**CORE_STEPS, key: CORE_STEPS[key] + more})


def test_a_version_begins_tomorrow_or_later_and_knows_no_other_kinds() -> None:
    with pytest.raises(ChecklistUnsound):
        check(TODAY, TODAY, CORE_STEPS)
    strange = {(Procedure.CERTIFICATE_RENEWAL, CaseKind.NEW): CORE[Procedure.CARD_ISSUANCE]}
    with pytest.raises(ChecklistUnsound):
        check(TODAY + timedelta(days=1), TODAY, {**CORE_STEPS, **strange})

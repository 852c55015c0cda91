"""What the screen shows besides the party: steps, certificates, and what stands still."""

from collections.abc import Mapping
from datetime import date

from services.issuance.api.certificates import RenewalView
from services.issuance.api.views import VisitView
from services.issuance.api.words import DOCUMENTS
from services.issuance.domain.certificates import CertificateState
from services.issuance.domain.checklist import OldCard, Paper, ProxyReason, Step
from services.issuance.domain.identity import Accepted
from services.issuance.domain.visit import CaseState, VisitCase, requirements
from services.issuance.handlers.certificates import is_switch_offered
from services.issuance.handlers.screen import Screen
from shared.calendar import TOKYO, business_date
from shared.contracts.issuance import CertificateFailure
from shared.errors import Language

NO_DOCUMENTS: Accepted = {}


def shown_on_screen(
    screen: Screen, language: Language, switch_from: date | None
) -> Mapping[str, object]:
    """What the template asks for, by name; what is about a case, by its id."""
    cases = screen.visit.cases if screen.visit else ()
    offered = is_switch_offered(business_date(screen.national.at), switch_from)
    return {
        "documents": {case.case_id: _documents(screen, case, language) for case in cases},
        "old_cards": {case.case_id: _old_cards(case) for case in cases},
        "proxies": {case.case_id for case in cases if Step.PROXY in case.checklist.done},
        "renewals": {
            case.case_id: (
                RenewalView.of(screen.renewals[case.case_id], switch_offered=offered)
                if case.case_id in screen.renewals
                else None
            )
            for case in cases
        },
        "states": tuple(CertificateState),
        "causes": tuple(CertificateFailure),
        "papers": tuple(Paper),
        "proxy_reasons": tuple(ProxyReason),
        "stopped": _stopped(screen),
        "is_caught": any(
            case.procedure in screen.national.stops and case.state is CaseState.OPEN
            for case in cases
        ),
        "last": VisitView.of(screen.last) if screen.last else None,
    }


def _documents(screen: Screen, case: VisitCase, language: Language) -> list[Mapping[str, str]]:
    accepted = screen.accepted.get(case.case_id, NO_DOCUMENTS)
    return [
        {"value": type_, "class": accepted[type_], "name": text.to(language)}
        for type_, text in DOCUMENTS.items()
        if type_ in accepted
    ]


def _old_cards(case: VisitCase) -> tuple[str, ...]:
    """What the checklist takes for an answer; nothing where it has no such step."""
    for one in requirements(case):
        if one.step is Step.OLD_CARD:
            return one.accepts or tuple(OldCard)
    return ()


def _stopped(screen: Screen) -> list[Mapping[str, str | None]]:
    return [
        {
            "procedure": procedure,
            "reason": stop.reason,
            "until": f"{stop.until.astimezone(TOKYO):%m-%d %H:%M}" if stop.until else None,
        }
        for procedure, stop in screen.national.stops.items()
    ]

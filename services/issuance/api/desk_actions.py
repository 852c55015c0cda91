"""The buttons of the checklist, of certificates and of a stop of the national system."""

from collections.abc import Awaitable, Callable, Mapping

from services.issuance.api.pressed import Pressed
from services.issuance.domain.certificates import CertificateState, Switch
from services.issuance.domain.checklist import OldCard, Paper, Proxy, ProxyReason
from services.issuance.domain.identity import DocumentType
from services.issuance.domain.national_system import Then
from services.issuance.handlers import certificates, national_system, steps
from services.issuance.handlers.certificates import After, Failure
from shared.contracts.base import Certificate
from shared.contracts.issuance import CertificateFailure
from shared.unit import Unit

Action = Callable[[Unit, Pressed], Awaitable[None]]


async def require_up(unit: Unit, pressed: Pressed) -> None:
    """Raise ``SystemStopped`` where the case needs the national system and it stops."""
    await national_system.require_up(unit, pressed.visit_id, pressed.case_id, pressed.desk.national)


async def _proxy(unit: Unit, pressed: Pressed) -> None:
    types = pressed.all("proxy_document", DocumentType)
    shown = await steps.as_accepted(unit, pressed.visit_id, pressed.case_id, types)
    papers = tuple(pressed.all("paper", Paper))
    proxy = Proxy(pressed.one("why", ProxyReason), shown, papers)
    await steps.note_proxy(unit, pressed.visit_id, pressed.case_id, proxy)


async def _no_proxy(unit: Unit, pressed: Pressed) -> None:
    await steps.note_proxy(unit, pressed.visit_id, pressed.case_id, None)


async def _old_card(unit: Unit, pressed: Pressed) -> None:
    result = pressed.one("result", OldCard)
    await steps.note_old_card(unit, pressed.visit_id, pressed.case_id, result)


async def _receipt(unit: Unit, pressed: Pressed) -> None:
    await steps.note_receipt(unit, pressed.visit_id, pressed.case_id)


async def _certificates(unit: Unit, pressed: Pressed) -> None:
    await require_up(unit, pressed)
    states = {which: pressed.one(which.value, CertificateState) for which in Certificate}
    await certificates.note_states(unit, pressed.visit_id, pressed.case_id, states)


async def _wrong_pin(unit: Unit, pressed: Pressed) -> None:
    await require_up(unit, pressed)
    which = pressed.one("certificate", Certificate)
    await certificates.wrong_pin(unit, pressed.visit_id, pressed.case_id, which)


async def _pin_reset(unit: Unit, pressed: Pressed) -> None:
    await require_up(unit, pressed)
    which = frozenset(pressed.all("certificate", Certificate))
    await certificates.reset_pin(unit, pressed.visit_id, pressed.case_id, which)


async def _failed(unit: Unit, pressed: Pressed) -> None:
    failure = Failure(
        frozenset(pressed.all("certificate", Certificate)) or frozenset(Certificate),
        pressed.one("cause", CertificateFailure),
        pressed.one("after", After),
    )
    await certificates.fail(unit, pressed.visit_id, pressed.case_id, failure)


async def _letter(unit: Unit, pressed: Pressed) -> None:
    await certificates.ask_letter(unit, pressed.visit_id, pressed.case_id)


async def _switch(unit: Unit, pressed: Pressed) -> None:
    answer = pressed.one("answer", Switch)
    await certificates.answer_switch(
        unit, pressed.visit_id, pressed.case_id, answer, pressed.desk.switch_from
    )


async def _interrupt(unit: Unit, pressed: Pressed) -> None:
    then = pressed.one("then", Then)
    await national_system.interrupt(unit, pressed.visit_id, then, pressed.desk.national)


async def _interrupt_all(unit: Unit, pressed: Pressed) -> None:
    then = pressed.one("then", Then)
    await national_system.interrupt_site(unit, pressed.site_id, then, pressed.desk.national)


DESK_ACTIONS: Mapping[str, Action] = {
    "proxy": _proxy,
    "no-proxy": _no_proxy,
    "old-card": _old_card,
    "receipt": _receipt,
    "certificates": _certificates,
    "wrong-pin": _wrong_pin,
    "pin-reset": _pin_reset,
    "certificate-failed": _failed,
    "inquiry-letter": _letter,
    "card-switch": _switch,
    "interrupt": _interrupt,
    "interrupt-all": _interrupt_all,
}

"""Rows of ``visits:batch`` about certificates: what the doors of a renewal take, afterwards."""

from collections.abc import Awaitable
from datetime import date
from typing import Literal, assert_never

from services.issuance.api.bodies import Body
from services.issuance.api.certificate_bodies import (
    Broken,
    PinsReset,
    StatesSeen,
    SwitchAnswer,
    WrongPin,
)
from services.issuance.domain.certificates import Switch
from services.issuance.domain.visit import Visit
from services.issuance.handlers import certificates
from shared.contracts.base import Certificate, Instant
from shared.ids import CaseId, VisitId
from shared.unit import Unit


class _Row(Body):
    visit_id: VisitId
    """The visit."""

    case_id: CaseId
    """The case of the visit."""

    occurred_at: Instant
    """When it happened."""


class StatesRow(_Row, StatesSeen):
    """As POST …/certificates."""

    verb: Literal["certificates"]


class WrongPinRow(_Row, WrongPin):
    """As POST …/wrong-pin."""

    verb: Literal["wrong_pin"]


class PinResetRow(_Row, PinsReset):
    """As POST …/pin-reset."""

    verb: Literal["pin_reset"]


class FailedRow(_Row, Broken):
    """As POST …/certificate-failed."""

    verb: Literal["certificate_failed"]


class LetterRow(_Row):
    """As POST …/inquiry-letter."""

    verb: Literal["inquiry_letter"]


class SwitchRow(_Row, SwitchAnswer):
    """As POST …/card-switch."""

    verb: Literal["card_switch"]


RenewalRow = StatesRow | WrongPinRow | PinResetRow | FailedRow | LetterRow | SwitchRow


async def work(unit: Unit, row: RenewalRow, switch_from: date | None) -> Visit:
    """Do what ``row`` says. Raises what its single door raises."""
    visit_id, case_id = row.visit_id, row.case_id
    done: Awaitable[Visit]
    match row:
        case StatesRow():
            states = {
                Certificate.SIGNING: row.signing,
                Certificate.USER_AUTHENTICATION: row.user_authentication,
            }
            done = certificates.note_states(unit, visit_id, case_id, states)
        case WrongPinRow():
            done = certificates.wrong_pin(unit, visit_id, case_id, row.certificate)
        case PinResetRow():
            done = certificates.reset_pin(unit, visit_id, case_id, row.certificates)
        case FailedRow():
            done = certificates.fail(unit, visit_id, case_id, row.to_domain())
        case LetterRow():
            done = certificates.ask_letter(unit, visit_id, case_id)
        case SwitchRow():
            answer = Switch.ACCEPTED if row.accepted else Switch.DECLINED
            done = certificates.answer_switch(unit, visit_id, case_id, answer, switch_from)
        case _:
            assert_never(row)
    return await done

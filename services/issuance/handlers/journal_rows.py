"""What a unit of a satellite has done, as rows of ``visits:batch``: from its audit entries, its
events and what is now written of the visits they name.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import pydantic_core

from services.issuance.domain.checklist import Step
from services.issuance.domain.identity import DocumentType
from services.issuance.domain.satellite import AtHeadquartersOnly
from services.issuance.domain.visit import Visit, VisitCase, case_of
from services.issuance.store import certificates, checklists, tickets, visits
from shared.errors import Json
from shared.ids import CaseId, VisitId
from shared.security.audit import AuditEntry
from shared.unit import Unit

Row = dict[str, Json]
_Maker = Callable[[Unit, AuditEntry], Awaitable[list[Row]]]
_LOOKS = (".read", ".list")
_DEFERRING = frozenset({"certificate.ask_letter", "card_switch.accepted"})
"""Acts that defer their case: told with them, not once more."""


async def rows_of(unit: Unit) -> list[Row]:
    """The acts of ``unit`` in their order. Raises ``AtHeadquartersOnly`` for any other act."""
    rows: list[Row] = []
    implied = {entry.subject for entry in unit.entries if entry.action in _DEFERRING}
    for entry in unit.entries:
        if entry.action in SILENT or entry.action.endswith(_LOOKS):
            continue
        if entry.action == "case.defer" and entry.subject in implied:
            continue
        maker = MAKERS.get(entry.action)
        if maker is None:
            raise AtHeadquartersOnly
        rows += [row for row in await maker(unit, entry) if row not in rows]
    return rows


async def _check_in(unit: Unit, entry: AuditEntry) -> list[Row]:
    visit = await _visit(unit, entry)
    ticket = await tickets.find(unit.conn, visit.visit_id)
    party: list[Json] = [_come(case) for case in visit.cases]
    return [
        {
            "verb": "check_in",
            "site_id": visit.site_id,
            "visit_id": str(visit.visit_id),
            "occurred_at": _text(visit.checked_in_at),
            **({"need": ticket.need.value} if ticket and ticket.need else {}),
            **_named(unit, visit),
            "party": party,
        }
    ]


def _come(case: VisitCase) -> Row:
    booking: Row = {"booking_id": str(case.booking_id)} if case.booking_id else {}
    return {"case_id": str(case.case_id), **booking}


def _named(unit: Unit, visit: Visit) -> Row:
    """How headquarters find the party again."""
    begun = {event.subject for event in unit.events if event.type.startswith("case.opened.")}
    for case in visit.cases:
        if str(case.case_id) in begun:
            return {"ward": str(case.ward), "case_id": str(case.case_id)}
    for case in visit.cases:
        if case.booking_id is not None:
            return {"booking_id": str(case.booking_id)}
    return {"case_id": str(visit.cases[0].case_id)} if visit.cases else {}


async def _call(unit: Unit, entry: AuditEntry) -> list[Row]:
    visit = await _visit(unit, entry)
    return [_called(visit, entry.at)]


def _called(visit: Visit, at: datetime) -> Row:
    return {**_of(visit, "call", at), "counter": visit.counter}


async def _identity(unit: Unit, entry: AuditEntry) -> list[Row]:
    visit, case = await _case(unit, entry)
    shown = await _documents(unit, visit, case, case.documents)
    return [{**_of_case(visit, case, "identity", entry.at), "documents": shown}]


async def _proxy(unit: Unit, entry: AuditEntry) -> list[Row]:
    visit, case = await _case(unit, entry)
    done = case.checklist.done.get(Step.PROXY)
    row = _of_case(visit, case, "proxy", entry.at)
    if done is None:
        return [row]
    shown = await _documents(unit, visit, case, done.documents)
    return [{**row, "reason": done.result, "documents": shown, "papers": list(done.papers)}]


async def _old_card(unit: Unit, entry: AuditEntry) -> list[Row]:
    visit, case = await _case(unit, entry)
    result = case.checklist.done[Step.OLD_CARD].result
    return [{**_of_case(visit, case, "old_card", entry.at), "result": result}]


async def _renew(unit: Unit, entry: AuditEntry) -> list[Row]:
    visit, case = await _case(unit, entry)
    written = _said(unit, "certificate.renewed.", case)["certificates"]
    return [{**_of_case(visit, case, "renew", entry.at), "certificates": written}]


async def _states(unit: Unit, entry: AuditEntry) -> list[Row]:
    visit, case = await _case(unit, entry)
    renewal = await certificates.read(unit.conn, case.case_id, visit.visit_id)
    states: Row = {which.value: one.state.value for which, one in renewal.statuses.items()}
    return [{**_of_case(visit, case, "certificates", entry.at), **states}]


async def _wrong_pin(unit: Unit, entry: AuditEntry) -> list[Row]:
    visit, case = await _case(unit, entry)
    which = str(entry.references["which"])
    return [{**_of_case(visit, case, "wrong_pin", entry.at), "certificate": which}]


async def _pin_reset(unit: Unit, entry: AuditEntry) -> list[Row]:
    visit, case = await _case(unit, entry)
    said = _said(unit, "pin.reset.", case)
    row = _of_case(visit, case, "pin_reset", entry.at)
    return [{**row, "certificates": said["certificates"], "confirmed": True}]


async def _failed(unit: Unit, entry: AuditEntry) -> list[Row]:
    """What becomes of the visit is told by what follows."""
    visit, case = await _case(unit, entry)
    said = _said(unit, "certificate.failed.", case)
    return [
        {
            **_of_case(visit, case, "certificate_failed", entry.at),
            "certificates": said["certificates"],
            "reason": said["reason"],
            "written": str(entry.references["written"]).split(),
        }
    ]


async def _switch(unit: Unit, entry: AuditEntry) -> list[Row]:
    visit, case = await _case(unit, entry)
    accepted = entry.action == "card_switch.accepted"
    return [{**_of_case(visit, case, "card_switch", entry.at), "accepted": accepted}]


def _said(unit: Unit, type_: str, case: VisitCase) -> dict[str, Json]:
    """The body of what was said of the case last."""
    found: dict[str, Json] = [
        pydantic_core.from_json(event.data)
        for event in unit.events
        if event.type.startswith(type_) and event.subject == str(case.case_id)
    ][-1]
    return found


async def _defer(unit: Unit, entry: AuditEntry) -> list[Row]:
    visit, case = await _case(unit, entry)
    return [{**_of_case(visit, case, "defer", entry.at), "reason": case.reason}]


async def _done(unit: Unit, entry: AuditEntry) -> list[Row]:
    """A question was answered; its call is told with it, for of no case it was audited."""
    visit = await _visit(unit, entry)
    return [_called(visit, visit.called_at or entry.at), _of(visit, "done", entry.at)]


async def _count(unit: Unit, entry: AuditEntry) -> list[Row]:
    visit, case = await _case(unit, entry)
    field = "back" if entry.action == "card.count_back" else "missing"
    day = {"site_id": visit.site_id, "date": visit.business_date.isoformat()}
    counted: list[Json] = [str(case.case_id)]
    return [{"verb": "count", **day, field: counted, "occurred_at": _text(entry.at)}]


async def _sign_off(unit: Unit, entry: AuditEntry) -> list[Row]:
    day: Row = {"site_id": entry.subject, "date": str(entry.references["day"])}
    return [{"verb": "sign_off", **day, "occurred_at": _text(entry.at)}]


def _step(verb: str) -> _Maker:
    async def made(unit: Unit, entry: AuditEntry) -> list[Row]:
        visit, case = await _case(unit, entry)
        return [_of_case(visit, case, verb, entry.at)]

    return made


async def _leave(unit: Unit, entry: AuditEntry) -> list[Row]:
    return [_of(await _visit(unit, entry), "leave", entry.at)]


async def _counter(unit: Unit, entry: AuditEntry) -> list[Row]:
    return [
        {
            "verb": "counter",
            "site_id": entry.subject,
            "counter": str(entry.references["counter"]),
            "state": entry.action.partition(".")[2],
            "occurred_at": _text(entry.at),
        }
    ]


def _of(visit: Visit, verb: str, at: datetime) -> Row:
    return {"verb": verb, "visit_id": str(visit.visit_id), "occurred_at": _text(at)}


def _of_case(visit: Visit, case: VisitCase, verb: str, at: datetime) -> Row:
    return {**_of(visit, verb, at), "case_id": str(case.case_id)}


async def _documents(unit: Unit, visit: Visit, case: VisitCase, types: Sequence[str]) -> list[Json]:
    accepted = await checklists.accepted(unit.conn, visit.visit_id, case.case_id)
    return [{"class": accepted[DocumentType(type_)].value, "type": type_} for type_ in types]


async def _case(unit: Unit, entry: AuditEntry) -> tuple[Visit, VisitCase]:
    visit = await _visit(unit, entry)
    return visit, case_of(visit, CaseId(UUID(entry.subject)))


async def _visit(unit: Unit, entry: AuditEntry) -> Visit:
    named = str(entry.references.get("visit", entry.subject))
    visit = await visits.find(unit.conn, VisitId(UUID(named)))
    if visit is None:
        raise ValueError(f"{entry.action} names no visit")
    return visit


def _text(at: datetime) -> str:
    return at.isoformat()


MAKERS: Mapping[str, _Maker] = {
    "visit.check_in": _check_in,
    "visit.call": _call,
    "visit.leave": _leave,
    "visit.done": _done,
    "case.verify_identity": _identity,
    "case.note_proxy": _proxy,
    "case.no_proxy": _proxy,
    "case.note_old_card": _old_card,
    "case.note_receipt": _step("receipt"),
    "case.confirm_pin": _step("pin_set"),
    "card.issue": _step("issue"),
    "certificate.renew": _renew,
    "certificate.note_states": _states,
    "certificate.wrong_pin": _wrong_pin,
    "certificate.reset_pin": _pin_reset,
    "certificate.fail": _failed,
    "certificate.ask_letter": _step("inquiry_letter"),
    "card_switch.accepted": _switch,
    "card_switch.declined": _switch,
    "case.defer": _defer,
    "counter.open": _counter,
    "counter.paused": _counter,
    "counter.closed": _counter,
    "card.count_back": _count,
    "card.count_missing": _count,
    "day.sign_off": _sign_off,
}
SILENT = frozenset(
    {
        # Told with the leaving, or with the sign-off, that caused it.
        "case.abandon",
        "case.close_at_sign_off",
        # A retention of its own.
        "proxy.forget_reasons",
        # Headquarters have published it.
        "checklist.take_over",
        # Order of waiting: over when it is told.
        "visit.skip",
        "visit.transfer",
    }
)

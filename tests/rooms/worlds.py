"""Each room's app over a real database, with something in it that lies at the site OWN.

Tokens are the claims themselves: ``Bearer <role>@<site>@<case>``.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from pydantic import SecretStr

from services.issuance.domain.conflict import ConflictState, Found
from services.issuance.domain.ticket import Purpose
from services.issuance.handlers.check_in import check_in_booking
from services.issuance.handlers.counters import open_counter
from services.issuance.store import certificates, conflicts
from services.reporting.domain.alerts import Alert, AlertKind
from services.reporting.store import alerts
from services.reservation.domain.message import Kind, Note
from services.reservation.domain.national_system import Policy
from services.reservation.handlers import (
    bookings,
    citizens,
    closing,
    holds,
    suspensions,
    waitlist,
)
from services.reservation.handlers.parties import Request as Party
from services.reservation.handlers.suspensions import Order
from shared.clock import FixedClock
from shared.contracts.base import Procedure
from shared.contracts.site import SuspensionReason
from shared.db import Database
from shared.errors import Unauthorized
from shared.http.openapi import RoomApi
from shared.ids import CaseId, SiteId
from shared.room import Resources
from shared.security.access import AccessTable
from shared.security.principal import Principal, Role
from shared.settings import Doors, KernelSettings
from shared.unit import Units
from tests.issuance import support as issuance
from tests.reservation import support as reservation
from tests.support.messaging import metrics
from tests.support.rooms import room

OWN = SiteId("kawasaki-ward-office")
OTHER = SiteId("center-ksp")
_RING = SecretStr("k1:" + base64.b64encode(bytes(32)).decode())


@dataclass(frozen=True)
class World:
    """A room's app, its access table, and values for the parameters of its paths."""

    app: RoomApi
    access: AccessTable
    parameters: Mapping[str, str]

    def body(self, method: str, path: str) -> dict[str, Any] | None:
        """The documented example of a request's body, about the site OWN."""
        item = self.app.openapi()["paths"].get(path, {}).get(method.lower(), {})
        schema = item.get("requestBody", {}).get("content", {}).get("application/json", {})
        if not schema:
            return None
        name = schema["schema"].get("$ref", "").rpartition("/")[2]
        model = self.app.openapi()["components"]["schemas"].get(name, {})
        example: dict[str, Any] = {**(model.get("examples") or [{}])[0]}
        own = {"site_id": OWN, "case_ids": [self.parameters["case_id"]]}
        named = model.get("properties", {})
        return example | {name: value for name, value in own.items() if name in named}


async def authenticate(authorization: str | None) -> Principal:
    """The principal spelled out in the token. Raises ``Unauthorized``."""
    if authorization is None:
        return Principal.anonymous()
    claims = authorization.removeprefix("Bearer ").split("@")
    if len(claims) != 3:
        raise Unauthorized(token_sent=True)
    role, site, case_id = Role(claims[0]), SiteId(claims[1]), CaseId(UUID(claims[2]))
    if role is Role.CITIZEN:
        return Principal("test:citizen", frozenset({role}), cases=frozenset({case_id}))
    return Principal(f"test:{role}", frozenset({role}), frozenset({site}))


async def world(name: str, database: Database, folder: Path) -> World:
    """The world of one room."""
    clock = FixedClock(issuance.TEN if name == "issuance" else reservation.MORNING)
    units = Units(database, room=name, source=f"/141305/{name}", clock=clock)
    resources = Resources(
        room=name,
        units=units,
        authenticate=authenticate,
        metrics=metrics(),
        settings=KernelSettings(
            notice_keys=_RING, citizen_signing_key_file=reservation.signing_key(folder)
        ),
        doors=Doors(
            database_url="postgresql://127.0.0.1:1/none",
            master_keys=_RING,
            api_port=1,
            consume_port=1,
            relay_port=1,
        ),
        database=database,
        clock=clock,
    )
    module, _, function = room(name).api.partition(":")
    app: RoomApi = getattr(import_module(module), function)(resources)
    parameters = {
        "site_id": OWN,
        "shelf": "A",
        "stage": "inspected",
        "letter_id": "1",
        "number": "1",
    }
    parameters |= {"desk": "preset", "from_on": "2026-05-01", "version": "1", "chart": "months"}
    parameters |= {"page": "today", "name": "board.css"}
    ids = ("case", "batch", "lot", "transfer", "disposal", "stock_take", "import", "discrepancy")
    parameters |= {f"{key}_id": str(uuid4()) for key in ids}
    if name == "reservation":
        parameters |= await _booking(database)
    if name == "issuance":
        parameters |= await _visit(database, clock)
    if name == "reporting":
        parameters |= await _alert(units)
    return World(app, app.access, parameters)


async def _booking(database: Database) -> dict[str, str]:
    await reservation.open_site(database, reservation.make_site(OWN))
    case_id = reservation.case("own")
    await reservation.invite(database, case_id, site_id=OWN)
    wish = bookings.Request((case_id,), OWN, reservation.tokyo(reservation.THURSDAY, 9))
    async with reservation.units(database).begin(reservation.citizen(case_id)) as unit:
        (made,) = await bookings.book(unit, wish, reservation.RULES)
        note = Note(Kind.CANCELLED, case_id, "news", unit.now, site_id=OWN, by_city=True)
        await citizens.notify(unit, [note])
        entry_id = await unit.conn.fetchval("SELECT entry_id FROM phone_entry")
    return {
        "booking_id": str(made.booking_id),
        "case_id": str(case_id),
        "message_id": str(note.message_id),
        "entry_id": str(entry_id),
        "procedure": "card_issuance",
        **await _held(database, case_id),
        **await _suspended(database),
    }


async def _held(database: Database, case_id: CaseId) -> dict[str, str]:
    at_ten = Party((case_id,), OWN, reservation.tokyo(reservation.THURSDAY, 10))
    wish = waitlist.Wish((case_id,), (OWN,), reservation.THURSDAY, reservation.FRIDAY)
    async with reservation.units(database).begin(reservation.citizen(case_id)) as unit:
        hold = await holds.place(unit, at_ten, reservation.RULES)
        entry = await waitlist.join(unit, wish, reservation.RULES)
    return {"hold_id": str(hold.hold_id), "waitlist_id": str(entry.entry_id)}


async def _suspended(database: Database) -> dict[str, str]:
    """The booking's site cannot serve it: it is listed by a closure."""
    planner = reservation.PEOPLE["planner"]
    start = reservation.tokyo(reservation.THURSDAY, 8)
    both = frozenset(Procedure)
    end = start + timedelta(hours=2)
    order = Order((OWN,), both, start, end, SuspensionReason.OUTAGE, Policy.MOVE)
    async with reservation.units(database).begin(planner) as unit:
        found = await suspensions.suspend(unit, order, reservation.RULES)
        (begun,) = await suspensions.closures_of(unit, found[0].suspension_id)
    async with reservation.units(database).begin(Principal.system("reservation")) as unit:
        await closing.work(reservation.RULES)(unit)
    return {"suspension_id": str(begun.suspension_id), "closure_id": str(begun.closure_id)}


async def _alert(units: Units) -> dict[str, str]:
    async with units.begin(Principal.system("reporting")) as unit:
        await alerts.settle(unit.conn, [Alert(AlertKind.LONG_WAIT, OWN, None, OWN)], unit.now)
        alert_id = await unit.conn.fetchval("SELECT alert_id FROM alert")
    return {"alert_id": str(alert_id)}


async def _visit(database: Database, clock: FixedClock) -> dict[str, str]:
    city = issuance.City(database, clock)
    case_id = await city.card(OWN)
    booking = await city.booking(case_id, site_id=OWN)
    async with city.units.begin(issuance.PEOPLE["clerk"]) as unit:
        visit = await check_in_booking(unit, OWN, booking.booking_id, timedelta(minutes=10))
        await open_counter(unit, OWN, "1", tuple(Purpose))
        conflict = Found(uuid4(), OWN, 1, None, "card-void", ConflictState.OPEN, unit.now)
        await conflicts.raise_(unit.conn, conflict)
        await certificates.ask_letter(unit.conn, case_id, OWN, None, unit.now)
    return {
        "visit_id": str(visit.visit_id),
        "conflict_id": str(conflict.conflict_id),
        "case_id": str(case_id),
        "counter": "1",
        "action": "pause",
        "version": "1",
    }

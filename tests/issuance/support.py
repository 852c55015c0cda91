"""An issuance room for tests: real database, real app and consumer; tokens are just names."""

import base64
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from aiokafka.structs import ConsumerRecord
from pydantic import SecretStr

from services.issuance.api.step_bodies import Version
from services.issuance.bootstrap import ROOM
from shared.clock import FixedClock
from shared.contracts.base import CaseKind, CaseOpened, Event, Procedure
from shared.contracts.preparation import CardNotified, CardReceived, CardShelved
from shared.contracts.reservation import BookingConfirmed
from shared.db import Database
from shared.errors import Unauthorized
from shared.ids import BookingId, CaseId, LotId, PartyId, SiteId, WardCode, new_id
from shared.messaging.envelope import Envelope, encode
from shared.messaging.processing import Processor
from shared.room import Resources
from shared.security.blind_index import BlindIndex
from shared.security.principal import EVERY_SITE, Principal, Role
from shared.settings import Doors, KernelSettings
from shared.telemetry.metrics import Metrics
from shared.unit import Units
from tests.support.messaging import raw_record

TEN = datetime(2026, 7, 14, 1, 0, tzinfo=UTC)
"""Ten o'clock in Tokyo, a Tuesday."""
TODAY = date(2026, 7, 14)
OFFICE = SiteId("kawasaki-ward-office")
CENTER = SiteId("center-ksp")
WARD = WardCode("141313")
OTHER_WARD = WardCode("141330")
EXPIRES = date(2036, 5, 1)
RING = {"n1": bytes([1]) * 32, "n0": bytes([0]) * 32}
INDEX = BlindIndex(RING)
LICENCE = {"documents": [{"class": "A", "type": "drivers_licence"}]}
CARD = Procedure.CARD_ISSUANCE
RENEWAL = Procedure.CERTIFICATE_RENEWAL

PEOPLE: Mapping[str, Principal] = {
    "clerk": Principal("staff:clerk", frozenset({Role.CLERK}), frozenset({OFFICE})),
    "colleague": Principal("staff:colleague", frozenset({Role.CLERK}), frozenset({OFFICE})),
    "elsewhere": Principal("staff:elsewhere", frozenset({Role.CLERK}), frozenset({CENTER})),
    "supervisor": Principal("staff:super", frozenset({Role.SUPERVISOR}), frozenset({OFFICE})),
    "planner": Principal("staff:plan", frozenset({Role.PLANNER}), frozenset({EVERY_SITE})),
}


async def authenticate(authorization: str | None) -> Principal:
    """The principal named in place of a token. Raises ``Unauthorized``."""
    if authorization is None:
        return Principal.anonymous()
    name = authorization.removeprefix("Bearer ")
    if name not in PEOPLE:
        raise Unauthorized(token_sent=True)
    return PEOPLE[name]


def units(database: Database, clock: FixedClock) -> Units:
    """Units of the room."""
    return Units(database, room="issuance", source="/141305/issuance", clock=clock)


def resources(database: Database, clock: FixedClock) -> Resources:
    """What the app gets from its process."""
    ring = ",".join(f"{name}:{base64.b64encode(key).decode()}" for name, key in RING.items())
    return Resources(
        room="issuance",
        units=units(database, clock),
        authenticate=authenticate,
        metrics=Metrics(service="issuance", role="test"),
        settings=KernelSettings(notice_keys=SecretStr(ring)),
        doors=Doors(
            database_url="postgresql://127.0.0.1:1/none", api_port=1, consume_port=1, relay_port=1
        ),
        database=database,
        clock=clock,
    )


def version(**changes: Any) -> dict[str, Any]:
    """A version of the checklist as its documentation shows it."""
    example: dict[str, Any] = Version.model_json_schema()["examples"][0]
    return {**example, **changes}


class City:
    """The rooms around issuance: what they say is heard through the real consumer."""

    def __init__(self, database: Database, clock: FixedClock) -> None:
        self.database = database
        self.clock = clock
        self.units = units(database, clock)
        self.processor = Processor(
            "issuance",
            self.units,
            ROOM.subscribes,
            metrics=Metrics(service="issuance", role="test"),
        )
        self._sequences: Counter[tuple[str, str]] = Counter()
        self._offset = 0

    def record(self, event: Event, *, topic: str | None = None) -> ConsumerRecord:
        """``event`` as its room publishes it next."""
        topic = topic or event.topic or "preparation.events"
        source = f"/141305/{topic.partition('.')[0]}"
        self._sequences[source, event.subject] += 1
        self._offset += 1
        key, headers, value = encode(
            Envelope(
                id=new_id(),
                source=source,
                type=event.type,
                subject=event.subject,
                time=self.clock.now(),
                sequence=self._sequences[source, event.subject],
                traceparent=None,
                data=event.model_dump_json().encode(),
            )
        )
        return raw_record(key, headers, value, self._offset, topic)

    async def hear(self, *events: Event) -> None:
        """The room hears ``events`` in one batch."""
        await self.processor.handle_batch([self.record(event) for event in events])

    async def hear_records(self, records: Sequence[ConsumerRecord]) -> None:
        """The room hears ``records`` as they are."""
        await self.processor.handle_batch(records)

    async def card(self, site_id: SiteId = OFFICE, *, number: str | None = None) -> CaseId:
        """A new case whose card lies at ``site_id``, with its notice sent."""
        case_id = new_case()
        await self.hear(*card_life(case_id, site_id, number=number))
        return case_id

    async def booking(self, case_id: CaseId, **changes: Any) -> BookingConfirmed:
        """A confirmed booking of the case, today at half past ten at the office."""
        event = booked(case_id, **changes)
        await self.hear(event)
        return event

    async def said(self, case_id: CaseId | None = None) -> list[dict[str, Any]]:
        """What issuance has said of cases, in order: type, time and body in one."""
        everything = await self.everything_said()
        return [
            event
            for event in everything
            if "case_id" in event and case_id in (None, CaseId(UUID(event["case_id"])))
        ]

    async def measured(self) -> list[dict[str, Any]]:
        """The quarters of an hour that issuance has told."""
        everything = await self.everything_said()
        return [event for event in everything if event["type"] == "service.measured.v1"]

    async def everything_said(self) -> list[dict[str, Any]]:
        """All that issuance has said, in order."""
        async with self.database.reader() as conn:
            rows = await conn.fetch(
                "SELECT type, subject, time, data FROM outbox ORDER BY xid, pos"
            )
        return [
            {"type": row["type"], "time": row["time"], **json.loads(row["data"])} for row in rows
        ]

    async def types_said(self, case_id: CaseId | None = None) -> list[str]:
        """The types of what issuance has said."""
        return [event["type"] for event in await self.said(case_id)]

    async def actions(self) -> list[str]:
        """What the audit says was done."""
        async with self.database.reader() as conn:
            rows = await conn.fetch("SELECT action FROM audit_entry ORDER BY pos")
        return [row["action"] for row in rows]


class Clerk:
    """A clerk's hands: requests of one person, each with its own Idempotency-Key."""

    def __init__(self, client: httpx.AsyncClient, name: str = "clerk") -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {name}"}

    async def post(self, path: str, body: object = None, key: str | None = None) -> httpx.Response:
        """POST with a new Idempotency-Key, or with ``key``."""
        headers = {**self.headers, "Idempotency-Key": key or str(new_id())}
        return await self.client.post(path, json=body, headers=headers)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """GET."""
        return await self.client.get(path, headers={**self.headers, **headers})

    async def check_in(self, site_id: SiteId = OFFICE, **by: Any) -> httpx.Response:
        """Check in by ``booking_id`` or ``notice_number``."""
        named = {name: str(value) for name, value in by.items()}
        return await self.post("/v1/visits", {"site_id": site_id, **named})

    async def call(self, visit_id: str, counter: str = "3") -> httpx.Response:
        """Call the party."""
        return await self.post(f"/v1/visits/{visit_id}:call", {"counter": counter})

    async def open(self, counter: str, *purposes: str) -> dict[str, Any]:
        """Open a counter, for everything where nothing is named."""
        wanted = purposes or ("card_issuance", "certificate_renewal", "question")
        path = f"/v1/counters/{OFFICE}/{counter}:open"
        return ok(await self.post(path, {"purposes": wanted}))

    async def next(self, counter: str) -> dict[str, Any] | None:
        """Call the next party: its visit, or none."""
        answer = ok(await self.post(f"/v1/counters/{OFFICE}/{counter}:next"))
        visit: dict[str, Any] | None = answer["visit"]
        return visit

    async def draw(self, purpose: str = "question", **more: str) -> dict[str, Any]:
        """A ticket for somebody without a booking: its visit."""
        body = {"site_id": OFFICE, "purpose": purpose, **more}
        return ok(await self.post("/v1/tickets", body))

    async def ticket(self, visit_id: str, what: str, body: object = None) -> httpx.Response:
        """What becomes of a ticket: recall, skip, transfer, leave, done."""
        return await self.post(f"/v1/tickets/{visit_id}:{what}", body)

    async def count_back(self, *case_ids: UUID, missing: Sequence[UUID] = ()) -> httpx.Response:
        """Count cards back to the shelf."""
        body = {"back": [str(c) for c in case_ids], "missing": [str(c) for c in missing]}
        return await self.post(f"/v1/sites/{OFFICE}/day/cards:count", body)

    async def step(
        self, visit_id: str, case_id: UUID | str, step: str, body: object = None
    ) -> httpx.Response:
        """One step of a case."""
        return await self.post(f"/v1/visits/{visit_id}/cases/{case_id}/{step}", body)

    async def up_to_issue(self, **by: Any) -> tuple[str, list[str]]:
        """A visit in which every case only waits for its hand-over: its id and its cases."""
        visit = (await self.check_in(**by)).json()
        visit_id, cases = visit["visit_id"], [case["case_id"] for case in visit["cases"]]
        await self.call(visit_id)
        for case_id in cases:
            ok(await self.step(visit_id, case_id, "identity", LICENCE))
            ok(await self.step(visit_id, case_id, "pin-set", {"confirmed": True}))
        return visit_id, cases


def ok(response: httpx.Response) -> dict[str, Any]:
    """The body of a good answer."""
    assert response.status_code in {200, 201}, response.text
    body: dict[str, Any] = response.json()
    return body


def refused(response: httpx.Response, slug: str, status: int = 409) -> dict[str, Any]:
    """The problem a refusal carries."""
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["type"]) == (status, f"urn:madoguchi:problem:{slug}"), body
    return body


def new_case() -> CaseId:
    """A case nobody has heard of."""
    return CaseId(new_id())


def opened(case_id: CaseId, procedure: Procedure = CARD) -> CaseOpened:
    """The case begins."""
    return CaseOpened(case_id=case_id, procedure=procedure, kind=CaseKind.RENEWAL, ward=WARD)


def notified(
    case_id: CaseId, site_id: SiteId = OFFICE, *, number: str | None = None
) -> CardNotified:
    """The notice is sent; without a number it has a hash that fits none."""
    key = INDEX.number_key(number) if number else None
    return CardNotified(
        case_id=case_id,
        ward=WARD,
        site_id=site_id,
        number_key=key.value if key else f"{case_id.hex}{'0' * 11}",
        login_key="L" * 43,
        key_id=INDEX.key_id,
        notice_seq=1,
        pickup_deadline=TODAY + timedelta(days=20),
        card_expires_on=EXPIRES,
    )


def card_life(
    case_id: CaseId, site_id: SiteId = OFFICE, *, number: str | None = None
) -> list[Event]:
    """From the first sight of a case to its notice."""
    return [
        opened(case_id),
        CardReceived(case_id=case_id, lot_id=LotId("L1"), card_expires_on=EXPIRES),
        CardShelved(case_id=case_id, site_id=site_id, shelf_position="A-01"),
        notified(case_id, site_id, number=number),
    ]


def replaces_another(case_id: CaseId) -> CardReceived:
    """The card replaces one that goes on for a quarter of a year."""
    return CardReceived(
        case_id=case_id,
        lot_id=LotId("L1"),
        card_expires_on=EXPIRES,
        old_card_expires_on=TODAY + timedelta(days=90),
    )


def booked(case_id: CaseId, **changes: Any) -> BookingConfirmed:
    """A booking of the case, today at half past ten at the office unless said otherwise."""
    values: dict[str, Any] = {
        "booking_id": BookingId(new_id()),
        "party_id": PartyId(new_id()),
        "site_id": OFFICE,
        "starts_at": TEN + timedelta(minutes=30),
        "minutes": 20,
        "procedure": CARD,
        "card_site_id": OFFICE,
    }
    return BookingConfirmed(case_id=case_id, **{**values, **changes})

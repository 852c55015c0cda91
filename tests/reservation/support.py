"""A reservation room for tests: real database, real app, real citizens' tokens; staff are names."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import httpx
from aiokafka.structs import ConsumerRecord
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from services.reservation.bootstrap import ROOM
from services.reservation.domain.rules import Rules
from services.reservation.handlers import sites
from shared.calendar import TOKYO, BusinessCalendar
from shared.clock import FixedClock
from shared.contracts.base import CaseEvent, CaseKind, Certificate, Procedure
from shared.contracts.issuance import CardIssued, CertificateRenewed, VisitMissed
from shared.contracts.place import (
    Acceptance,
    OpeningHours,
    Site,
    SiteKind,
    SiteName,
    SiteState,
    Weekday,
)
from shared.contracts.preparation import CardNotified
from shared.db import Database
from shared.ids import BookingId, CaseId, SiteId, VisitId, WardCode, derived_id, new_id
from shared.messaging.envelope import Envelope, encode
from shared.messaging.processing import Processor
from shared.room import Resources
from shared.security.blind_index import BlindIndex
from shared.security.citizen_tokens import CitizenKeys
from shared.security.jwks import FixedKeys
from shared.security.oidc import token_verifier
from shared.security.principal import EVERY_SITE, Principal, Role
from shared.settings import Doors, KernelSettings
from shared.telemetry.metrics import Metrics
from shared.unit import Units
from tests.support.messaging import raw_record

MORNING = datetime(2026, 4, 1, 0, 0, tzinfo=UTC)
"""Nine o'clock in Tokyo, a Wednesday."""
TODAY = date(2026, 4, 1)
THURSDAY = date(2026, 4, 2)
FRIDAY = date(2026, 4, 3)
WARD, OTHER_WARD = WardCode("141313"), WardCode("141321")
SITE, OTHER_SITE = SiteId("kawasaki-ward-office"), SiteId("center")
NUMBER, BIRTH_DATE = "7K2-481516", date(1990, 2, 3)
MASTERS = {"n1": bytes([1]) * 32}
INDEX = BlindIndex(MASTERS)
CALENDAR = BusinessCalendar()
RULES = Rules(calendar=CALENDAR)

PEOPLE: Mapping[str, Principal] = {
    "planner": Principal("staff:p", frozenset({Role.PLANNER}), frozenset({EVERY_SITE})),
    "clerk": Principal("staff:c", frozenset({Role.CLERK}), frozenset({SITE})),
    "supervisor": Principal("staff:s", frozenset({Role.SUPERVISOR}), frozenset({SITE})),
    "mailer": Principal("system:mailer", frozenset({Role.SYSTEM}), frozenset({EVERY_SITE})),
    "elsewhere": Principal("staff:e", frozenset({Role.CLERK}), frozenset({OTHER_SITE})),
}


def tokyo(day: date, hour: int, minute: int = 0) -> datetime:
    """A time of day in Tokyo, in UTC."""
    return datetime.combine(day, time(hour, minute), TOKYO).astimezone(UTC)


def make_site(site_id: SiteId = SITE, **values: Any) -> Site:
    """An open site, nine to twelve on weekdays, two counters, for cards of one ward."""
    weekdays = tuple(Weekday)[:5]
    return Site(
        **{
            "site_id": site_id,
            "name": SiteName(ja="窓口", en="Counter"),
            "kind": SiteKind.WARD_OFFICE,
            "state": SiteState.OPEN,
            "ward": WARD,
            "latitude": 35.5,
            "longitude": 139.7,
            "opens_on": TODAY,
            "hours": tuple(
                OpeningHours(weekday=day, opens=time(9), closes=time(12)) for day in weekdays
            ),
            "counters": 2,
            "terminals": 2,
            "acceptance": (Acceptance(procedure=Procedure.CARD_ISSUANCE, wards=(WARD,)),),
            **values,
        }
    )


def units(database: Database, clock: FixedClock | None = None) -> Units:
    """Units of the room."""
    return Units(
        database,
        room="reservation",
        source="/141305/reservation",
        clock=clock or FixedClock(MORNING),
    )


async def open_site(database: Database, site: Site | None = None, rules: Rules = RULES) -> Site:
    """A site that is open, with its cells."""
    site = site or make_site()
    async with units(database).begin(PEOPLE["planner"]) as unit:
        await sites.put(unit, site, rules, lambda _: None)
        return (await sites.open_(unit, site.site_id, rules)).site


def case(*name: object) -> CaseId:
    """A case; the same name is the same case."""
    return CaseId(derived_id("case", *name) if name else new_id())


def notified(case_id: CaseId, **values: Any) -> CardNotified:
    """The invitation of a case whose card lies at the site."""
    number = values.pop("number", NUMBER)
    return CardNotified(
        **{
            "case_id": case_id,
            "ward": WARD,
            "site_id": SITE,
            "number_key": INDEX.number_key(number).value,
            "login_key": INDEX.login_key(number, BIRTH_DATE).value,
            "key_id": "n1",
            "notice_seq": 1,
            "pickup_deadline": date(2026, 7, 1),
            "card_expires_on": date(2036, 2, 3),
            **values,
        }
    )


def issued(case_id: CaseId, booking_id: BookingId | None = None) -> CardIssued:
    """The card was handed over."""
    return CardIssued(
        case_id=case_id,
        site_id=SITE,
        visit_id=VisitId(derived_id("visit", case_id)),
        booking_id=booking_id,
        procedure=Procedure.CARD_ISSUANCE,
        kind=CaseKind.NEW,
        ward=WARD,
    )


def renewed(case_id: CaseId) -> CertificateRenewed:
    """The certificates were written."""
    return CertificateRenewed(
        case_id=case_id,
        site_id=SITE,
        visit_id=VisitId(derived_id("visit", case_id)),
        booking_id=None,
        procedure=Procedure.CERTIFICATE_RENEWAL,
        kind=CaseKind.RENEWAL,
        ward=WARD,
        certificates=(Certificate.SIGNING,),
    )


def missed(case_id: CaseId, booking_id: BookingId, day: date = THURSDAY) -> VisitMissed:
    """The citizen had not come."""
    return VisitMissed(case_id=case_id, site_id=SITE, booking_id=booking_id, business_date=day)


def told(
    event: CaseEvent, sequence: int = 1, *, at: datetime = MORNING, id_: UUID | None = None
) -> ConsumerRecord:
    """``event`` as the consumer polls it."""
    key, headers, value = encode(
        Envelope(
            id=id_ or derived_id(event.type, event.subject, sequence, event.model_dump_json()),
            source="/141305/test",
            type=event.type,
            subject=event.subject,
            time=at,
            sequence=sequence,
            traceparent=None,
            data=event.model_dump_json().encode(),
        )
    )
    return raw_record(key, headers, value, sequence, event.topic)


async def hear(database: Database, *records: ConsumerRecord) -> None:
    """Let the room handle ``records`` as one poll."""
    metrics = Metrics(service="reservation", role="test")
    processor = Processor(ROOM.name, units(database), ROOM.subscribes, metrics=metrics)
    await processor.handle_batch(records)


async def invite(database: Database, *case_ids: CaseId, **values: Any) -> None:
    """Let the cases be bookable."""
    await hear(database, *(told(notified(case_id, **values)) for case_id in case_ids))


def citizen(*case_ids: CaseId) -> Principal:
    """A citizen with these cases."""
    return Principal("citizen:c", frozenset({Role.CITIZEN}), cases=frozenset(case_ids))


async def counts(database: Database) -> list[tuple[int, int]]:
    """(booked, seats that rows account for) of every cell; they must be equal."""
    async with database.reader() as conn:
        rows = await conn.fetch(
            """
            SELECT booked, (
                SELECT count(*) FROM booking b WHERE b.site_id = c.site_id
                    AND b.state <> 'cancelled' AND c.starts_at >= b.starts_at
                    AND c.starts_at < b.starts_at + make_interval(mins => b.minutes)
            ) + (
                SELECT coalesce(sum(seats), 0) FROM seat_return r
                WHERE r.site_id = c.site_id AND r.starts_at = c.starts_at
            ) AS accounted
            FROM cell c
            """
        )
    return [(row["booked"], row["accounted"]) for row in rows]


async def events_of(database: Database, subject: object | None = None) -> list[str]:
    """The types told of a subject (of all), in order."""
    async with database.reader() as conn:
        rows = await conn.fetch(
            "SELECT type FROM outbox WHERE $1::text IS NULL OR subject = $1 ORDER BY xid, pos",
            None if subject is None else str(subject),
        )
    return [row["type"] for row in rows]


def signing_key(folder: Path) -> Path:
    """A file with a new key for citizens' tokens."""
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / "citizens.pem"
    path.write_bytes(pem)
    return path


def resources(database: Database, clock: FixedClock, key_file: Path) -> Resources:
    """What the app gets from its process. Citizens' tokens are verified, staff are names."""
    secret = SecretStr("n1:" + base64.b64encode(MASTERS["n1"]).decode())
    settings = KernelSettings(citizen_signing_key_file=key_file, notice_keys=secret)
    own = FixedKeys(CitizenKeys.read(key_file).document())
    verifier = token_verifier(settings, cast(httpx.AsyncClient, None), citizen_keys=own)

    async def authenticate(authorization: str | None) -> Principal:
        name = (authorization or "").removeprefix("Bearer ")
        return PEOPLE.get(name) or await verifier.authenticate(authorization)

    return Resources(
        room="reservation",
        units=units(database, clock),
        authenticate=authenticate,
        metrics=Metrics(service="reservation", role="test"),
        settings=settings,
        doors=Doors(
            database_url="postgresql://127.0.0.1:1/none",
            master_keys=secret,
            api_port=1,
            consume_port=1,
            relay_port=1,
        ),
        database=database,
        clock=clock,
    )


def bearer(name: str, *, once: bool = False) -> dict[str, str]:
    """The headers with which somebody comes; ``once`` adds a new Idempotency-Key."""
    key = {"Idempotency-Key": str(new_id())} if once else {}
    return {"Authorization": f"Bearer {name}", **key}


def site_body(site: Site) -> dict[str, Any]:
    """``site`` as its planner sends it."""
    body: dict[str, Any] = site.model_dump(mode="json", exclude={"site_id", "state", "selling"})
    return body


def ids(cases: Iterable[CaseId]) -> list[str]:
    """Case ids as JSON has them."""
    return [str(case_id) for case_id in cases]


def types(sequence: Sequence[str], start: str) -> list[str]:
    """Those of the types that begin with ``start``."""
    return [one for one in sequence if one.startswith(start)]

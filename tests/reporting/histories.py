"""Case histories as other rooms tell them, and what must be known once all has been heard.

``facts_of`` is the oracle: it reads a history in plain Python, one event at a time, by the rules
the README gives; the room must come to the same rows from any order and any repetition.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from aiokafka.structs import ConsumerRecord

from services.reporting.domain.milestones import MILESTONES
from services.reporting.domain.told import Told
from shared.calendar import TOKYO
from shared.contracts.base import CaseEvent, CaseKind, CaseOpened, Certificate, Event, Procedure
from shared.contracts.issuance import CardIssued, CertificateRenewed, ProcedureEnded
from shared.contracts.preparation import (
    CardApplied,
    CardNotified,
    CardReceived,
    CardReleased,
    CardShipped,
)
from shared.ids import CaseId, SiteId, VisitId, WardCode, derived_id
from shared.messaging.envelope import Envelope, Message, encode
from tests.support.messaging import raw_record

WARDS = (WardCode("141313"), WardCode("141321"))
SITES = (SiteId("minami-office"), SiteId("kita-center"))
CARD, RENEWAL = Procedure.CARD_ISSUANCE, Procedure.CERTIFICATE_RENEWAL


@dataclass(frozen=True)
class Happening:
    """An event and how it is told: by which room, when, and as the how-manieth of its subject."""

    event: Event
    at: datetime
    sequence: int
    topic: str

    @property
    def id(self) -> UUID:
        """The same each time it is told."""
        return derived_id(self.topic, self.event.subject, self.sequence, self.event.type, self.at)

    def record(self) -> ConsumerRecord:
        """As the consumer polls it."""
        envelope = Envelope(
            id=self.id,
            source=f"/141305/{self.topic.split('.')[0]}",
            type=self.event.type,
            subject=self.event.subject,
            time=self.at,
            sequence=self.sequence,
            traceparent=None,
            data=self.event.model_dump_json().encode(),
        )
        return raw_record(*encode(envelope), self.sequence, self.topic)

    def message(self) -> Message[Any]:
        """As a handler gets it."""
        return Message(
            id=self.id,
            type=self.event.type,
            source=f"/141305/{self.topic.split('.')[0]}",
            subject=self.event.subject,
            time=self.at,
            sequence=self.sequence,
            traceparent=None,
            data=self.event,
            topic=self.topic,
            partition=0,
            offset=self.sequence,
        )


def told(events: Iterable[tuple[Event, datetime, str]]) -> list[Happening]:
    """A history in which each room counts its own events."""
    counts: dict[tuple[str, str], int] = {}
    history = []
    for event, at, topic in events:
        key = (topic, event.subject)
        counts[key] = counts.get(key, 0) + 1
        history.append(Happening(event, at, counts[key], topic))
    return history


def case_of(number: int) -> CaseId:
    """The case with this number."""
    return CaseId(derived_id("reporting-test", number))


def opened(case_id: CaseId, procedure: Procedure = CARD, ward: WardCode = WARDS[0]) -> CaseOpened:
    """A case, seen first."""
    kind = CaseKind.NEW if procedure is CARD else CaseKind.RENEWAL
    return CaseOpened(case_id=case_id, procedure=procedure, kind=kind, ward=ward)


def completed(
    case_id: CaseId,
    procedure: Procedure = CARD,
    ward: WardCode = WARDS[0],
    site_id: SiteId = SITES[0],
) -> ProcedureEnded:
    """A case, done."""
    known: dict[str, Any] = {
        "case_id": case_id,
        "site_id": site_id,
        "visit_id": VisitId(derived_id("visit", case_id)),
        "procedure": procedure,
        "ward": ward,
    }
    if procedure is CARD:
        return CardIssued(**known, kind=CaseKind.NEW)
    both = (Certificate.SIGNING, Certificate.USER_AUTHENTICATION)
    return CertificateRenewed(**known, kind=CaseKind.RENEWAL, certificates=both)


def done(number: int, at: datetime, **values: Any) -> Happening:
    """Case ``number`` completed at ``at``: all a monthly count needs."""
    return Happening(completed(case_of(number), **values), at, 1, "issuance.events")


def tokyo(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, *, second: int = 0
) -> datetime:
    """A moment as a clock in Japan shows it."""
    return datetime(year, month, day, hour, minute, second, tzinfo=TOKYO).astimezone(UTC)


def facts_of(history: Sequence[Happening]) -> dict[UUID, dict[str, Any]]:
    """What is known of each case after ``history``, without what is not known."""
    facts: dict[UUID, dict[str, Any]] = {}
    for happening in sorted(set(history), key=lambda h: Told(h.at, h.sequence, h.id)):
        if isinstance(happening.event, CaseEvent):
            known = facts.setdefault(happening.event.case_id, {})
            _learn(known, happening.event, happening)
    return facts


def counts_of(history: Sequence[Happening]) -> dict[tuple[date, Procedure], int]:
    """Completions by month in Japan and procedure."""
    counts: dict[tuple[date, Procedure], int] = {}
    for known in facts_of(history).values():
        if "completed_month" in known:
            key = (known["completed_month"], Procedure(known["completed_procedure"]))
            counts[key] = counts.get(key, 0) + 1
    return counts


def _learn(known: dict[str, Any], event: CaseEvent, happening: Happening) -> None:
    """Take over one event; events come here in the order in which they were told."""
    if isinstance(event, CaseOpened | CardNotified | CardReleased):
        known |= {"ward": event.ward, "ward_at": happening.at}
        known |= {"ward_sequence": happening.sequence, "ward_event": happening.id}
    if type(event) in MILESTONES:
        known.setdefault(f"{MILESTONES[type(event)]}_at", happening.at)
    if isinstance(event, CardApplied):
        known["applied_on"] = min(known.get("applied_on", event.applied_on), event.applied_on)
    if isinstance(event, CardShipped):
        known["shipped_on"] = min(known.get("shipped_on", event.shipped_on), event.shipped_on)
    if isinstance(event, CardNotified):
        known |= {"notice_site": event.site_id, "notice_deadline": event.pickup_deadline}
        known |= {"notice_at": happening.at, "notice_sequence": happening.sequence}
        known |= {"notice_event": happening.id}
    if isinstance(event, CardNotified | CardReceived):
        _latest_day(known, "card_expires_on", event.card_expires_on)
    if isinstance(event, CardReceived) and event.old_card_expires_on:
        _latest_day(known, "old_card_expires_on", event.old_card_expires_on)
    if isinstance(event, CaseOpened):
        _earliest(known, "opened", happening, procedure=event.procedure, kind=event.kind)
    if isinstance(event, ProcedureEnded):
        _earliest(
            known,
            "completed",
            happening,
            completed_procedure=event.procedure,
            completed_kind=event.kind,
            completed_ward=event.ward,
            completed_site=event.site_id,
            completed_booked=event.booking_id is not None,
            completed_month=happening.at.astimezone(TOKYO).date().replace(day=1),
        )


def _latest_day(known: dict[str, Any], name: str, day: date) -> None:
    known[name] = max(known.get(name, day), day)


def _earliest(known: dict[str, Any], name: str, happening: Happening, **values: Any) -> None:
    key = (happening.at, happening.id)
    if f"{name}_at" not in known or key < (known[f"{name}_at"], known[f"{name}_event"]):
        known |= {f"{name}_at": happening.at, f"{name}_event": happening.id} | values

"""What callers see: references and states, never personal data."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.issuance.api.step_views import BringView, StepView
from services.issuance.domain.checklist import Step
from services.issuance.domain.day import DayReport
from services.issuance.domain.visit import (
    CaseState,
    Visit,
    VisitCase,
    VisitState,
    missing_steps,
    next_step,
)
from services.issuance.handlers.reading import ExpectedCase, SiteDay
from shared.contracts.base import CaseKind, Procedure
from shared.contracts.issuance import Arrival
from shared.ids import BookingId, CaseId, PartyId, SiteId, VisitId, WardCode


class View(BaseModel):
    """Something shown."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)


class CaseView(View):
    """One case of a visit."""

    case_id: CaseId
    booking_id: BookingId | None
    procedure: Procedure
    kind: CaseKind | None
    ward: WardCode | None
    shelf_position: str | None
    """Where the card lies on this site's shelves."""
    state: CaseState
    reason: str | None
    """Why it was deferred or abandoned."""
    documents: tuple[str, ...]
    """Types of the documents seen."""
    identified_at: datetime | None
    pin_set_at: datetime | None
    closed_at: datetime | None
    next_step: Step | None
    """What to do next; none once the case has ended in this visit."""
    missing: tuple[Step, ...]
    """The required steps that are not done, in order."""
    checklist_version: int
    """The version of the checklist that it goes by."""
    steps: tuple[StepView, ...]
    bring: tuple[BringView, ...]
    """Where it was deferred: what was lacking and is to be brought."""

    @classmethod
    def of(cls, visit: Visit, case: VisitCase) -> "CaseView":
        """The view of ``case``."""
        return cls(
            case_id=case.case_id,
            booking_id=case.booking_id,
            procedure=case.procedure,
            kind=case.kind,
            ward=case.ward,
            shelf_position=case.shelf_position,
            state=case.state,
            reason=case.reason,
            documents=case.documents,
            identified_at=case.identified_at,
            pin_set_at=case.pin_set_at,
            closed_at=case.closed_at,
            next_step=next_step(visit, case),
            missing=missing_steps(case),
            checklist_version=case.checklist.version,
            steps=StepView.all_of(case),
            bring=BringView.all_of(case),
        )


class VisitView(View):
    """One party at a site."""

    visit_id: VisitId
    ticket: str | None
    """What is called, as ``A012``."""
    site_id: SiteId
    business_date: date
    arrival: Arrival
    state: VisitState
    counter: str | None
    checked_in_at: datetime
    called_at: datetime | None
    ended_at: datetime | None
    cases: tuple[CaseView, ...]

    @classmethod
    def of(cls, visit: Visit) -> "VisitView":
        """The view of ``visit``."""
        return cls(
            visit_id=visit.visit_id,
            ticket=visit.ticket,
            site_id=visit.site_id,
            business_date=visit.business_date,
            arrival=visit.arrival,
            state=visit.state,
            counter=visit.counter,
            checked_in_at=visit.checked_in_at,
            called_at=visit.called_at,
            ended_at=visit.ended_at,
            cases=tuple(CaseView.of(visit, case) for case in visit.cases),
        )


class ExpectedView(View):
    """A booked case of the day."""

    booking_id: BookingId
    party_id: PartyId
    case_id: CaseId
    starts_at: datetime
    minutes: int | None
    """Planned time in minutes."""
    procedure: Procedure
    state: Literal["expected", "seen", "missed"]
    shelf_position: str | None
    """Where its card lies on this site's shelves."""
    obstacle: str | None
    """Slug of the problem that a check-in would meet as things stand now."""

    @classmethod
    def of(cls, case: ExpectedCase) -> "ExpectedView":
        """The view of ``case``."""
        booking = case.expected.booking
        return cls(
            booking_id=booking.booking_id,
            party_id=booking.party_id,
            case_id=booking.case_id,
            starts_at=booking.starts_at,
            minutes=booking.minutes,
            procedure=booking.procedure,
            state=_state(case),
            shelf_position=case.shelf_position,
            obstacle=case.obstacle,
        )


class DayView(View):
    """A site's day: whom it expects by time, and the visits in the order they came."""

    site_id: SiteId
    date: date
    signed_off_at: datetime | None
    expected: tuple[ExpectedView, ...]
    visits: tuple[VisitView, ...]

    @classmethod
    def of(cls, day: SiteDay) -> "DayView":
        """The view of ``day``."""
        return cls(
            site_id=day.site_id,
            date=day.business_date,
            signed_off_at=day.signed_off_at,
            expected=tuple(ExpectedView.of(case) for case in day.expected),
            visits=tuple(VisitView.of(visit) for visit in day.visits),
        )


class CardOutView(View):
    """A card that left its shelf for a counter and was not handed over."""

    visit_id: VisitId
    case_id: CaseId
    shelf_position: str | None
    is_back: bool | None
    """On its shelf again or missing; none until counted."""
    counted_at: datetime | None


class CardsView(View):
    """The cards that have to be counted before the sign-off."""

    cards: tuple[CardOutView, ...]


class ReportView(View):
    """What a signed-off day came to, counted in cases."""

    site_id: SiteId
    date: date
    signed_off_at: datetime
    signed_off_by: str
    """The supervisor, as the token names them."""
    parties: int
    """Parties that came."""
    cards_back: int
    """Cards that were at a counter and lie on their shelf again."""
    cards_missing: int
    """Cards that were at a counter and cannot be found."""
    done: int
    deferred: int
    abandoned: int
    missed: int

    @classmethod
    def of(cls, report: DayReport) -> "ReportView":
        """The view of ``report``."""
        return cls(
            site_id=report.site_id,
            date=report.business_date,
            signed_off_at=report.signed_off_at,
            signed_off_by=report.signed_off_by,
            parties=report.parties,
            cards_back=report.cards_back,
            cards_missing=report.cards_missing,
            done=report.done,
            deferred=report.deferred,
            abandoned=report.abandoned,
            missed=report.missed,
        )


def _state(case: ExpectedCase) -> Literal["expected", "seen", "missed"]:
    if case.expected.is_seen:
        return "seen"
    return "missed" if case.expected.is_missed else "expected"

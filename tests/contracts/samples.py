"""One sample of every event, always the same, with every optional field filled."""

from datetime import UTC, date, datetime, time
from uuid import UUID

from shared.contracts import clock, issuance, preparation, reporting, reservation, site
from shared.contracts.base import CaseKind, CaseOpened, Certificate, Event, Procedure
from shared.ids import (
    BatchId,
    BookingId,
    CaseId,
    DisposalId,
    LotId,
    OfferId,
    PartyId,
    SiteId,
    SuspensionId,
    VisitId,
    WardCode,
)

CASE = CaseId(UUID("0197c000-0000-7000-8000-000000000001"))
BOOKING = BookingId(UUID("0197c000-0000-7000-8000-000000000002"))
PARTY = PartyId(UUID("0197c000-0000-7000-8000-000000000003"))
VISIT = VisitId(UUID("0197c000-0000-7000-8000-000000000004"))
BATCH = BatchId(UUID("0197c000-0000-7000-8000-000000000005"))
OFFER = OfferId(UUID("0197c000-0000-7000-8000-000000000006"))
DISPOSAL = DisposalId(UUID("0197c000-0000-7000-8000-000000000007"))
SUSPENSION = SuspensionId(UUID("0197c000-0000-7000-8000-000000000008"))
OFFICE = SiteId("kawasaki-ward-office")
CENTER = SiteId("center-ksp")
LOT = LotId("L2025-07-001")
WARD = WardCode("141313")
CARD = Procedure.CARD_ISSUANCE
RENEWAL = Procedure.CERTIFICATE_RENEWAL
BOTH = (Certificate.SIGNING, Certificate.USER_AUTHENTICATION)
STARTS = datetime(2025, 7, 14, 1, 0, tzinfo=UTC)
EARLIER = datetime(2025, 7, 10, 4, 20, tzinfo=UTC)

SITE = site.Site(
    site_id=OFFICE,
    name=site.SiteName(ja="川崎区役所", en="Kawasaki Ward Office"),
    kind=site.SiteKind.WARD_OFFICE,
    state=site.SiteState.OPEN,
    ward=WARD,
    latitude=35.529722,
    longitude=139.703889,
    opens_on=date(2025, 4, 1),
    closes_on=date(2027, 3, 31),
    open_on_holidays=False,
    hours=(
        site.OpeningHours(weekday=site.Weekday.MONDAY, opens=time(8, 30), closes=time(17, 0)),
        site.OpeningHours(
            weekday=site.Weekday.SATURDAY,
            opens=time(8, 30),
            closes=time(12, 30),
            occurrences=(2, 4),
        ),
    ),
    exceptions=(
        site.HoursException(business_date=date(2025, 7, 20), opens=time(9, 0), closes=time(12, 0)),
    ),
    counters=6,
    terminals=5,
    staff=(
        site.Staffing(weekday=site.Weekday.MONDAY, starts=time(8, 30), ends=time(17, 0), people=4),
    ),
    acceptance=(
        site.Acceptance(
            procedure=CARD,
            wards=(WARD,),
            from_date=date(2025, 4, 1),
            until_date=date(2026, 3, 31),
        ),
    ),
)


def _in_state(state: site.SiteState) -> site.Site:
    return SITE.model_copy(update={"state": state})


_PREPARATION: tuple[Event, ...] = (
    CaseOpened(case_id=CASE, procedure=CARD, kind=CaseKind.NEW, ward=WARD),
    preparation.CardApplied(case_id=CASE, applied_on=date(2025, 6, 2)),
    preparation.CardShipped(case_id=CASE, lot_id=LOT, shipped_on=date(2025, 6, 20)),
    preparation.CardReceived(
        case_id=CASE,
        lot_id=LOT,
        card_expires_on=date(2035, 8, 1),
        old_card_expires_on=date(2025, 8, 1),
    ),
    preparation.CardInspected(case_id=CASE),
    preparation.CardRejected(case_id=CASE, reason=preparation.RejectReason.UNREADABLE),
    preparation.CardRegistryChecked(case_id=CASE),
    preparation.CardHeld(
        case_id=CASE,
        reason=preparation.HoldReason.MOVED_WITHIN_CITY,
        review_on=date(2025, 7, 15),
    ),
    preparation.CardReleased(case_id=CASE, ward=WARD),
    preparation.CardVoided(case_id=CASE, reason=preparation.VoidReason.MOVED_OUT),
    preparation.CardPreset(case_id=CASE),
    preparation.CardShelved(case_id=CASE, site_id=OFFICE, shelf_position="A-03-117"),
    preparation.CardNotified(
        case_id=CASE,
        ward=WARD,
        site_id=OFFICE,
        number_key="bnVtYmVyLWtleS1vZi10aGUtc2FtcGxlLTAwMDAwMDE",
        login_key="bG9naW4ta2V5LW9mLXRoZS1zYW1wbGUtLTAwMDAwMDE",
        key_id="notice-2025",
        notice_seq=1,
        pickup_deadline=date(2025, 10, 1),
        card_expires_on=date(2035, 8, 1),
    ),
    preparation.CardNoticeReturned(case_id=CASE, notice_seq=1),
    preparation.CardDispatched(
        case_id=CASE,
        batch_id=BATCH,
        from_site_id=OFFICE,
        to_site_id=CENTER,
        due_on=date(2025, 7, 14),
    ),
    preparation.CardArrived(case_id=CASE, batch_id=BATCH, site_id=CENTER),
    preparation.CardTransferFailed(
        case_id=CASE,
        batch_id=BATCH,
        to_site_id=CENTER,
        reason=preparation.TransferFailure.LATE,
    ),
    preparation.CardDisposalDue(case_id=CASE, reason=preparation.DisposalReason.UNCLAIMED),
    preparation.CardDisposed(case_id=CASE, disposal_id=DISPOSAL),
)

_RESERVATION: tuple[Event, ...] = (
    reservation.BookingConfirmed(
        case_id=CASE,
        booking_id=BOOKING,
        party_id=PARTY,
        site_id=CENTER,
        starts_at=STARTS,
        minutes=20,
        procedure=CARD,
        card_site_id=OFFICE,
    ),
    reservation.BookingMoved(
        case_id=CASE,
        booking_id=BOOKING,
        party_id=PARTY,
        site_id=CENTER,
        starts_at=STARTS,
        minutes=20,
        procedure=CARD,
        card_site_id=OFFICE,
        previous_site_id=OFFICE,
        previous_starts_at=EARLIER,
        reason=reservation.MoveReason.CITIZEN,
    ),
    reservation.BookingCancelled(
        case_id=CASE,
        booking_id=BOOKING,
        party_id=PARTY,
        site_id=CENTER,
        starts_at=STARTS,
        procedure=CARD,
        reason=reservation.CancelReason.CITIZEN,
    ),
    reservation.BookingMissed(
        case_id=CASE,
        booking_id=BOOKING,
        site_id=CENTER,
        business_date=date(2025, 7, 14),
        bookable_from=date(2025, 7, 15),
    ),
    reservation.BookingFulfilled(case_id=CASE, booking_id=BOOKING, site_id=CENTER, visit_id=VISIT),
    reservation.WaitlistOffered(
        case_id=CASE,
        offer_id=OFFER,
        party_id=PARTY,
        site_id=CENTER,
        starts_at=STARTS,
        minutes=20,
        procedure=CARD,
        expires_at=EARLIER,
    ),
    reservation.ContactErased(case_id=CASE, reason=reservation.ErasureReason.REQUESTED),
    reservation.AvailabilitySearched(
        business_date=date(2025, 7, 14),
        ward=WARD,
        counts=(
            reservation.SearchCount(procedure=CARD, searched=40, refused=3),
            reservation.SearchCount(procedure=CARD, site_id=CENTER, searched=12, refused=12),
        ),
    ),
)

_SITES: tuple[Event, ...] = (
    site.SitePlanned(site=_in_state(site.SiteState.PLANNED)),
    site.SiteOpened(site=SITE),
    site.SiteChanged(
        site=SITE, lateness=(site.Lateness(procedure=Procedure.CARD_ISSUANCE, minutes=15),)
    ),
    site.SiteWindDownStarted(
        site=_in_state(site.SiteState.WINDING_DOWN), last_day=date(2027, 3, 31)
    ),
    site.SiteClosed(site=_in_state(site.SiteState.CLOSED)),
    site.CapacityPublished(
        site_id=OFFICE,
        procedure=CARD,
        minutes=20,
        days=(
            site.DayCapacity(
                business_date=date(2025, 7, 14),
                total=96,
                free=12,
                first_hour=8,
                minutes_by_hour=(120, *(240,) * 7, 120),
            ),
            site.DayCapacity(business_date=date(2025, 7, 15), total=96, free=0),
        ),
    ),
    site.DayClosed(site_id=OFFICE, business_date=date(2025, 7, 14)),
    site.NationalSystemSuspended(
        site_id=OFFICE,
        suspension_id=SUSPENSION,
        procedures=(CARD, RENEWAL),
        starts_at=EARLIER,
        ends_at=STARTS,
        reason=site.SuspensionReason.OUTAGE,
    ),
    site.NationalSystemResumed(
        site_id=OFFICE,
        suspension_id=SUSPENSION,
        procedures=(CARD, RENEWAL),
        resumed_at=STARTS,
    ),
)

_ISSUANCE: tuple[Event, ...] = (
    issuance.VisitCheckedIn(
        case_id=CASE,
        visit_id=VISIT,
        site_id=CENTER,
        booking_id=BOOKING,
        procedure=CARD,
        arrival=issuance.Arrival.BOOKED,
    ),
    issuance.VisitCalled(case_id=CASE, visit_id=VISIT, site_id=CENTER, counter="3"),
    issuance.VisitCompleted(case_id=CASE, visit_id=VISIT, site_id=CENTER, procedure=CARD),
    issuance.VisitDeferred(
        case_id=CASE,
        visit_id=VISIT,
        site_id=CENTER,
        reason=issuance.DeferReason.DOCUMENTS_MISSING,
        booking_id=BOOKING,
        bring=(issuance.ToBring.IDENTITY_DOCUMENTS,),
    ),
    issuance.VisitAbandoned(
        case_id=CASE,
        visit_id=VISIT,
        site_id=CENTER,
        reason=issuance.AbandonReason.LEFT,
        booking_id=BOOKING,
    ),
    issuance.VisitPaused(case_id=CASE, visit_id=VISIT, site_id=CENTER, booking_id=BOOKING),
    issuance.VisitMissed(
        case_id=CASE, booking_id=BOOKING, site_id=CENTER, business_date=date(2025, 7, 14)
    ),
    issuance.CardSwitchAccepted(case_id=CASE, visit_id=VISIT, site_id=CENTER, ward=WARD),
    issuance.CardIssued(
        case_id=CASE,
        visit_id=VISIT,
        site_id=CENTER,
        booking_id=BOOKING,
        procedure=CARD,
        kind=CaseKind.NEW,
        ward=WARD,
    ),
    issuance.CertificateRenewed(
        case_id=CASE,
        visit_id=VISIT,
        site_id=CENTER,
        booking_id=BOOKING,
        procedure=RENEWAL,
        kind=CaseKind.RENEWAL,
        ward=WARD,
        certificates=BOTH,
    ),
    issuance.CertificateFailed(
        case_id=CASE,
        visit_id=VISIT,
        site_id=CENTER,
        certificates=BOTH,
        reason=issuance.CertificateFailure.NATIONAL_SYSTEM,
    ),
    issuance.PinReset(case_id=CASE, visit_id=VISIT, site_id=CENTER, certificates=BOTH),
    issuance.ServiceMeasured(
        site_id=CENTER,
        business_date=date(2025, 7, 14),
        starts_at=STARTS,
        booked=4,
        late=1,
        walk_in=2,
        called=5,
        waited_seconds=2400,
        longest_wait_seconds=900,
        service_times=(
            issuance.ServiceTime(service=issuance.Service.CARD_ISSUANCE, count=3, seconds=3300),
            issuance.ServiceTime(
                service=issuance.Service.CARD_ISSUANCE,
                step=issuance.ServiceStep.IDENTITY,
                count=3,
                seconds=1100,
            ),
        ),
        open_seconds=3600,
        busy_seconds=3000,
        abandoned=1,
        deferred=1,
        expected=5,
        missed=1,
    ),
)

_REPORTING: tuple[Event, ...] = (
    reporting.ForecastPublished(
        version=2,
        sha256="5f" * 32,
        months=(
            reporting.ExpectedMonth(month=date(2026, 4, 1), procedure=CARD, count=12556),
            reporting.ExpectedMonth(month=date(2026, 4, 1), procedure=RENEWAL, count=17120),
        ),
    ),
)

SAMPLES: dict[str, Event] = {
    sample.type: sample
    for sample in (
        *_PREPARATION,
        *_RESERVATION,
        *_SITES,
        *_ISSUANCE,
        *_REPORTING,
        clock.ClockAdvanced(now=STARTS),
    )
}

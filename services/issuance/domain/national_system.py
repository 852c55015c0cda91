"""What can be done at a site while the national system stops, and what cannot.

It stops at 20:00 each day and does no certificate work on the Sunday after the third Saturday (the
brief's calendar); suspensions, announced or not, come on top, as reservation tells them. Looking at
documents, the old card and a receipt need no system; setting a PIN and writing to a card do.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from services.issuance.domain.checklist import Step
from services.issuance.domain.ticket import Purpose
from shared.calendar import TOKYO, business_date, is_after_third_saturday
from shared.contracts.base import Procedure
from shared.contracts.site import SuspensionReason
from shared.errors import Conflict, Text
from shared.ids import SiteId, SuspensionId

NEEDS_SYSTEM = frozenset({Step.CERTIFICATES, Step.PIN_SET, Step.ISSUE, Step.RENEW})


class StopReason(StrEnum):
    """Why something cannot be done."""

    DAILY_STOP = "daily_stop"
    REST_DAY = "rest_day"
    SCHEDULED = "scheduled"
    OUTAGE = "outage"
    EMERGENCY = "emergency"


_BY_CALENDAR = frozenset({StopReason.DAILY_STOP, StopReason.REST_DAY})


class Then(StrEnum):
    """What becomes of a visit that the stop has caught."""

    WAIT = "wait"
    REBOOK = "rebook"


@dataclass(frozen=True, slots=True)
class NationalRules:
    """The city's calendar of the system: the time in Japan at which it stops each day."""

    stops_at: time = time(20, 0)


@dataclass(frozen=True, slots=True)
class Suspension:
    """An interruption at one site that was not said to be over; no ``ends_at``: nobody knows."""

    suspension_id: SuspensionId
    site_id: SiteId
    procedures: frozenset[Procedure]
    starts_at: datetime
    ends_at: datetime | None
    reason: SuspensionReason

    def holds(self, now: datetime) -> bool:
        """Whether it has begun and is not over."""
        return self.starts_at <= now and (self.ends_at is None or now < self.ends_at)


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a procedure cannot be done, and until when; none while nobody knows."""

    reason: StopReason
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands still at a site at a moment, and when the system stops today."""

    site_id: SiteId
    at: datetime
    stops: Mapping[Procedure, Stop]
    stops_at: datetime

    @property
    def purposes(self) -> frozenset[Purpose]:
        """What nobody can be served with."""
        return frozenset(Purpose(procedure.value) for procedure in self.stops)

    @property
    def goes_on(self) -> Mapping[Purpose, datetime]:
        """When it can be done again, as far as that is known. What stands still by the calendar
        ends with the day: at midnight nobody is served, so no time is named.
        """
        return {
            Purpose(procedure.value): stop.until
            for procedure, stop in self.stops.items()
            if stop.until is not None and stop.reason not in _BY_CALENDAR
        }


class SystemStopped(Conflict):
    """This step needs the national system, which cannot be used here now."""

    slug = "national-system-stopped"
    title = Text("The national system cannot be used now", "現在、全国システムを利用できません")
    remedy = Text(
        "Do what may_still names, then let the party wait or come again; identity and documents"
        " that were noted stay noted.",
        "may_still の手順までは進められます。その後は待っていただくか、再来庁を案内してください。"
        "確認済みの書類の記録は残ります。",
    )


class SystemNotStopped(Conflict):
    """Nothing stands still: visits go on."""

    slug = "national-system-not-stopped"
    title = Text(
        "The national system can be used for this", "この手続では全国システムを利用できます"
    )
    remedy = Text("Go on with the visit.", "手続を続けてください。")


def standing(
    site_id: SiteId, suspensions: Iterable[Suspension], now: datetime, rules: NationalRules
) -> Standing:
    """What stands still at ``now``: of several reasons the one that lasts longest is told."""
    running = [one for one in suspensions if one.holds(now)]
    stops = {}
    for procedure in Procedure:
        if reasons := _stops(procedure, running, now, rules):
            stops[procedure] = max(reasons, key=lambda one: (one.until is None, one.until or now))
    return Standing(site_id, now, stops, stops_on(business_date(now), rules))


def require_running(found: Standing, procedure: Procedure) -> None:
    """Raise ``SystemStopped`` where the procedure stands still."""
    stop = found.stops.get(procedure)
    if stop is not None:
        until = stop.until.isoformat() if stop.until else None
        still = [step.value for step in may_still(procedure)]
        raise SystemStopped(extras={"reason": stop.reason, "until": until, "may_still": still})


def may_still(procedure: Procedure) -> Sequence[Step]:
    """The steps of the procedure that need no system."""
    of_card = (Step.OLD_CARD, Step.PIN_SET, Step.RECEIPT, Step.ISSUE)
    of_renewal = (Step.CERTIFICATES, Step.PIN_SET, Step.RENEW)
    own = of_card if procedure is Procedure.CARD_ISSUANCE else of_renewal
    steps = (Step.CALL, Step.PROXY, Step.IDENTITY, *own)
    return tuple(step for step in steps if step not in NEEDS_SYSTEM)


def stops_on(day: date, rules: NationalRules) -> datetime:
    """When the system stops on ``day``."""
    return datetime.combine(day, rules.stops_at, TOKYO)


def _stops(
    procedure: Procedure, running: Sequence[Suspension], now: datetime, rules: NationalRules
) -> list[Stop]:
    day = business_date(now)
    midnight = datetime.combine(day + timedelta(days=1), time(), TOKYO)
    found = [
        Stop(StopReason(one.reason.value), one.ends_at)
        for one in running
        if procedure in one.procedures
    ]
    if now >= stops_on(day, rules):
        found.append(Stop(StopReason.DAILY_STOP, midnight))
    if procedure is Procedure.CERTIFICATE_RENEWAL and is_after_third_saturday(day):
        found.append(Stop(StopReason.REST_DAY, midnight))
    return found

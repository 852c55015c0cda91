"""When the national system can be used: its daily stop, its rest days, and its suspensions.

It stops at 20:00 each day and does no certificate work on the Sunday after the third Saturday
(the brief's calendar); announced and unannounced suspensions come on top.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from services.reservation.domain.opening import national_system_rests
from services.reservation.domain.rules import Rules
from shared.calendar import TOKYO, business_date
from shared.contracts.base import Procedure
from shared.contracts.site import SuspensionReason
from shared.errors import Conflict, FieldError, NotFound, Text, Unprocessable
from shared.ids import SiteId, SuspensionId


class Policy(StrEnum):
    """What becomes of bookings in a suspension."""

    MOVE = "move"
    """Each is offered another seat."""
    KEEP = "keep"
    """They stay, in the hope that the system is back in time."""


@dataclass(frozen=True, slots=True)
class Suspension:
    """A time in which one site cannot do some procedures; no ``ends_at``: nobody knows until when.

    The same ``suspension_id`` at several sites is one command.
    """

    suspension_id: SuspensionId
    site_id: SiteId
    procedures: frozenset[Procedure]
    starts_at: datetime
    ends_at: datetime | None
    reason: SuspensionReason
    bookings: Policy
    commanded_at: datetime
    resumed_at: datetime | None

    def until(self, now: datetime, rules: Rules) -> datetime:
        """Until when it counts as lasting: with an open end, for some hours from now on."""
        return self.ends_at or max(now, self.starts_at) + rules.suspension_lookahead

    def forbids(
        self, procedure: Procedure, starts_at: datetime, minutes: int, now: datetime, rules: Rules
    ) -> bool:
        """Whether a visit then would need the system while it is suspended."""
        if self.resumed_at is not None or procedure not in self.procedures:
            return False
        ends = starts_at + timedelta(minutes=minutes)
        return starts_at < self.until(now, rules) and self.starts_at < ends


class SystemSuspended(Conflict):
    """The procedure cannot be done at that time."""

    slug = "system-suspended"
    title = Text(
        "The national system cannot be used at this time",
        "この時刻はシステム停止のため受付できません",
    )
    remedy = Text(
        "Choose another time or site from GET /v1/availability.",
        "GET /v1/availability から別の時刻または窓口を選んでください。",
    )


class NoSuchSuspension(NotFound):
    """No suspension has this id."""

    slug = "no-such-suspension"
    title = Text("There is no such suspension", "この停止はありません")
    remedy = Text(
        "Choose one of GET /v1/suspensions.", "GET /v1/suspensions の一覧から選んでください。"
    )


class SuspensionUnsound(Unprocessable):
    """It ends before it begins, or is over already, or names no site that is open."""

    slug = "suspension-unsound"
    title = Text("The suspension cannot be like this", "停止の指定に誤りがあります")


def check_suspension(starts_at: datetime, ends_at: datetime | None, now: datetime) -> None:
    """Raise ``SuspensionUnsound`` where the time is over or the wrong way round."""
    if ends_at is not None and (ends_at <= starts_at or ends_at <= now):
        message = Text(
            "Must lie ahead, after starts_at.", "starts_at より後の将来の時刻が必要です。"
        )
        remedy = Text("Send a later end, or none.", "後の時刻を指定するか、省略してください。")
        raise SuspensionUnsound(errors=[FieldError("ends_at", message, remedy)])


def stops_at(day: date, rules: Rules) -> datetime:
    """When the national system stops on ``day``."""
    return datetime.combine(day, rules.national_system_stops_at, TOKYO)


@dataclass(frozen=True, slots=True)
class NationalSystem:
    """What can be done when, as it stands at ``now``; suspensions by site."""

    suspensions: Mapping[SiteId, Sequence[Suspension]]
    now: datetime
    rules: Rules

    def serves(
        self, site_id: SiteId, procedure: Procedure, starts_at: datetime, minutes: int
    ) -> bool:
        """Whether the system can be used at the site through the whole of a visit."""
        day = business_date(starts_at)
        if national_system_rests(procedure, day):
            return False
        if starts_at + timedelta(minutes=minutes) > stops_at(day, self.rules):
            return False
        return not any(
            one.forbids(procedure, starts_at, minutes, self.now, self.rules)
            for one in self.suspensions.get(site_id, ())
        )

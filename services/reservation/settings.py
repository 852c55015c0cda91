"""What a city decides for its reservations; prefix ``MADOGUCHI_RESERVATION_``."""

from datetime import time, timedelta

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.reservation.domain.rules import Rules
from shared.calendar import BusinessCalendar
from shared.contracts.base import Procedure


class ReservationSettings(BaseSettings):
    """The rules of this room as environment variables; defaults are the brief's."""

    model_config = SettingsConfigDict(
        env_prefix="MADOGUCHI_RESERVATION_", extra="ignore", frozen=True
    )

    horizon_days: int = Field(60, ge=1, le=366)
    transfer_business_days: int = Field(2, ge=1, le=30)
    change_until: time = time(17)
    party_limit: int = Field(4, ge=1, le=20)
    cell_minutes: int = Field(10, ge=5, le=60)
    card_issuance_minutes: int = Field(20, ge=5, le=240)
    certificate_renewal_minutes: int = Field(20, ge=5, le=240)
    return_within_minutes: int = Field(15, ge=0, le=240)
    made_ahead_days: int = Field(30, ge=1, le=366)
    released_at: time = time(0)
    hold_minutes: int = Field(10, ge=1, le=120)
    offer_minutes: int = Field(120, ge=1, le=7 * 24 * 60)
    kept_call_centre: int = Field(0, ge=0)
    call_centre_released_days: int = Field(3, ge=0)
    kept_walk_in: int = Field(0, ge=0)
    walk_in_released_days: int = Field(0, ge=0)
    urgent_days: int = Field(14, ge=0, le=366)
    lateness_minutes: int = Field(10, ge=0, le=120)

    answer_days: int = Field(5, ge=1, le=60)
    kilometres_per_day: float = Field(2.0, gt=0)
    suspension_lookahead_hours: int = Field(24, ge=1, le=24 * 60)
    national_system_stops_at: time = time(20)
    unsigned_days: int = Field(
        2, ge=1, le=60, description="After so many days an unsigned visit is on its site's list."
    )

    def rules(self, calendar: BusinessCalendar) -> Rules:
        """The rules that the room works by."""
        return Rules(
            calendar=calendar,
            horizon_days=self.horizon_days,
            transfer_business_days=self.transfer_business_days,
            change_until=self.change_until,
            party_limit=self.party_limit,
            cell_minutes=self.cell_minutes,
            minutes={
                Procedure.CARD_ISSUANCE: self.card_issuance_minutes,
                Procedure.CERTIFICATE_RENEWAL: self.certificate_renewal_minutes,
            },
            return_within=timedelta(minutes=self.return_within_minutes),
            made_ahead_days=self.made_ahead_days,
            released_at=self.released_at,
            hold_for=timedelta(minutes=self.hold_minutes),
            offer_for=timedelta(minutes=self.offer_minutes),
            kept_call_centre=self.kept_call_centre,
            call_centre_released_days=self.call_centre_released_days,
            kept_walk_in=self.kept_walk_in,
            walk_in_released_days=self.walk_in_released_days,
            urgent_days=self.urgent_days,
            lateness=timedelta(minutes=self.lateness_minutes),
            answer_days=self.answer_days,
            kilometres_per_day=self.kilometres_per_day,
            suspension_lookahead=timedelta(hours=self.suspension_lookahead_hours),
            national_system_stops_at=self.national_system_stops_at,
        )

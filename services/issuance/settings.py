"""What only issuance has to know; the prefix is ``MADOGUCHI_ISSUANCE_``."""

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.issuance.domain.national_system import NationalRules
from services.issuance.domain.queue import DEFAULT_MINUTES, Claim, Priorities
from services.issuance.domain.ticket import Purpose
from shared.http.page_settings import PageSettings
from shared.settings import NextGenerationFrom

Minutes = Annotated[int, Field(ge=1, le=240)]
HeadStart = Annotated[int, Field(ge=-240, le=240)]


class IssuanceSettings(PageSettings):
    """Rules of the counter that a city sets for itself."""

    model_config = SettingsConfigDict(env_prefix="MADOGUCHI_ISSUANCE_", extra="ignore", frozen=True)

    lateness_grace_minutes: int = Field(
        10, ge=0, le=120, description="Minutes after the booked time that still count as in time."
    )

    out_of_reservation_days: int = Field(
        30, ge=0, le=366, description="A card that expires within these days needs no booking."
    )
    priority_minutes: Mapping[Claim, HeadStart] = Field(
        default_factory=dict,
        description='Minutes by which a claim comes earlier: {"booked": 20, "need": 15}.',
    )
    skips_allowed: int = Field(
        2, ge=0, le=20, description="Unanswered calls after which one more means: has left."
    )
    card_issuance_minutes: Minutes = 20
    certificate_renewal_minutes: Minutes = 20
    question_minutes: Minutes = 5
    measured_days: int = Field(
        28, ge=1, le=366, description="Days whose service times count as measured."
    )
    measured_least: int = Field(
        20, ge=1, description="Parties that have to be measured before the default is replaced."
    )
    national_system_stops_at: time = Field(
        time(20, 0), description="When the national system stops each day, in Japan."
    )
    next_generation_from: NextGenerationFrom = None
    proxy_reason_days: int = Field(
        365,
        ge=30,
        description="Days for which it is kept why a proxy came; then only that one came.",
    )
    board_listeners: int = Field(
        1000, ge=1, description="Boards and screens that one instance serves at once."
    )

    @property
    def priorities(self) -> Priorities:
        """Who goes first; what is not set stays as the project has it."""
        return Priorities({**DEFAULT_MINUTES, **self.priority_minutes})

    @property
    def national(self) -> NationalRules:
        """The calendar of the national system."""
        return NationalRules(self.national_system_stops_at)

    @property
    def default_times(self) -> Mapping[Purpose, timedelta]:
        """How long each purpose takes while nothing was measured."""
        return {
            Purpose.CARD_ISSUANCE: timedelta(minutes=self.card_issuance_minutes),
            Purpose.CERTIFICATE_RENEWAL: timedelta(minutes=self.certificate_renewal_minutes),
            Purpose.QUESTION: timedelta(minutes=self.question_minutes),
        }

    @property
    def reasons_kept(self) -> timedelta:
        """How long the reason of a proxy is kept."""
        return timedelta(days=self.proxy_reason_days)

    @property
    def grace(self) -> timedelta:
        """The grace as a duration."""
        return timedelta(minutes=self.lateness_grace_minutes)

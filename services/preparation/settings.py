"""What preparation alone decides; environment variables ``MADOGUCHI_PREPARATION_…``."""

from collections.abc import Mapping
from datetime import time

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.preparation.domain.desks import DEFAULT_MINUTES, Desk
from services.preparation.domain.shelves import ShelfRef
from shared.contracts.base import WardRef
from shared.ids import WardCode
from shared.settings import NextGenerationFrom


class PreparationSettings(BaseSettings):
    """Read once, at start."""

    model_config = SettingsConfigDict(
        env_prefix="MADOGUCHI_PREPARATION_",
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
        env_parse_none_str="none",
    )

    pickup_months: int = Field(
        3, ge=1, le=12, description="Months from the notice to the pickup deadline."
    )
    max_import_rows: int = Field(
        30_000, ge=1, description="Rows of one file; one file is one transaction."
    )
    max_background_rows: int = Field(
        1_000_000, ge=1, description="Rows of one file that is taken in slices."
    )
    lot_business_days: int = Field(
        5, ge=1, le=60, description="Business days from shipment until a lot is missed."
    )
    hold_review_days: int = Field(
        14, ge=1, le=366, description="Days until a hold without a review date is looked at again."
    )
    assignment_minutes: int = Field(
        30, ge=1, le=24 * 60, description="Minutes after which a forgotten assignment expires."
    )
    transfer_business_days: int = Field(
        2, ge=1, le=30, description="Business days a batch travels from site to site."
    )
    transfer_check_at: time = Field(
        time(17), description="When cards that will not be there on the next day are told of."
    )
    near_expiry_days: int = Field(
        60, ge=1, le=366, description="Cards that expire within so many days come first."
    )
    notices_at: time = Field(
        time(9), description="When notices go out by themselves, where a site's pace says so."
    )
    booking_url: str = Field(
        "http://localhost:5173/",
        pattern=r"^https?://[^#\s]+$",
        description="The booking page, as the QR code on a notice names it; set by the city.",
    )
    next_generation_from: NextGenerationFrom = None
    desk_minutes: dict[Desk, float] = Field(
        default_factory=dict,
        description="Minutes a card takes at a desk; 1, 1, 4 (preset), 0 (shelving) and 1 else.",
    )
    desk_day_minutes: float = Field(
        450, gt=0, le=1440, description="Minutes one person works at a desk on a business day."
    )
    outlook_look_back_days: int = Field(
        20, ge=1, le=250, description="Business days from which arrivals and work are measured."
    )
    default_shelves: dict[WardRef, str] = Field(
        default_factory=dict,
        description="By ward, as site_id/shelf; else shelf A of the ward's own office.",
    )

    @field_validator("default_shelves")
    @classmethod
    def _are_shelves(cls, value: dict[WardRef, str]) -> dict[WardRef, str]:
        for text in value.values():
            ShelfRef.parse(text)
        return value

    @field_validator("desk_minutes")
    @classmethod
    def _are_minutes(cls, value: dict[Desk, float]) -> dict[Desk, float]:
        if any(not 0 <= minutes <= 1440 for minutes in value.values()):
            raise ValueError("minutes of a desk lie between 0 and 1440")
        return value

    @property
    def desk_minutes_of(self) -> Mapping[Desk, float]:
        """The minutes of every desk."""
        return {**DEFAULT_MINUTES, **self.desk_minutes}

    @property
    def homes(self) -> Mapping[WardCode, ShelfRef]:
        """The default shelves that are set."""
        return {ward: ShelfRef.parse(text) for ward, text in self.default_shelves.items()}

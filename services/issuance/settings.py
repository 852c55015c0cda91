"""What only issuance has to know; the prefix is ``MADOGUCHI_ISSUANCE_``."""

from datetime import timedelta

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class IssuanceSettings(BaseSettings):
    """Rules of the counter that a city sets for itself."""

    model_config = SettingsConfigDict(env_prefix="MADOGUCHI_ISSUANCE_", extra="ignore", frozen=True)

    lateness_grace_minutes: int = Field(
        10, ge=0, le=120, description="Minutes after the booked time that still count as in time."
    )

    @property
    def grace(self) -> timedelta:
        """The grace as a duration."""
        return timedelta(minutes=self.lateness_grace_minutes)
